"""Raw WebSockets (RFC 6455) for tests: sends exactly the frames it is told to,
right or wrong, and looks like a socket to lib/mqtt.py.

    ws = open_websocket(port)
    ws.send_frame(b"...", opcode=BINARY, fin=False)
    c = mqtt.Client(port, sock=ws)
"""
import base64
import hashlib
import os
import socket
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Refused(Exception):
    """The server answered the handshake with something else than 101."""

    def __init__(self, status, headers, body):
        super().__init__(f"status {status}: {body!r}")
        self.status, self.headers, self.body = status, headers, body


def read_head(sock):
    """An HTTP answer's status, its headers by lower-case name, and the bytes after them."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(4096)
        if not more:
            raise ConnectionError(f"closed after {data!r}")
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, value = line.split(":", 1)
        headers[name.lower()] = value.strip()
    return int(first.split()[1]), headers, rest


def request(port, method="GET", path="/", headers=None, body=b"", address="127.0.0.1", timeout=5):
    """One HTTP request, exactly as given; Host is added unless it is there, even as None. (status, headers, body)"""
    headers = dict(headers or {})
    headers.setdefault("Host", f"{address}:{port}")
    lines = [f"{method} {path} HTTP/1.1"] + [f"{n}: {v}" for n, v in headers.items() if v is not None]
    with socket.create_connection((address, port), timeout) as sock:
        sock.sendall("\r\n".join(lines + ["", ""]).encode("latin-1") + body)
        status, got, rest = read_head(sock)
        length = 0 if method == "HEAD" or status in (204, 304) else int(got.get("content-length", 0))
        while len(rest) < length:
            more = sock.recv(65536)
            if not more:
                raise ConnectionError("closed within the body")
            rest += more
    return status, got, rest


def open_websocket(port, path="/mqtt", protocol="mqtt", headers=None, address="127.0.0.1", timeout=5, context=None,
                   first=b""):
    """Opens one, or raises Refused. A header given as None is left out. context: of ssl; first: bytes before HTTP."""
    key = base64.b64encode(os.urandom(16))
    wanted = {"Host": f"{address}:{port}", "Upgrade": "websocket", "Connection": "Upgrade",
              "Sec-WebSocket-Key": key.decode(), "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": protocol}
    wanted.update(headers or {})
    lines = [f"GET {path} HTTP/1.1"] + [f"{n}: {v}" for n, v in wanted.items() if v is not None]
    sock = socket.create_connection((address, port), timeout)
    try:
        if first:
            sock.sendall(first)
        if context:
            sock = context.wrap_socket(sock, server_hostname="localhost")
        sock.sendall("\r\n".join(lines + ["", ""]).encode("latin-1"))
        status, got, rest = read_head(sock)
        if status != 101:
            raise Refused(status, got, rest)
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        assert got["sec-websocket-accept"] == accept, got
        assert got["sec-websocket-protocol"] == "mqtt", got
        assert "sec-websocket-extensions" not in got, got
    except BaseException:
        sock.close()
        raise
    return WebSocket(sock, rest)


def mask_bytes(data, key):
    if not data:
        return b""
    whole = (key * (len(data) // 4 + 1))[:len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(len(data), "big")


def frame(payload, opcode=BINARY, fin=True, masked=True):
    head = bytes([(0x80 if fin else 0) | opcode])
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65536:
        head += bytes([bit | 126]) + struct.pack("!H", len(payload))
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", len(payload))
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + mask_bytes(payload, key)


class WebSocket:
    """What comes after the handshake. send, sendall and recv treat it as a byte stream, one frame a sendall."""

    def __init__(self, sock, data=b""):
        self.sock, self.data = sock, data
        self.stream = b""
        self.close_code = None
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send_raw(self, data):
        self.sock.sendall(data)

    def send_frame(self, payload, opcode=BINARY, fin=True, masked=True):
        self.send_raw(frame(payload, opcode, fin, masked))

    def take(self, n):
        while len(self.data) < n:
            more = self.sock.recv(262144)
            if not more:
                raise ConnectionError("connection closed without a Close frame")
            self.data += more
        out, self.data = self.data[:n], self.data[n:]
        return out

    def recv_frame(self):
        """(fin, opcode, payload) of the next frame; a server must not mask."""
        first, second = self.take(2)
        assert not first & 0x70, "reserved bits set"
        assert not second & 0x80, "masked frame from a server"
        length = second & 127
        if length == 126:
            length = struct.unpack("!H", self.take(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", self.take(8))[0]
        return bool(first & 0x80), first & 15, self.take(length)

    def expect_close(self):
        """The code of the server's Close frame after any data; None when it just hung up."""
        try:
            while True:
                _, opcode, payload = self.recv_frame()
                if opcode == CLOSE:
                    return struct.unpack("!H", payload[:2])[0] if payload else 1005
        except ConnectionError:
            return None

    def recv(self, n):
        while not self.stream:
            try:
                _, opcode, payload = self.recv_frame()
            except ConnectionResetError:
                raise
            except ConnectionError:
                return b""
            if opcode == PING:
                self.send_frame(payload, PONG)
            elif opcode == CLOSE:
                self.close_code = struct.unpack("!H", payload[:2])[0] if payload else 1005
                return b""
            elif opcode != PONG:
                self.stream = payload
        out, self.stream = self.stream[:n], self.stream[n:]
        return out

    def sendall(self, data):
        self.send_frame(data)

    def settimeout(self, timeout):
        self.sock.settimeout(timeout)

    def setsockopt(self, *args):
        self.sock.setsockopt(*args)

    def fileno(self):
        return self.sock.fileno()

    def shutdown(self, how):
        self.sock.shutdown(how)

    def close(self):
        self.sock.close()
