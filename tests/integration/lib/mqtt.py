"""Raw MQTT 3.1, 3.1.1 and 5 for tests: builds and takes apart packets, and a
client that sends exactly what it is told and hands over all it gets.

    c = Client(port, version=5)
    c.connect("me", clean=True, session_expiry=60)
    c.subscribe("a/#", qos=1)
    c.send(publish("a/b", b"x", qos=1, id=7, version=5))
    p = c.expect(PUBACK); p.reason

Properties are keyword arguments with the names of PROPERTIES; one that may
repeat takes a list.
"""
import itertools
import socket
import struct
import time

(CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK,
 PINGREQ, PINGRESP, DISCONNECT, AUTH) = range(1, 16)
TYPE_NAMES = ("RESERVED CONNECT CONNACK PUBLISH PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK "
              "PINGREQ PINGRESP DISCONNECT AUTH").split()

# name: (identifier, kind); kinds: 1, 2, 4 bytes, v(arint), t(ext), b(inary), p(air)
PROPERTIES = {
    "payload_format": (0x01, "1"), "message_expiry": (0x02, "4"), "content_type": (0x03, "t"),
    "response_topic": (0x08, "t"), "correlation_data": (0x09, "b"), "subscription_id": (0x0B, "v"),
    "session_expiry": (0x11, "4"), "assigned_client_id": (0x12, "t"), "server_keep_alive": (0x13, "2"),
    "auth_method": (0x15, "t"), "auth_data": (0x16, "b"), "request_problem_info": (0x17, "1"),
    "will_delay": (0x18, "4"), "request_response_info": (0x19, "1"), "response_info": (0x1A, "t"),
    "server_reference": (0x1C, "t"), "reason_string": (0x1F, "t"), "receive_maximum": (0x21, "2"),
    "topic_alias_maximum": (0x22, "2"), "topic_alias": (0x23, "2"), "maximum_qos": (0x24, "1"),
    "retain_available": (0x25, "1"), "user": (0x26, "p"), "maximum_packet_size": (0x27, "4"),
    "wildcard_available": (0x28, "1"), "subscription_id_available": (0x29, "1"), "shared_available": (0x2A, "1"),
}
NAME_OF = {number: (name, kind) for name, (number, kind) in PROPERTIES.items()}
REPEATED = ("user", "subscription_id")
SIZES = {"1": "!B", "2": "!H", "4": "!I"}


def varint(n):
    out = bytearray()
    while True:
        n, low = divmod(n, 128)
        out.append(low | (0x80 if n else 0))
        if not n:
            return bytes(out)


def text(s):
    s = s.encode() if isinstance(s, str) else s
    return struct.pack("!H", len(s)) + s


def encode_property(name, value):
    number, kind = PROPERTIES[name]
    if kind in SIZES:
        body = struct.pack(SIZES[kind], value)
    elif kind == "v":
        body = varint(value)
    elif kind == "p":
        body = text(value[0]) + text(value[1])
    else:
        body = text(value)
    return bytes([number]) + body


def properties(values):
    """The property block with its length; values: {name: value or list of values}."""
    block = b""
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            block += encode_property(name, one)
    return varint(len(block)) + block


def packet(kind, flags, body):
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def connect(client_id, version=5, clean=True, keepalive=60, will=None, username=None, password=None, **props):
    """will: dict(topic, payload, qos, retain, props)."""
    flags = (2 if clean else 0) | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    tail = text(client_id)
    if will:
        flags |= 4 | will.get("qos", 0) << 3 | (0x20 if will.get("retain") else 0)
        if version == 5:
            tail += properties(will.get("props", {}))
        tail += text(will["topic"]) + text(will.get("payload", b""))
    if username is not None:
        tail += text(username)
    if password is not None:
        tail += text(password)
    head = text("MQIsdp" if version == 3 else "MQTT") + bytes([version, flags]) + struct.pack("!H", keepalive)
    return packet(CONNECT, 0, head + (properties(props) if version == 5 else b"") + tail)


def publish(topic, payload=b"", qos=0, id=0, retain=False, dup=False, version=5, **props):
    payload = payload.encode() if isinstance(payload, str) else payload
    body = text(topic) + (struct.pack("!H", id) if qos else b"")
    if version == 5:
        body += properties(props)
    return packet(PUBLISH, (8 if dup else 0) | qos << 1 | (1 if retain else 0), body + payload)


def ack(kind, id, reason=0, version=5, **props):
    body = struct.pack("!H", id)
    if version == 5 and (reason or props):
        body += bytes([reason]) + (properties(props) if props else b"")
    return packet(kind, 2 if kind == PUBREL else 0, body)


def subscribe(id, filters, version=5, **props):
    """filters: list of (filter, options byte)."""
    body = struct.pack("!H", id) + (properties(props) if version == 5 else b"")
    return packet(SUBSCRIBE, 2, body + b"".join(text(f) + bytes([o]) for f, o in filters))


def unsubscribe(id, filters, version=5, **props):
    body = struct.pack("!H", id) + (properties(props) if version == 5 else b"")
    return packet(UNSUBSCRIBE, 2, body + b"".join(text(f) for f in filters))


def disconnect(reason=None, **props):
    body = b"" if reason is None else bytes([reason])
    return packet(DISCONNECT, 0, body + (properties(props) if props else b""))


def options(qos=0, no_local=False, retain_as_published=False, retain_handling=0):
    return qos | (4 if no_local else 0) | (8 if retain_as_published else 0) | retain_handling << 4


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, n):
        if self.left() < n:
            raise ValueError("cut short: " + self.data.hex())
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, fmt):
        return struct.unpack(fmt, self.take(struct.calcsize(fmt)))[0]

    def varint(self):
        n = 0
        for shift in (0, 7, 14, 21):
            b = self.take(1)[0]
            n |= (b & 127) << shift
            if b < 128:
                return n
        raise ValueError("length of more than 4 bytes")

    def binary(self):
        return self.take(self.number("!H"))

    def value(self, kind):
        if kind in SIZES:
            return self.number(SIZES[kind])
        if kind == "v":
            return self.varint()
        if kind == "p":
            return self.binary().decode(), self.binary().decode()
        return self.binary().decode() if kind == "t" else self.binary()

    def properties(self):
        out, end = {}, self.varint()
        end += self.at
        while self.at < end:
            name, kind = NAME_OF[self.varint()]
            value = self.value(kind)
            if name in REPEATED:
                out.setdefault(name, []).append(value)
            elif name in out:
                raise ValueError("property twice: " + name)
            else:
                out[name] = value
        if self.at != end:
            raise ValueError("property length")
        return out


class Packet:
    """One packet from a server: type, flags, body, props, and the fields of its type."""

    def __init__(self, first, body, version):
        self.type, self.flags, self.body = first >> 4, first & 15, body
        self.props, self.reason, self.id = {}, 0, None
        r = Reader(body)
        v5 = version == 5
        if self.type == CONNACK:
            self.session_present, self.reason = r.number("!B"), r.number("!B")
            self.props = r.properties() if v5 and r.left() else {}
        elif self.type == PUBLISH:
            self.qos, self.retain, self.dup = self.flags >> 1 & 3, bool(self.flags & 1), bool(self.flags & 8)
            self.topic = r.binary().decode()
            self.id = r.number("!H") if self.qos else None
            self.props = r.properties() if v5 else {}
            self.payload = r.take(r.left())
        elif self.type in (PUBACK, PUBREC, PUBREL, PUBCOMP):
            self.id = r.number("!H")
            self.reason = r.number("!B") if r.left() else 0
            self.props = r.properties() if r.left() else {}
        elif self.type in (SUBACK, UNSUBACK):
            self.id = r.number("!H")
            self.props = r.properties() if v5 else {}
            self.codes = list(r.take(r.left()))
        elif self.type in (DISCONNECT, AUTH):
            self.reason = r.number("!B") if r.left() else 0
            self.props = r.properties() if r.left() else {}

    def __repr__(self):
        more = "".join(f" {k}={getattr(self, k)!r}" for k in ("id", "reason", "topic", "payload", "qos", "retain", "dup", "codes")
                       if getattr(self, k, None) not in (None, 0, False))
        return f"<{TYPE_NAMES[self.type]}{more}{' ' + repr(self.props) if self.props else ''}>"


class Closed(Exception):
    """The peer closed the connection."""


class Timeout(Exception):
    """Nothing came in time."""


class Client:
    def __init__(self, port, version=5, host="127.0.0.1", timeout=5.0, sock=None):
        self.version, self.timeout, self.data = version, timeout, b""
        self.ids = itertools.cycle(range(1, 65536))
        self.sock = sock or socket.create_connection((host, port), timeout=timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.kill()

    def send(self, data):
        self.sock.settimeout(self.timeout)
        self.sock.sendall(data)

    def take_packet(self):
        """A whole packet out of what has been received, or None."""
        r = Reader(self.data)
        try:
            first, length = r.take(1)[0], r.varint()
            body = r.take(length)
        except ValueError:
            return None
        self.data = self.data[r.at:]
        return Packet(first, body, self.version)

    def recv(self, timeout=None):
        end = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            p = self.take_packet()
            if p:
                return p
            left = end - time.monotonic()
            if left <= 0:
                raise Timeout("nothing received")
            self.sock.settimeout(left)
            try:
                more = self.sock.recv(65536)
            except socket.timeout:
                continue
            except ConnectionResetError:
                raise Closed("connection reset") from None
            if not more:
                raise Closed("connection closed")
            self.data += more

    def expect(self, kind, timeout=None):
        p = self.recv(timeout)
        assert p.type == kind, f"wanted {TYPE_NAMES[kind]}, got {p}"
        return p

    def expect_publish(self, topic, payload=None, timeout=None, **fields):
        p = self.expect(PUBLISH, timeout)
        assert p.topic == topic, f"wanted topic {topic}, got {p}"
        payload = payload.encode() if isinstance(payload, str) else payload
        assert payload is None or p.payload == payload, f"wanted payload {payload!r}, got {p}"
        for name, want in fields.items():
            assert getattr(p, name) == want, f"wanted {name}={want!r}, got {p}"
        return p

    def expect_nothing(self, timeout=0.3):
        try:
            p = self.recv(timeout)
        except Timeout:
            return
        raise AssertionError(f"wanted nothing, got {p}")

    def expect_closed(self, timeout=None):
        """The reason in a DISCONNECT or CONNACK that came right before the close; None without one."""
        reason = None
        while True:
            try:
                p = self.recv(timeout)
            except Closed:
                return reason
            assert p.type in (DISCONNECT, CONNACK), f"wanted the connection closed, got {p}"
            reason = p.reason

    def connect(self, client_id="", reason=0, **kw):
        """Sends CONNECT, checks the CONNACK's code, returns it."""
        self.send(connect(client_id, version=self.version, **kw))
        p = self.expect(CONNACK)
        assert p.reason == reason, f"wanted code {reason:#x}, got {p}"
        return p

    def subscribe(self, *filters, qos=0, codes=None, props=None, **opts):
        """Subscribes to all filters alike; checks the SUBACK's codes."""
        id = next(self.ids)
        self.send(subscribe(id, [(f, options(qos, **opts)) for f in filters], self.version, **(props or {})))
        p = self.expect(SUBACK)
        want = codes or [qos] * len(filters)
        assert p.id == id and p.codes == want, f"wanted codes {want}, got {p}"
        return p

    def unsubscribe(self, *filters):
        id = next(self.ids)
        self.send(unsubscribe(id, filters, self.version))
        p = self.expect(UNSUBACK)
        assert p.id == id
        return p

    def publish(self, topic, payload=b"", qos=0, **kw):
        """Publishes and goes through the acknowledgements; returns the last of them, None at QoS 0."""
        id = next(self.ids) if qos else 0
        self.send(publish(topic, payload, qos, id, version=self.version, **kw))
        if qos == 0:
            return None
        p = self.expect(PUBACK if qos == 1 else PUBREC)
        assert p.id == id
        if qos == 2 and p.reason < 0x80:
            self.send(ack(PUBREL, id, version=self.version))
            p = self.expect(PUBCOMP)
            assert p.id == id
        return p

    def ack(self, kind, id, reason=0):
        self.send(ack(kind, id, reason, self.version))

    def ping(self):
        self.send(packet(PINGREQ, 0, b""))
        self.expect(PINGRESP)

    def disconnect(self, reason=None, **props):
        self.send(disconnect(reason, **props))
        self.kill()

    def kill(self):
        """Closes the socket without a word."""
        self.sock.close()
