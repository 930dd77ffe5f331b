#!/usr/bin/env python3
"""Does a running broker take any bytes at all, by every way in, without harm to itself or to others?

By hand, with a build that has the sanitizers: WIREPOST=build/asan/wirepost tests/soak/fuzz-live-broker.py [SECONDS] [SEED]

Clients speak MQTT of all versions with random packets, then with broken ones: bits turned, bytes left out, put in,
repeated or swapped, lengths that lie, frames cut anywhere; WebSocket frames that are fragmented, empty, of every opcode
or no frames at all. Meanwhile a well-behaved client sends and receives at every QoS, and memory is looked at.
"""
import os
import random
import select
import socket
import ssl
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration/lib"))
import mqtt
from mqtt import Client, ack, connect, disconnect, options, packet, publish, subscribe, unsubscribe
from programs import WIREPOST, Workplace, free_port
from ws import Refused, frame, open_websocket, request

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
MOST_KIB = 600 * 1024  # resident; the sanitizers keep what was freed for a while

CONFIG = """
broker:
  listeners:
    - {{port: {port}}}
    - {{port: {rules}, acl: rules.yaml, limits: {{queued_messages: 20, message_rate: 1000, subscriptions: 10}}}}
    - {{port: {mounted}, mount: cells/, proxy_protocol: true}}
    - {{port: {tls}, tls: {{cert: cert.pem, key: key.pem}}}}
    - {{port: {websocket}, protocol: websocket}}
    - {{port: {wss}, protocol: websocket, tls: {{cert: cert.pem, key: key.pem}}}}
    - {{path: {folder}/socket}}
  sys_interval: 1s
  plugins:
    - path: {plugins}/redact.so
      options: {{rules: [{{filter: "a/#", fields: [x]}}]}}
  limits: {{packet_bytes: 64KiB, inflight: 20, queued_messages: 500, queued_bytes: 1MiB, session_expiry: 20s}}
web:
  listen: {{port: {web}}}
"""
RULES = """
everyone: {readwrite: ["a/#", "fuzz/%c/#", "b"], deny: ["a/b/c"], subscribe: ["a/#", "b", "+"]}
"""
UPGRADE = (b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TLS.check_hostname, TLS.verify_mode = False, ssl.CERT_NONE
PORTS = ("port", "rules", "mounted", "tls", "websocket", "wss", "web")
GOOD = ["a", "a/b", "a/b/c", "/", "a//b", "b", "é/ü"]
TOPICS = GOOD * 8 + ["a", "a/b", "a/b/c", "/", "a//b", "$SYS/x", "$share/g/a/#", "é/ü", "", "x" * 300, "/".join("abcdefgh" * 20), "a/+", "#", "a/\0",
          b"\xff\xfe", "$SYS/broker/uptime"]
FILTERS = TOPICS + ["+", "+/+", "a/#", "#", "$share/g/a/#", "$share/g/+", "$share/h/a/b"] * 6 + ["#/a", "a+", "$share/g", "$share//a", "$share/g/#", "$SYS/#", "/+", "+/#"]
# What each kind of packet may have.
ANY = ["user", "reason_string"]
PROPERTIES = {
    mqtt.CONNECT: ["session_expiry", "receive_maximum", "maximum_packet_size", "topic_alias_maximum", "request_response_info",
                   "request_problem_info", "user"],
    "will": ["will_delay", "payload_format", "message_expiry", "content_type", "response_topic", "correlation_data", "user"],
    mqtt.PUBLISH: ["payload_format", "message_expiry", "topic_alias", "response_topic", "correlation_data", "content_type", "user"],
    mqtt.SUBSCRIBE: ["subscription_id", "user"], mqtt.UNSUBSCRIBE: ["user"], mqtt.PUBACK: ANY, mqtt.DISCONNECT: ANY + ["session_expiry"],
}


class Maker:
    """Random packets, most of them right."""

    def __init__(self, r):
        self.r = r

    def properties(self, of):
        some = {}
        while self.r.random() < 0.35:
            name = self.r.choice(PROPERTIES[of] if self.r.random() < 0.95 else list(mqtt.PROPERTIES))
            some[name] = self.value(mqtt.PROPERTIES[name][1])
        return some

    def value(self, kind):
        if kind in mqtt.SIZES:
            return self.r.choice([1, 1, 1, 0, 2, 10, self.r.randrange(256), 256 ** int(kind) - 1]) % 256 ** int(kind)
        if kind == "v":
            return self.r.choice([0, 1, 127, 128, 268435455])
        if kind == "p":
            return self.r.choice(GOOD), self.r.choice(TOPICS)
        return self.r.choice(GOOD)

    def connect(self, version):
        r = self.r
        will = None
        if r.random() < 0.3:
            will = {"topic": r.choice(TOPICS), "payload": os.urandom(r.randrange(20)), "qos": self.qos(), "retain": r.random() < 0.5,
                    "props": self.properties("will")}
        return connect("fuzz-%d" % r.randrange(40) if r.random() < 0.8 else r.choice(TOPICS), version, clean=r.random() < 0.5,
                       keepalive=r.choice([0, 1, 60, 65535]), will=will, username=r.choice(["u"] * 20 + [None, b"\xff"]),
                       password=r.choice([None, b"p" * r.randrange(50)]), **(self.properties(mqtt.CONNECT) if version == 5 else {}))

    def qos(self):
        return self.r.choice([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3])

    def any(self, version):
        r, kind = self.r, self.r.randrange(10)

        def p(of):
            return self.properties(of) if version == 5 else {}
        if kind < 4:
            return publish(r.choice(TOPICS), os.urandom(r.choice([0, 1, 10, 10, 200, 200, 3000, r.choice([100, 70000])])), self.qos(), r.randrange(1, 30),
                           r.random() < 0.3, r.random() < 0.2, version, **p(mqtt.PUBLISH))
        if kind < 6:
            return subscribe(r.randrange(1, 20), [(r.choice(FILTERS), options(r.randrange(3), r.random() < 0.2, r.random() < 0.2, r.randrange(3)))
                                              for _ in range(r.choice([1, 1, 1, 3, 30]))], version, **p(mqtt.SUBSCRIBE))
        if kind == 6:
            return unsubscribe(r.randrange(1, 20), [r.choice(FILTERS) for _ in range(r.choice([1, 1, 5]))], version, **p(mqtt.UNSUBSCRIBE))
        if kind == 7:
            return ack(r.choice([mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP]), r.randrange(30), r.choice([0, 0, 0x10, 0x80, 0x92, 7]),
                       version, **p(mqtt.PUBACK))
        if kind == 8:
            return r.choice([packet(mqtt.PINGREQ, 0, b"")] * 6 + [disconnect(r.choice([None, 0, 4, 0x99]), **p(mqtt.DISCONNECT)),
                                                                packet(mqtt.AUTH, 0, b"\x18\x00")])
        if r.random() < 0.8:
            return packet(mqtt.PINGREQ, 0, b"")
        return packet(r.randrange(16), r.randrange(16), os.urandom(r.randrange(40)))

    def broken(self, data):
        r, data = self.r, bytearray(data)
        for _ in range(r.choice([0, 0, 1, 1, 2, 8])):
            at = r.randrange(len(data)) if data else 0
            how = r.randrange(6)
            if how == 0 and data:
                data[at] ^= 1 << r.randrange(8)
            elif how == 1 and data:
                del data[at:at + r.choice([1, 2, 50])]
            elif how == 2:
                data[at:at] = os.urandom(r.choice([1, 4, 100]))
            elif how == 3:
                data[at:at] = data[at:at + r.choice([1, 10, 100])]
            elif how == 4 and data:
                data[at] = r.choice([0, 1, 0x7f, 0x80, 0xff])
            else:
                data += data[:r.randrange(200)]
        return bytes(data)

    def session(self):
        version = self.r.choice([3, 4, 4, 5, 5, 5])
        parts = [self.connect(version)] + [self.any(version) for _ in range(self.r.choice([0, 1, 3, 10, 40]))]
        if self.r.random() < 0.7:
            parts[self.r.randrange(len(parts))] = self.broken(self.r.choice(parts))
        return b"".join(parts)


class TcpPeer:
    def __init__(self, sock, hello=b""):
        self.sock = sock
        self.sock.settimeout(5)
        self.sock.sendall(hello)

    def say(self, r, data):
        while data:
            n = r.choice([1, 2, 7, 100, len(data), len(data)])
            self.sock.sendall(data[:n])
            data = data[n:]
            if r.random() < 0.05:
                time.sleep(0.001)


class WebSocketPeer:
    def __init__(self, port):
        self.sock = open_websocket(port).sock

    def say(self, r, data):
        while data:
            n = r.choice([0, 1, 100, len(data), len(data)])
            out = frame(data[:n], r.choice([2] * 12 + [0, 1, 8, 9, 10, 3, 15]), r.random() < 0.9, r.random() < 0.97)
            if r.random() < 0.05:
                out = os.urandom(r.randrange(1, 30)) if r.random() < 0.5 else out[:r.randrange(len(out))]
            self.sock.sendall(out)
            data = data[n:]
            if n == 0 and r.random() < 0.3:
                return


def take_what_comes(r, sock):
    if r.random() < 0.5 and select.select([sock], [], [], r.choice([0, 0, 0.01]))[0]:
        try:
            sock.recv(r.choice([1, 65536]))
        except OSError:
            pass


def resident_kib(pid):
    with open("/proc/%d/statm" % pid) as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


class Witness:
    """The client that has to notice nothing."""

    def __init__(self, port):
        self.c = Client(port)
        self.c.connect("witness", session_expiry=600)
        self.c.subscribe("witness/only", qos=2)
        self.count = 0

    def check(self):
        for qos in range(3):
            self.count += 1
            self.c.send(publish("witness/only", b"%d" % self.count, qos, 1))
            wanted = [set(), {mqtt.PUBACK}, {mqtt.PUBREC, mqtt.PUBCOMP, mqtt.PUBREL}][qos] | {mqtt.PUBLISH}
            while wanted:
                self.answer(self.c.recv(10), wanted)

    def answer(self, got, wanted):
        assert got.type in wanted, got
        wanted.remove(got.type)
        if got.type == mqtt.PUBLISH:
            assert got.payload == b"%d" % self.count, (got, self.count)
        if got.type == mqtt.PUBLISH and got.qos:
            self.c.ack(mqtt.PUBACK if got.qos == 1 else mqtt.PUBREC, got.id)
        if got.type in (mqtt.PUBREC, mqtt.PUBREL):
            self.c.ack(got.type + 1, got.id)


def proxy_header(r):
    """Version 2, for a TCP connection over IPv4; sometimes not quite."""
    header = b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x21, 0x11, 0, 12]) + os.urandom(12)
    return Maker(r).broken(header) if r.random() < 0.2 else header


def open_peer(r, ports, folder):
    """By one of the ways in."""
    way = r.choice(["port", "port", "port", "rules", "rules", "mounted", "tls", "websocket", "web", "web", "wss", "socket"])
    if way in ("websocket", "web"):
        return WebSocketPeer(ports[way])
    if way == "socket":
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(folder + "/socket")
        return TcpPeer(sock)
    sock = socket.create_connection(("127.0.0.1", ports[way]), 5)
    if way in ("tls", "wss") and r.random() < 0.9:
        sock = TLS.wrap_socket(sock)
    return TcpPeer(sock, proxy_header(r) if way == "mounted" else UPGRADE if way == "wss" else b"")


def one(r, maker, ports, folder, open_ones):
    try:
        peer = open_peer(r, ports, folder)
        peer.say(r, maker.session())
        take_what_comes(r, peer.sock)
    except (OSError, AssertionError, Refused):
        return
    open_ones.append(peer)
    while len(open_ones) > r.choice([5, 30, 100]):
        gone = open_ones.pop(r.randrange(len(open_ones)))
        try:
            take_what_comes(r, gone.sock)
        finally:
            gone.sock.close()


def start(w):
    ports = {name: free_port() for name in PORTS}
    openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
               "-keyout", w.path("key.pem"), "-out", w.path("cert.pem")]
    subprocess.run(openssl, check=True, capture_output=True)
    w.write("rules.yaml", RULES)
    plugins = os.path.join(os.path.dirname(WIREPOST), "plugins")
    config = w.write("w.yaml", CONFIG.format(folder=w.folder, plugins=plugins, **ports))
    return ports, w.start([WIREPOST, "run", "-c", config], ready="web: listening", port=ports["port"])


def main():
    r = random.Random(SEED)
    print("seed %d" % SEED, flush=True)
    with Workplace() as w:
        ports, broker = start(w)
        end, next_check, sessions, most, open_ones = time.monotonic() + SECONDS, 0, 0, 0, []
        witness, maker = Witness(ports["port"]), Maker(r)
        while time.monotonic() < end:
            one(r, maker, ports, w.folder, open_ones)
            sessions += 1
            if time.monotonic() < next_check:
                continue
            next_check = time.monotonic() + 0.5
            assert broker.running(), broker.log()[-5000:]
            witness.check()
            most = max(most, resident_kib(broker.process.pid))
            assert most < MOST_KIB, "%d KiB resident" % most
        for line in request(ports["web"], path="/metrics")[2].decode().split("\n"):
            if line.startswith("wirepost_broker_"):
                print(line)
        broker.stop()
        print("%d sessions in %.0f s, %d messages of the witness, at most %d KiB resident" % (sessions, SECONDS, witness.count, most))


main()
