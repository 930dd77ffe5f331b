#!/usr/bin/python3
"""Does a client that stops reading cost no more than the bounds say, however much passes by, and nobody else anything?"""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
# what was freed counts at once: the bounds here are of the broker, not of a sanitizer's quarantine
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1:malloc_context_size=0"
from lib.broker import run, start as start_broker
from lib.flood import Flood, Taker, resident_kib
from lib.mqtt import *

MB = 1000 * 1000
ROOM_MB = 24 # for message_bytes of 8 MB, what malloc rounds up and a sanitizer adds
program = None


def start(w, **settings):
    global program
    program, port = start_broker(w, **settings)
    return program, port


def stop_reading(port, qos, client_id="deaf", **connect):
    c = Client(port)
    c.connect(client_id, **connect)
    c.subscribe("load", qos=qos)
    return c


def pass_by(port, qos, total_mb, payload=1000, batch=50):
    """So much passes by; who reads gets all of it."""
    flood = Flood(port, "load", payload, qos)
    taker = Taker(port, flood)
    slowest = 0.0
    for _ in range(total_mb * MB // (payload * batch)):
        flood.send(batch)
        slowest = max(slowest, taker.take(batch))
        flood.wait_for_acks(batch)
    taker.client.ping()
    for c in flood.client, taker.client:
        c.disconnect()
    return slowest


def check(port, qos, deaf):
    before = resident_kib(program.process.pid)
    slowest = pass_by(port, qos, 60)
    grown = (resident_kib(program.process.pid) - before) * 1024 / MB
    print("    60 MB passed by: %.1f MB more resident, slowest batch %.0f ms" % (grown, slowest * 1000))
    assert grown < ROOM_MB, grown
    for c in deaf:
        c.kill()


def a_deaf_client_is_bounded_at_qos_0(port):
    check(port, 0, [stop_reading(port, 0)])


def a_deaf_client_is_bounded_at_qos_1(port):
    check(port, 1, [stop_reading(port, 1)])


def many_deaf_clients_are_bounded_together(port):
    check(port, 0, [stop_reading(port, 0, "deaf-%d" % i) for i in range(20)])
    check(port, 1, [stop_reading(port, 1, "deaf-%d" % i) for i in range(20)])


def clients_that_are_away_are_bounded_together(port):
    for i in range(20):
        stop_reading(port, 1, "away-%d" % i, session_expiry=1000).kill()
    check(port, 1, [])


def large_messages_are_bounded_too(port):
    deaf = [stop_reading(port, qos, "deaf-%d" % qos) for qos in (0, 1)]
    before = resident_kib(program.process.pid)
    pass_by(port, 1, 60, payload=200_000, batch=2)
    assert (resident_kib(program.process.pid) - before) * 1024 / MB < ROOM_MB
    for c in deaf:
        c.kill()


def packets_that_are_never_finished_are_bounded_together(port):
    before = resident_kib(program.process.pid)
    senders = [Client(port) for _ in range(40)]
    for i, c in enumerate(senders):
        c.connect("slow-%d" % i)
    part = publish("t", bytes(900_000), qos=1, id=1)
    closed = 0
    for at in range(0, 800_000, 50_000):
        for c in senders:
            try:
                c.send(part[at:at + 50_000])
            except OSError:
                closed += 1
                c.send = lambda data: None
    with Client(port) as other:
        other.connect("other")
        other.ping()
        other.publish("small", b"x", qos=1)
    grown = (resident_kib(program.process.pid) - before) * 1024 / MB
    print("    40 packets of 0.9 MB begun: %.1f MB more resident" % grown)
    assert grown < ROOM_MB, grown
    reasons = []
    finished = 0
    for c in senders:
        try:
            c.sock.sendall(part[800_000:])
            finished += c.expect(PUBACK).reason < 0x80
        except (OSError, Closed, AssertionError):
            pass
        c.kill()
    print("    %d of them could be finished" % finished)
    assert finished > 0


def a_client_that_reads_again_gets_what_was_kept_in_order(port):
    deaf = stop_reading(port, 1)
    pass_by(port, 1, 30)
    deaf.timeout = 2
    count = 0
    try:
        while True:
            p = deaf.recv()
            assert p.type == PUBLISH and len(p.payload) == 1000
            deaf.ack(PUBACK, p.id)
            count += 1
    except Timeout:
        pass
    print("    %d of 30000 were kept" % count)
    assert 1000 < count < 30000
    pass_by(port, 1, 1, payload=1000)
    deaf.kill()


def take_all(c, count):
    """A message of each topic, acknowledged; the last word on each comes last."""
    topics = {}
    new = False
    while len(topics) < count or not new:
        p = c.recv(30)
        if p.qos:
            c.ack(PUBACK, p.id)
        assert topics.get(p.topic) != b"new", p
        topics[p.topic] = p.payload
        new |= p.payload == b"new"


def take_retained(c, count):
    """All of them, each once, acknowledged."""
    topics = set()
    while len(topics) < count:
        p = c.recv(30)
        assert p.type == PUBLISH and p.retain and p.topic not in topics, p
        topics.add(p.topic)
        c.ack(PUBACK, p.id)


def retained_messages_wait_until_a_slow_client_takes_them(port):
    count = 10000
    with Client(port) as pub:
        pub.connect("pub")
        for first in range(0, count, 100):
            pub.send(b"".join(publish("r/%d" % i, bytes(1000), qos=1, id=i % 100 + 1, retain=True)
                              for i in range(first, first + 100)))
            for _ in range(100):
                assert pub.expect(PUBACK).reason < 0x80
    before = resident_kib(program.process.pid)
    slow = [(Client(port), qos) for qos in (0, 1) for _ in range(10)]
    for i, (c, qos) in enumerate(slow): # 10 MB for each, of which they take none
        c.connect("slow-%d" % i, session_expiry=100 if qos else 0)
        c.subscribe("r/#", qos=qos)
    with Client(port) as quick:
        quick.connect("quick")
        quick.subscribe("r/#", qos=1)
        take_retained(quick, count)
        grown = (resident_kib(program.process.pid) - before) * 1024 / MB
        print("    20 slow clients are owed 10 MB each: %.1f MB more resident" % grown)
        assert grown < ROOM_MB, grown
    with Client(port) as pub: # replaces one of those that wait, and those are not to come after it
        pub.connect("pub")
        pub.publish("r/%d" % (count - 1), b"new", qos=1, retain=True)
    for c, qos in slow[:2] + slow[-2:]:
        take_all(c, count)
    for c, qos in slow:
        c.kill()


def a_client_that_goes_while_it_is_sent_retained_messages_finds_them_later(port):
    with Client(port) as c:
        c.connect("leaves", session_expiry=100, receive_maximum=5)
        c.subscribe("r/#", qos=1)
        taken = {c.expect(PUBLISH).topic for _ in range(5)}
    with Client(port) as c:
        c.connect("leaves", clean=False, session_expiry=100)
        got = set()
        while len(got) < 100: # what the queue may hold
            p = c.expect(PUBLISH)
            got.add(p.topic)
            c.ack(PUBACK, p.id)
        assert taken <= got


if __name__ == "__main__":
    bounds = {"message_bytes": "8MB", "queued_bytes": "6MB"}
    run(a_deaf_client_is_bounded_at_qos_0, a_deaf_client_is_bounded_at_qos_1, many_deaf_clients_are_bounded_together,
        clients_that_are_away_are_bounded_together, large_messages_are_bounded_too,
        packets_that_are_never_finished_are_bounded_together, a_client_that_reads_again_gets_what_was_kept_in_order,
        start=start, **bounds)
    run(retained_messages_wait_until_a_slow_client_takes_them,
        a_client_that_goes_while_it_is_sent_retained_messages_finds_them_later, start=start,
        queued_bytes="1MB", queued_messages=200, inflight=20)
