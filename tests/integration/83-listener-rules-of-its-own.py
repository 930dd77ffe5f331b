#!/usr/bin/python3
"""Does what a listener says of itself hold for its own clients alone?

A mount, limits, a socket instead of a port, a proxy that tells whom it stands for.
"""
import os
import socket
import stat
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from lib.mqtt import *
from lib.programs import WIREPOST, Workplace, free_port, wait_for
from lib.ws import open_websocket

CONFIG = """
web: {{enabled: false}}
log: {{level: debug}}
broker:
  limits: {{packet_bytes: 8KiB, inflight: 7}}
  sys_interval: 1s
  listeners:
    - {{port: {plain}}}
    - {{port: {cell}, mount: plant/cell/}}
    - {{port: {small}, limits: {{packet_bytes: 2KiB}}}}
    - {{path: mqtt.sock, mode: "0600"}}
    - {{port: {proxied}, proxy_protocol: true, allow_anonymous: true}}
    - {{port: {strict}, proxy_protocol: true}}
    - {{port: {ws}, proxy_protocol: true, protocol: websocket, allow_anonymous: true}}
    - {{path: cell.sock, mount: plant/cell/, limits: {{inflight: 3}}}}
"""


class Place:
    def __init__(self, w):
        self.w = w
        self.plain, self.cell, self.small, self.proxied, self.strict, self.ws = (free_port() for _ in range(6))
        self.config = self.write()
        self.program = w.start([WIREPOST, "run", "-c", self.config], ready="broker running")

    def write(self, *changes):
        text = CONFIG.format(**{k: v for k, v in vars(self).items() if isinstance(v, int)})
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return self.w.write("wirepost.yaml", text)

    def unix(self, name, version=5):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.w.path(name))
        return Client(0, version, sock=UnixSocket(sock))


class UnixSocket:
    """lib.mqtt sets TCP_NODELAY."""

    def __init__(self, sock):
        self.sock = sock

    def __getattr__(self, name):
        return getattr(self.sock, name)

    def setsockopt(self, *args):
        pass


def topics_of_a_mounted_client_have_its_prefix_for_all_others(p):
    with Client(p.plain) as out, Client(p.cell) as cell, Client(p.cell, version=4) as old:
        out.connect("out")
        out.subscribe("#")
        cell.connect("cell")
        old.connect("old")
        cell.subscribe("#", qos=2)
        old.subscribe("+/on", qos=1)
        cell.send(publish("pump/on", b"1", qos=1, id=9))
        out.expect_publish("plant/cell/pump/on", b"1")
        cell.ack(PUBACK, cell.expect_publish("pump/on", b"1", qos=1).id)
        assert cell.expect(PUBACK).id == 9
        old.ack(PUBACK, old.expect_publish("pump/on", b"1", qos=1).id)
        out.send(publish("pump/on", b"not for the cell"))
        out.send(publish("plant/cell/pump/on", b"from out", qos=1, id=1))
        cell.ack(PUBACK, cell.expect_publish("pump/on", b"from out", qos=1).id)
        old.ack(PUBACK, old.expect_publish("pump/on", b"from out", qos=1).id)
        cell.expect_nothing(0.1)


def aliases_and_response_topics_stay_the_clients_own(p):
    with Client(p.plain) as out, Client(p.cell) as cell, Client(p.cell) as other:
        for c, name in ((out, "out"), (cell, "cell"), (other, "other")):
            c.connect(name)
        out.subscribe("#")
        other.subscribe("ask")
        cell.send(publish("ask", b"1", topic_alias=3, response_topic="answer"))
        cell.send(publish("", b"2", topic_alias=3, response_topic="answer"))
        for payload in (b"1", b"2"):
            assert other.expect_publish("ask", payload).props["response_topic"] == "answer"
            assert out.expect_publish("plant/cell/ask", payload).props["response_topic"] == "answer"


def shared_subscriptions_and_unsubscribing_know_the_mount(p):
    with Client(p.plain) as out, Client(p.cell) as a, Client(p.cell) as b:
        for c, name in ((out, "out"), (a, "a"), (b, "b")):
            c.connect(name)
        a.subscribe("$share/g/work/#")
        b.subscribe("$share/g/work/#")
        for i in range(10):
            out.publish("plant/cell/work/%d" % i, b"x", qos=1)
            out.publish("work/%d" % i, b"y", qos=1)
        got = []
        for c in (a, b):
            mine = []
            while True:
                try:
                    mine.append(c.recv(0.3))
                except Timeout:
                    break
            assert mine and all(m.topic.startswith("work/") and m.payload == b"x" for m in mine), mine
            got += mine
        assert sorted(m.topic for m in got) == ["work/%d" % i for i in range(10)], got
        a.unsubscribe("$share/g/work/#")
        b.unsubscribe("$share/g/work/#")
        out.publish("plant/cell/work/last", b"x", qos=1)
        a.expect_nothing(0.1)
        b.expect_nothing(0.1)


def wills_and_retained_messages_are_mounted(p):
    with Client(p.plain) as out:
        out.connect("out")
        out.subscribe("plant/cell/#")
        cell = Client(p.cell)
        cell.connect("willing", will=dict(topic="gone", payload=b"w", qos=1))
        cell.publish("kept", b"k", qos=1, retain=True)
        out.expect_publish("plant/cell/kept", b"k")
        cell.kill()
        out.expect_publish("plant/cell/gone", b"w")
        with Client(p.cell) as again:
            again.connect("again")
            again.subscribe("#")
            again.expect_publish("kept", b"k", retain=True)
            again.send(publish("kept", b"", retain=True))
            again.expect_publish("kept", b"")


def what_is_wrong_stays_wrong_with_a_mount(p):
    with Client(p.cell) as c:
        c.connect("wrong")
        c.subscribe("x" * 500, codes=[0])
        c.send(subscribe(2, [("a/#/b", 0)]))
        c.expect_closed()
    with Client(p.cell) as c:
        c.connect("wrong")
        c.send(publish("a/+", b""))
        c.expect_closed()
    with Client(p.cell) as c:
        c.connect("long")
        c.send(publish("x" * 500, b"", qos=1, id=1))
        assert c.expect(PUBACK).id == 1


def dollar_sys_is_not_mounted(p):
    with Client(p.cell) as c:
        c.connect("sys")
        c.subscribe("$SYS/broker/uptime")
        c.expect_publish("$SYS/broker/uptime")


def messages_queued_for_a_mounted_session_are_stripped_when_it_returns(p):
    with Client(p.plain) as out:
        out.connect("out")
        with Client(p.cell) as c:
            c.connect("away", session_expiry=100)
            c.subscribe("q/#", qos=1)
        out.publish("plant/cell/q/1", b"1", qos=1)
        with Client(p.cell) as c:
            c.connect("away", clean=False)
            c.expect_publish("q/1", b"1", qos=1)


def mosquitto_clients_see_the_same(p):
    sub = subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", "-p", str(p.cell), "-t", "m/#", "-C", "2", "-W", "20",
                            "-F", "%t %p", "-d"],
                           stdout=subprocess.PIPE, text=True)
    try:
        said = ""
        while "SUBACK" not in said:
            said = sub.stdout.readline()
            assert said, "mosquitto_sub ended"
        for args in (["--unix", p.w.path("cell.sock"), "-t", "m/a"], ["-p", str(p.plain), "-t", "plant/cell/m/b"]):
            subprocess.run(["mosquitto_pub", *args, "-m", "1", "-q", "1"], check=True, timeout=20)
        got = [line for line in sub.communicate(timeout=20)[0].split("\n") if line.startswith("m/")]
        assert got == ["m/a 1", "m/b 1"], got
    finally:
        sub.kill()
        sub.wait()


def limits_of_a_listener_are_its_own(p):
    told = {}
    for name, port in (("plain", p.plain), ("small", p.small)):
        with Client(port) as c:
            told[name] = c.connect("l").props
    with p.unix("cell.sock") as c:
        told["cell"] = c.connect("l").props
    print("told:", {n: (t.get("maximum_packet_size"), t.get("receive_maximum")) for n, t in told.items()})
    assert told["plain"]["maximum_packet_size"] == 8192 and told["plain"]["receive_maximum"] == 7
    assert told["small"]["maximum_packet_size"] == 2048 and told["small"]["receive_maximum"] == 7
    assert told["cell"]["maximum_packet_size"] == 8192 and told["cell"]["receive_maximum"] == 3
    with Client(p.small) as c:
        c.connect("l")
        c.send(publish("t", b"x" * 3000))
        c.expect_closed()


def a_unix_socket_serves_whom_its_mode_lets_in(p):
    path = p.w.path("mqtt.sock")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with p.unix("mqtt.sock") as a, p.unix("mqtt.sock", version=4) as b:
        a.connect("ua")
        b.connect("ub")
        b.subscribe("u", qos=1)
        a.publish("u", b"x" * 5000, qos=1)
        b.expect_publish("u", b"x" * 5000)
    bad = p.unix("mqtt.sock")
    bad.send(publish("t", b"before CONNECT"))
    bad.expect_closed()


SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def header(source="192.0.2.7", port=50000, command=0x21, family=None, body=None, records=b""):
    kind = socket.AF_INET6 if ":" in source else socket.AF_INET
    if body is None:
        body = socket.inet_pton(kind, source) * 2 + struct.pack("!HH", port, 1883) + records
    family = (0x21 if kind == socket.AF_INET6 else 0x11) if family is None else family
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", len(body)) + body


def behind(p, first, port=None, version=5):
    c = Client(port or p.proxied, version)
    c.send(first)
    return c


def clients_behind_a_proxy_are_known_by_their_own_address(p):
    records = b"\x02\0\x05plant" + b"\x20\0\x05\x01\0\0\0\0"
    for first, name in ((header(), "192.0.2.7:50000"), (header("2001:db8::7", 1), "[2001:db8::7]:1"),
                        (header(port=7, records=records), "192.0.2.7:7"), (header(command=0x20, family=0, body=b""), "127.0.0.1:"),
                        (header(family=0, body=b"anything"), "behind 127.0.0.1:"),
                        (header(family=0x31, body=b"/run/x".ljust(216, b"\0")), "behind 127.0.0.1:")):
        before = len(p.program.log())
        with behind(p, first) as c:
            c.connect("behind")
            assert "broker: %s" % name in p.program.log()[before:], p.program.log()[before:]
    with behind(p, b"") as c:  # a byte at a time, and MQTT right behind it
        for byte in header():
            c.send(bytes([byte]))
        c.connect("slow")
        c.ping()
    with behind(p, header() + connect("at once")) as c:
        c.expect(CONNACK)


def only_who_is_of_this_machine_may_be_anonymous_behind_a_proxy(p):
    for first, welcome in ((header("127.0.0.1"), True), (header(command=0x20, family=0, body=b""), True), (header(), False),
                           (header(family=0, body=b""), False), (header(family=0x31, body=bytes(216)), False)):
        with behind(p, first, p.strict) as c:
            c.send(connect("anybody"))
            assert (c.expect(CONNACK).reason == 0) == welcome, first


def without_a_right_header_a_proxys_port_is_closed(p):
    def refused(what, first, why, then=b""):
        before = len(p.program.log())
        c = behind(p, first + then)
        try:
            c.expect_closed(timeout=3)
        except ConnectionResetError:
            pass
        c.sock.close()
        wait_for(lambda: why in p.program.log()[before:], 5, "%s: %r in %s" % (what, why, p.program.log()[before:]))

    none, malformed = "no PROXY header, though", "its PROXY header is malformed"
    refused("MQTT", connect("x"), none)
    refused("HTTP", b"GET /mqtt HTTP/1.1\r\n\r\n", none)
    refused("version 1", b"PROXY TCP4 192.0.2.7 192.0.2.1 50000 1883\r\n", "version 1: this listener takes version 2")
    refused("version 1, cut", b"PROXY ", "version 1: this listener takes version 2")
    refused("version 3", header(command=0x31), none)
    refused("command 2", header(command=0x22), malformed, connect("x"))
    refused("UDP", header(family=0x12), malformed, connect("x"))
    refused("family 4", header(family=0x41), malformed, connect("x"))
    refused("short", header(body=b"x" * 11), malformed, connect("x"))
    refused("IPv6 with the bytes of IPv4", header(family=0x21), malformed, connect("x"))
    refused("half a record", header(records=b"\x02\0"), malformed, connect("x"))
    refused("a record too long", header(records=b"\x02\xff\xffx"), malformed, connect("x"))
    refused("a length of 65535", SIGNATURE + b"\x21\x11\xff\xff", none)
    for cut in (0, 1, 11, 15, 20, 27):
        c = behind(p, header()[:cut])
        c.sock.close()
    slow = behind(p, header()[:20])
    slow.expect_closed(timeout=10)
    assert "no PROXY header within 5 s" in p.program.log()


def a_header_goes_before_http_too(p):
    ws = open_websocket(p.ws, first=header("192.0.2.9"))
    with Client(0, sock=ws) as c:
        c.connect("over ws")
        assert "broker: 192.0.2.9:50000" in p.program.log()
        c.ping()


def a_reload_with_another_mount_takes_its_clients_along(p):
    with Client(p.plain) as stays, Client(p.cell) as goes:
        stays.connect("stays")
        goes.connect("goes")
        p.write(("{port: %d, mount: plant/cell/}" % p.cell, "{port: %d, mount: hall/}" % p.cell), ("- {path: mqtt.sock", "- {path: moved.sock"))
        p.program.process.send_signal(1)
        goes.expect_closed()
        wait_for(lambda: os.path.exists(p.w.path("moved.sock")) and not os.path.exists(p.w.path("mqtt.sock")), 5, "the socket to move")
        stays.subscribe("#")
        with Client(p.cell) as c:
            c.connect("new")
            c.publish("x", b"1", qos=1)
        stays.expect_publish("hall/x", b"1")


def a_dead_socket_is_replaced_and_nothing_else(w):
    port = free_port()
    path = w.path("s.sock")
    config = w.write("unix.yaml", "broker: {listeners: [{port: %d}, {path: s.sock}]}\n" % port)

    dead = socket.socket(socket.AF_UNIX)
    dead.bind(path)
    dead.close()
    program = w.start([WIREPOST, "run", "-c", config], ready="broker running")
    assert "listening on " + path in program.log()

    second = w.write("second.yaml", "broker: {listeners: [{port: %d}, {path: s.sock}]}\n" % free_port())
    refused = w.start([WIREPOST, "run", "-c", second])
    refused.process.wait(10)
    print(refused.log().strip().splitlines()[-1])
    assert refused.process.returncode != 0 and "another process listens there" in refused.log()
    socket.socket(socket.AF_UNIX).connect(path)  # still the first one's
    program.stop()
    assert not os.path.exists(path), "the socket was left"

    with open(path, "w") as f:
        f.write("precious")
    refused = w.start([WIREPOST, "run", "-c", config])
    refused.process.wait(10)
    assert refused.process.returncode != 0 and "no socket" in refused.log(), refused.log()
    assert open(path).read() == "precious"
    os.unlink(path)

    grouped = w.write("group.yaml", "broker: {listeners: [{path: s.sock, group: no-such-group-here}]}\n")
    refused = w.start([WIREPOST, "run", "-c", grouped])
    refused.process.wait(10)
    assert refused.process.returncode != 0 and "there is no such group" in refused.log(), refused.log()
    assert not os.path.exists(path)


with Workplace() as w:
    place = Place(w)
    only = sys.argv[1:]
    for check in (topics_of_a_mounted_client_have_its_prefix_for_all_others,
                  aliases_and_response_topics_stay_the_clients_own,
                  shared_subscriptions_and_unsubscribing_know_the_mount,
                  wills_and_retained_messages_are_mounted,
                  what_is_wrong_stays_wrong_with_a_mount,
                  dollar_sys_is_not_mounted,
                  messages_queued_for_a_mounted_session_are_stripped_when_it_returns,
                  mosquitto_clients_see_the_same,
                  limits_of_a_listener_are_its_own,
                  a_unix_socket_serves_whom_its_mode_lets_in,
                  clients_behind_a_proxy_are_known_by_their_own_address,
                  only_who_is_of_this_machine_may_be_anonymous_behind_a_proxy,
                  without_a_right_header_a_proxys_port_is_closed,
                  a_header_goes_before_http_too,
                  a_reload_with_another_mount_takes_its_clients_along):
        if not only or check.__name__ in only:
            check(place)
            print("ok: " + check.__name__.replace("_", " "), flush=True)
    place.program.stop()
    if not only or "a_dead_socket_is_replaced_and_nothing_else" in only:
        a_dead_socket_is_replaced_and_nothing_else(w)
        print("ok: a dead socket is replaced and nothing else")
