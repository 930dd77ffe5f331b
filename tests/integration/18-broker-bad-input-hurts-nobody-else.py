#!/usr/bin/python3
"""Does a malformed packet close its own connection, with the right reason, and nothing else?"""
import os
import random
import resource
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run, start
from lib.mqtt import *
from lib.programs import Workplace

MALFORMED, PROTOCOL = 0x81, 0x82

# name, bytes, reason for MQTT 5, whether MQTT 3.1.1 refuses it too
BAD = [
    ("reserved type", b"\0\0", MALFORMED, True),
    ("length of five bytes", b"\x30\xff\xff\xff\xff\x01", MALFORMED, True),
    ("PINGREQ with flags", b"\xc1\0", MALFORMED, True),
    ("PINGREQ with a body", b"\xc0\1x", MALFORMED, True),
    ("SUBSCRIBE without its flag", b"\x80" + subscribe(1, [("a", 0)])[1:], MALFORMED, True),
    ("SUBSCRIBE of nothing", packet(SUBSCRIBE, 2, b"\0\1\0"), PROTOCOL, False),
    ("PUBREL without its flag", b"\x60\2\0\1", MALFORMED, True),
    ("QoS 3", b"\x36" + publish("a", b"x", qos=1, id=1)[1:], MALFORMED, True),
    ("DUP at QoS 0", b"\x38\4\0\1a\0", MALFORMED, True),
    ("packet id 0", publish("a", b"", qos=1, id=0), None, False),
    ("wildcard in a topic", publish("a/+", b""), 0x90, False),
    ("topic that is not UTF-8", publish(b"\xff\xfe", b""), MALFORMED, False),
    ("topic with U+0000", publish(b"a\0b", b""), MALFORMED, False),
    ("second CONNECT of an unknown version", packet(CONNECT, 0, text("MQTT") + b"\x09\2\0\0\0\0"), PROTOCOL, True),
    ("CONNACK from a client", b"\x20\3\0\0\0", PROTOCOL, False),
    ("SUBACK from a client", b"\x90\4\0\1\0\0", PROTOCOL, False),
    ("UNSUBACK from a client", b"\xb0\4\0\1\0\0", PROTOCOL, False),
    ("PINGRESP from a client", b"\xd0\0", PROTOCOL, True),
    ("AUTH without a method", b"\xf0\0", PROTOCOL, True),
    ("property that has no place here", packet(PUBLISH, 0, b"\0\1a\5\x11\0\0\0\1"), None, False),
    ("property given twice", packet(PUBLISH, 0, b"\0\1a\4\1\0\1\0"), PROTOCOL, False),
    ("property of an unknown kind", packet(PUBLISH, 0, b"\0\1a\2\x7f\0"), MALFORMED, False),
    ("property block longer than the packet", packet(PUBLISH, 0, b"\0\1a\x50\1\0"), MALFORMED, False),
    ("subscription id in a PUBLISH", publish("a", b"", subscription_id=1), None, False),
    ("SUBSCRIBE with reserved options", subscribe(1, [("a", 0xC0)]), None, False),
    ("retain handling 3", subscribe(1, [("a", 0x30)]), None, False),
    ("DISCONNECT with flags", b"\xe1\0", MALFORMED, True),
]


def each_malformed_packet_gets_its_reason(port):
    with Client(port) as witness:
        witness.connect("witness")
        for name, data, reason, old_too in BAD:
            for version in (5, 4) if old_too else (5,):
                with Client(port, version) as c:
                    c.connect("bad")
                    c.send(data)
                    got = c.expect_closed()
                    assert version == 4 or got is not None and (reason is None or got == reason), (name, version, got)
                    if version == 5 and reason is None:
                        assert got in (MALFORMED, PROTOCOL), (name, got)
            witness.ping()


def a_malformed_connect_is_answered_or_closed(port):
    good = connect("x")
    bad = {
        "reserved flag": good[:9] + bytes([good[9] | 1]) + good[10:],
        "will QoS without a will": good[:9] + bytes([good[9] | 8]) + good[10:],
        "cut short": good[:1] + bytes([good[1] - 1]) + good[2:-1],
        "trailing bytes": good[:1] + bytes([good[1] + 1]) + good[2:] + b"x",
        "receive maximum 0": connect("x", receive_maximum=0),
        "authentication data without a method": connect("x", auth_data=b"x"),
    }
    for name, data in bad.items():
        with Client(port) as c:
            c.send(data)
            assert c.expect_closed() in (MALFORMED, PROTOCOL), name
    with Client(port, 4) as c:
        old = connect("x", 4)
        c.send(old[:9] + bytes([old[9] | 1]) + old[10:])
        assert c.expect_closed() is None


def random_bytes_stop_nothing(port):
    rng = random.Random(7)
    with Client(port) as witness:
        witness.connect("witness")
        for i in range(300):
            with Client(port, 5) as c:
                if i % 3:
                    c.connect("noise")
                try:
                    c.send(rng.randbytes(rng.randrange(1, 300)))
                except OSError:
                    pass
            if i % 50 == 0:
                witness.ping()


def damaged_packets_stop_nothing(port):
    rng = random.Random(8)
    samples = [connect("fuzz", session_expiry=5, will=dict(topic="w", payload=b"x", props={"will_delay": 1})),
               publish("a/b", b"xyz", qos=2, id=3, retain=True, topic_alias=1, user=("a", "b"), message_expiry=5),
               subscribe(1, [("a/+", 1), ("#", 2)], subscription_id=7), unsubscribe(2, ["#"]), ack(PUBREL, 3), ack(PUBREC, 1, 0x92),
               disconnect(4, session_expiry=1)]
    for i in range(600):
        with Client(port) as c:
            data = bytearray(b"".join(rng.sample(samples, 4)) if i % 2 else samples[0] + samples[1])
            if i % 2:
                c.connect("fuzz%d" % (i % 5), clean=False, session_expiry=2)
            for _ in range(rng.randrange(1, 4)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            try:
                c.send(bytes(data))
                c.recv(0.005)
            except (OSError, Closed, Timeout):
                pass
            except (ValueError, UnicodeDecodeError, KeyError) as e:
                raise AssertionError("the broker sent what cannot be read: %r" % e)
    with Client(port) as c:
        c.connect("witness")
        c.ping()


def a_reason_reaches_a_client_that_is_still_sending(port):
    for _ in range(20):
        with Client(port) as c:
            c.connect("floods")
            c.sock.setblocking(True)
            try:
                c.sock.sendall(b"\xc1\0" + bytes(300_000))
            except OSError:
                pass
            assert c.expect_closed() == MALFORMED


def running_out_of_descriptors_is_survived():
    with Workplace() as w:
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
        broker, port = start(w, preexec_fn=limit)
        clients = []
        for i in range(60):
            clients.append(Client(port, timeout=1))
            clients[-1].send(connect("c%d" % i))
        broker.wait_for_log("cannot accept")
        before = cpu_s(broker)
        time.sleep(1)
        spent = cpu_s(broker) - before
        assert spent < 0.2, "spins: %.2f s of CPU in 1 s" % spent
        clients[0].expect(CONNACK)
        clients[0].ping()
        for c in clients[:30]:
            c.kill()
        clients[59].timeout = 5
        clients[59].expect(CONNACK)
        assert broker.log().count("cannot accept") < 5
        for c in clients:
            c.kill()
        broker.stop()
    print("ok: running out of descriptors is survived")


def cpu_s(broker):
    with open("/proc/%d/stat" % broker.process.pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    run(each_malformed_packet_gets_its_reason, a_malformed_connect_is_answered_or_closed, random_bytes_stop_nothing,
        damaged_packets_stop_nothing, a_reason_reaches_a_client_that_is_still_sending)
    running_out_of_descriptors_is_survived()
