#!/usr/bin/python3
"""Do the broker's own WebSocket listeners serve MQTT, with TLS and without, and nobody who should not come in?

Frames of every kind over both, unmasked ones refused; pages from elsewhere and rebound names refused; certificates
changed under live connections; client certificates; a reload that closes and opens listeners; the web port over TLS.
"""
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from lib.certificates import Authority
from lib.mqtt import *
from lib.programs import WIREPOST, Workplace, free_port, wait_for
from lib.tls import client_context, common_name
from lib.ws import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Refused, frame, open_websocket, request

PINGREQ_BYTES = packet(PINGREQ, 0, b"")

CONFIG = """
gateway: {{data_dir: data}}
log: {{level: debug}}
broker:
  listeners:
    - {{port: {tcp}}}
    - {{port: {ws}, protocol: websocket, allowed_hosts: [plant7.local], limits: {{packet_bytes: 3MiB}}}}
    - {{port: {wss}, protocol: websocket, tls: {{cert: server.crt, key: server.key}}}}
    - port: {known}
      protocol: websocket
      mount: known/
      tls: {{cert: server.crt, key: server.key, client_ca: ca.crt, require_client_cert: true, username_from: cn}}
web:
  listen: {{port: {web}, tls: {{cert: server.crt, key: server.key}}}}
"""


class Site:
    def __init__(self, w):
        self.w = w
        self.ca = Authority(w.path("ca"), "plant CA")
        self.names = {"names": ["localhost"], "addresses": ["127.0.0.1"]}
        self.put(self.ca.issue("server-1", **self.names))
        self.pump = self.ca.issue("pump")
        shutil.copy(self.ca.cert, w.path("ca.crt"))
        self.context = client_context(self.ca)
        self.tcp, self.ws, self.wss, self.known, self.web = (free_port() for _ in range(5))
        self.config = self.write()
        self.program = w.start([WIREPOST, "run", "-c", self.config], ready="broker running")

    def put(self, certificate):
        shutil.copy(certificate.cert, self.w.path("server.crt"))
        shutil.copy(certificate.key, self.w.path("server.key"))

    def write(self, *changes):
        text = CONFIG.format(**vars(self))
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        return self.w.write("wirepost.yaml", text)

    def reload(self):
        before = len(self.program.log())
        self.program.process.send_signal(signal.SIGHUP)
        self.program.wait_for_log(r"(?s)\A.{%d}.*reload: " % before)
        return self.program.log()[before:]

    def client(self, port, version=5, **how):
        return Client(0, version, sock=open_websocket(port, timeout=15, **how), timeout=15)


def clients_of_all_listeners_talk_to_each_other(s):
    with Client(s.tcp) as tcp, s.client(s.ws, 4) as ws, s.client(s.wss, context=s.context) as wss, \
            s.client(s.web, context=s.context, headers={"Host": "localhost"}) as web:
        everybody = {"tcp": tcp, "ws": ws, "wss": wss, "web": web}
        for name, c in everybody.items():
            c.connect("all-" + name)
            c.subscribe("all/#")
        for name, c in everybody.items():
            c.send(publish("all/" + name, name.encode(), version=c.version))
            for other in everybody.values():
                other.expect_publish("all/" + name, name.encode())


def a_megabyte_goes_both_ways(s):
    payload = os.urandom(1 << 20)
    for where in ({"port": s.ws}, {"port": s.wss, "context": s.context}):
        with s.client(**where) as a:
            most = a.connect("big").props.get("maximum_packet_size", 1 << 30)
            a.subscribe("big", qos=1)
            data = payload[:min(len(payload), most - 100)]
            a.send(publish("big", data, qos=1, id=1))
            for p in (a.recv(15), a.recv(15)):
                assert p.type == PUBACK or p.payload == data
            assert most == (3 << 20 if where["port"] == s.ws else 1 << 20), most


def limits_and_mount_are_those_of_the_listener(s):
    context = client_context(s.ca, certificate=s.pump)
    with Client(s.tcp) as tcp, s.client(s.known, context=context) as known:
        tcp.connect("tcp")
        tcp.subscribe("known/#")
        known.connect("known", username="somebody else")
        known.publish("x", b"1", qos=1)
        tcp.expect_publish("known/x", b"1")
    assert "user 'pump' by certificate" in s.program.log()


def without_its_certificate_nobody_gets_in(s):
    try:
        s.client(s.known, context=s.context).close()
    except (ssl.SSLError, OSError):
        pass
    else:
        raise AssertionError("let in without a certificate")
    with socket.create_connection(("127.0.0.1", s.wss), 5) as plain:
        plain.sendall(b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            assert not plain.recv(100).startswith(b"HTTP")
        except ConnectionResetError:
            pass


def frames_are_taken_apart_by_the_rules(s):
    for where in ({"port": s.ws}, {"port": s.wss, "context": s.context}):
        with s.client(**where) as c:
            c.connect("frames")
            c.subscribe("f/#")
            ws = c.sock
            packets = [publish("f/%d" % i, b"x" * (i * 37)) for i in range(60)]
            whole = b"".join(packets)
            # coalesced: many frames in one write; fragmented, a ping in each gap
            ws.send_raw(b"".join(frame(p) for p in packets))
            for i in range(60):
                c.expect_publish("f/%d" % i, b"x" * (i * 37))
            step = 997
            pieces = [whole[i:i + step] for i in range(0, len(whole), step)]
            for i, piece in enumerate(pieces):
                ws.send_frame(piece, BINARY if i == 0 else CONTINUATION, fin=i == len(pieces) - 1)
                ws.send_frame(b"%d" % i, PING)
            pongs, stream = [], b""
            while len(stream) < len(whole) or pongs[-1:] != [len(pieces) - 1]:
                _, opcode, payload = ws.recv_frame()
                if opcode == PONG:
                    pongs.append(int(payload))
                else:
                    assert opcode == BINARY
                    stream += payload
            # RFC 6455, 5.5.3: of several pings the last may be answered alone
            assert pongs == sorted(pongs), pongs
            assert len(stream) == len(whole)
            # every byte by itself
            for byte in frame(PINGREQ_BYTES) + frame(b"z", PING):
                ws.send_raw(bytes([byte]))
            got = {ws.recv_frame()[1:], ws.recv_frame()[1:]}
            assert got == {(BINARY, b"\xd0\x00"), (PONG, b"z")}, got


WRONG = (
    ("unmasked", frame(PINGREQ_BYTES, masked=False), 1002),
    ("unmasked after a masked one", frame(PINGREQ_BYTES) + frame(PINGREQ_BYTES, masked=False), 1002),
    ("unmasked and empty", frame(b"", masked=False), 1002),
    ("unmasked ping", frame(b"x", PING, masked=False), 1002),
    ("unmasked close", frame(struct.pack("!H", 1000), CLOSE, masked=False), 1002),
    ("unmasked fragment", frame(b"\xc0", fin=False) + frame(b"\x00", CONTINUATION, masked=False), 1002),
    ("unmasked with a long length", frame(b"x" * 70000, masked=False), 1002),
    ("text", frame(PINGREQ_BYTES, TEXT), 1003),
    ("empty text", frame(b"", TEXT), 1003),
    ("text in fragments", frame(b"\xc0", TEXT, fin=False), 1003),
    ("text within a message", frame(b"\xc0", fin=False) + frame(b"\x00", TEXT), 1002),
    ("continuation of nothing", frame(PINGREQ_BYTES, CONTINUATION), 1002),
    ("a message within a message", frame(b"\xc0", fin=False) + frame(b"\x00"), 1002),
    ("opcode 3", frame(b"", 3), 1002),
    ("opcode 11", frame(b"", 11), 1002),
    ("ping in fragments", frame(b"", PING, fin=False), 1002),
    ("ping of 126 bytes", frame(b"x" * 126, PING), 1002),
    ("reserved bit", bytes([0xC2, 0x80]) + bytes(4), 1002),
    ("length with its top bit", bytes([0x82, 0xFF]) + b"\xff" * 8 + b"abcd", 1002),
    ("close of one byte", frame(b"x", CLOSE), 1002),
    ("close with a code that is none", frame(struct.pack("!H", 1005), CLOSE), 1002),
    ("close", frame(struct.pack("!H", 1001) + b"going away", CLOSE), 1001),
    ("close without a code", frame(b"", CLOSE), 1000),
    ("no MQTT", frame(b"\x00\x00"), 1000),
)


def wrong_frames_close_with_the_right_code(s):
    for where in ({"port": s.ws}, {"port": s.wss, "context": s.context}):
        for what, data, want in WRONG:
            with s.client(**where) as c:
                c.connect("wrong")
                c.sock.send_raw(data)
                code = c.sock.expect_close()
                assert code == want, (what, code, want)
                if want != 1000 or not what.startswith("close"):
                    c.sock.send_frame(struct.pack("!H", code), CLOSE)
                c.sock.settimeout(15)
                try:
                    assert c.sock.sock.recv(10) == b"", what
                except ConnectionResetError:
                    pass
    print("   %d kinds, over ws and wss" % len(WRONG))


def a_will_is_published_when_frames_break_the_rules(s):
    with Client(s.tcp) as watcher:
        watcher.connect("watcher")
        watcher.subscribe("gone")
        with s.client(s.ws) as c:
            c.connect("breaks", will=dict(topic="gone", payload=b"w", qos=0))
            c.sock.send_raw(frame(PINGREQ_BYTES, masked=False))
            watcher.expect_publish("gone", b"w")


def refused(port, want, **how):
    try:
        open_websocket(port, **how).close()
    except Refused as e:
        assert e.status == want, (how, e)
        return
    raise AssertionError("%s: let in, wanted %d" % (how, want))


def who_may_open_one(s):
    at = "127.0.0.1:%d" % s.ws
    for headers in ({}, {"Host": "gateway.lan:%d" % s.ws}, {"Origin": "http://" + at},
                    {"Host": "plant7.local", "Origin": "http://plant7.local"}, {"Origin": "https://plant7.local:8443"},
                    {"Host": "localhost", "Origin": "https://localhost"}):
        open_websocket(s.ws, headers=headers).close()
    for origin in ("http://evil.example", "null", "http://127.0.0.1:%d" % s.web, "http://localhost:%d" % s.ws, "file://",
                   "http://127.0.0.1.evil.example:%d" % s.ws, "https://plant7.local.evil.example"):
        refused(s.ws, 403, headers={"Origin": origin})
    # a rebound name: the page's own, which leads here
    refused(s.ws, 421, headers={"Host": "evil.example:%d" % s.ws, "Origin": "http://evil.example:%d" % s.ws})
    refused(s.ws, 404, path="/")
    refused(s.ws, 404, path="/live")
    refused(s.ws, 400, protocol="mqttv3.1")
    refused(s.ws, 426, headers={"Sec-WebSocket-Version": "8"})
    for path in ("/", "/app.js", "/metrics"):
        assert request(s.ws, path=path)[0] == 404, path
    assert request(s.ws, path="/mqtt")[0] == 426
    assert request(s.ws, path="/mqtt", headers={"Host": "evil.example"})[0] == 421


def certificates_change_under_live_connections(s):
    def shown(port):
        with socket.create_connection(("127.0.0.1", port), 15) as plain:
            with s.context.wrap_socket(plain, server_hostname="localhost") as tls:
                return common_name(tls)

    with s.client(s.wss, context=s.context) as live, s.client(s.web, context=s.context, headers={"Host": "localhost"}) as page:
        live.connect("live")
        page.connect("page")
        live.subscribe("swap")
        assert (shown(s.wss), shown(s.web)) == ("server-1", "server-1")
        s.put(s.ca.issue("server-2", key="rsa:2048", **s.names))
        s.reload()
        assert (shown(s.wss), shown(s.web)) == ("server-2", "server-2")
        page.publish("swap", b"still here", qos=1)
        live.expect_publish("swap", b"still here")
        with s.client(s.wss, context=s.context) as new:
            new.connect("new")
        s.w.write("server.key", "nothing")
        said = s.reload()
        assert "nothing was changed" in said, said
        assert (shown(s.wss), shown(s.web)) == ("server-2", "server-2")
        live.ping()
        s.put(s.ca.issue("server-3", **s.names))
        s.reload()
        assert (shown(s.wss), shown(s.web)) == ("server-3", "server-3")
        live.ping()
        page.ping()
    for version, wanted in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        with s.client(s.wss, context=client_context(s.ca, oldest=version, newest=version)) as c:
            c.connect("version")
            assert c.sock.sock.version() == wanted


def a_reload_closes_and_opens_listeners(s):
    moved = free_port()
    with s.client(s.ws) as goes, s.client(s.wss, context=s.context) as stays:
        goes.connect("goes")
        stays.connect("stays")
        s.write(("port: %d, protocol: websocket, allowed" % s.ws, "port: %d, protocol: websocket, allowed" % moved))
        s.reload()
        assert goes.sock.expect_close() == 1000
        stays.ping()
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", s.ws)) != 0
        with s.client(moved) as c:
            c.connect("moved")
        for _ in range(5):
            s.write()
            s.reload()
            with s.client(s.ws) as c:
                c.connect("back")
            s.write(("port: %d, protocol: websocket, allowed" % s.ws, "port: %d, protocol: websocket, allowed" % moved))
            s.reload()
        s.write()
        s.reload()
        stays.ping()


def a_reload_without_the_web_port_ends_who_came_in_there(s):
    with s.client(s.web, context=s.context, headers={"Host": "localhost"}) as page, s.client(s.wss, context=s.context) as stays:
        page.connect("page")
        stays.connect("stays")
        s.write(("  listen: {port: %d" % s.web, "  enabled: false\n  listen: {port: %d" % s.web))
        s.reload()
        page.sock.settimeout(10)
        assert page.sock.expect_close() is None
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", s.web)) != 0
        stays.ping()
    s.write()
    s.reload()
    with s.client(s.web, context=s.context, headers={"Host": "localhost"}) as page:
        page.connect("page")


def mqttjs_comes_in_over_tls(s):
    script = """
const mqtt = require('mqtt'), fs = require('fs')
const [port, ca] = process.argv.slice(1)
const c = mqtt.connect(`wss://localhost:${port}/mqtt`, {ca: fs.readFileSync(ca), protocolVersion: 5, reconnectPeriod: 0})
c.on('error', (e) => { console.error(e); process.exit(1) })
c.on('connect', () => c.subscribe('js', {qos: 1}, () => c.publish('js', Buffer.alloc(200000, 7), {qos: 1})))
c.on('message', (topic, payload) => { console.log('got ' + payload.length); c.end(false, () => process.exit(0)) })
"""
    done = subprocess.run(["node", "-e", script, str(s.wss), s.ca.cert], capture_output=True, text=True, timeout=60,
                          env=dict(os.environ, NODE_PATH="/usr/share/nodejs:/usr/lib/nodejs"))
    assert done.returncode == 0 and done.stdout.strip() == "got 200000", (done.stdout, done.stderr)


def many_come_and_go(s):
    def descriptors():
        return len(os.listdir("/proc/%d/fd" % s.program.process.pid))

    before = descriptors()
    for i in range(150):
        where = {"port": s.ws} if i % 2 else {"port": s.wss, "context": s.context}
        c = s.client(**where)
        c.connect("many-%d" % i)
        if i % 3 == 0:
            c.disconnect()
        elif i % 3 == 1:
            c.sock.send_raw(frame(b"x", masked=False))
        c.sock.close()
    wait_for(lambda: descriptors() <= before + 2, 20, "the descriptors to be closed: %d, now %d" % (before, descriptors()))


with Workplace() as w:
    site = Site(w)
    only = sys.argv[1:]
    for check in (clients_of_all_listeners_talk_to_each_other, a_megabyte_goes_both_ways,
                  limits_and_mount_are_those_of_the_listener, without_its_certificate_nobody_gets_in,
                  frames_are_taken_apart_by_the_rules, wrong_frames_close_with_the_right_code,
                  a_will_is_published_when_frames_break_the_rules, who_may_open_one,
                  certificates_change_under_live_connections, a_reload_closes_and_opens_listeners,
                  a_reload_without_the_web_port_ends_who_came_in_there,
                  mqttjs_comes_in_over_tls, many_come_and_go):
        if not only or check.__name__ in only:
            check(site)
            print("ok: " + check.__name__.replace("_", " "), flush=True)
    site.program.stop()
