#!/usr/bin/python3
"""Is each limit kept, the offender told, everybody else left in peace, and it all counted?"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run
from lib.mqtt import *

QUICK = {"sys_interval": "50ms"}


def counter(port, name, at_least=1):
    """What $SYS/wirepost/NAME says, once that is so many."""
    with Client(port) as c:
        c.connect()
        c.subscribe("$SYS/wirepost/" + name)
        end = time.monotonic() + 10
        value = 0
        while value < at_least:
            assert time.monotonic() < end, "%s is %d, not %d" % (name, value, at_least)
            value = int(c.expect(PUBLISH).payload)
        return value


def count(port, name):
    return counter(port, name, 0)


def numbers(first, end):
    return [b"%d" % i for i in range(first, end)]


def drain(c):
    """Takes and acknowledges what comes, until nothing does for a while."""
    got = []
    try:
        while True:
            p = c.recv(0.5)
            assert p.type == PUBLISH, p
            got.append(p.payload)
            if p.qos == 1:
                c.ack(PUBACK, p.id)
    except Timeout:
        return got


def fill_queue_of(port, client_id, count):
    """Publishes so many to a client that is away."""
    with Client(port) as c:
        c.connect(client_id, session_expiry=100)
        c.subscribe("q/" + client_id, qos=1)
    with Client(port) as pub:
        pub.connect()
        for n in numbers(0, count):
            assert pub.publish("q/" + client_id, n, qos=1).reason == 0
    c = Client(port)
    c.connect(client_id, clean=False, session_expiry=100)
    return drain(c)


def a_full_queue_loses_its_oldest(port):
    before = count(port, "dropped/queue_full")
    assert fill_queue_of(port, "away", 25) == numbers(15, 25)
    counter(port, "dropped/queue_full", before + 15)


def a_full_queue_takes_nothing_new(port):
    before = count(port, "dropped/queue_full")
    assert fill_queue_of(port, "away", 25) == numbers(0, 10)
    counter(port, "dropped/queue_full", before + 15)


def a_slow_client_is_disconnected_with_quota_exceeded(port):
    for version, reason in ((5, 0x97), (4, None)):
        before = count(port, "limits/slow_consumers")
        with Client(port, version) as slow, Client(port) as other, Client(port) as pub:
            slow.connect("slow", **({"session_expiry": 100} if version == 5 else {"clean": False}))
            slow.subscribe("t", qos=1)
            other.connect("other")
            other.subscribe("t", qos=1)
            pub.connect("pub")
            for n in numbers(0, 30):
                assert pub.publish("t", n, qos=1).reason == 0
                other.ack(PUBACK, other.expect_publish("t", n).id)
            got = [slow.expect_publish("t", n).payload for n in numbers(0, 4)]
            assert slow.expect_closed() == reason
        counter(port, "limits/slow_consumers", before + 1)
        with Client(port, version) as slow:
            slow.connect("slow", clean=False)
            again = drain(slow)
            assert again[:4] == got, again # what is in flight comes again, then the newest ten
            assert again[4:] == numbers(20, 30), again
            slow.unsubscribe("t")


def bytes_in_flight_are_bounded(port):
    with Client(port) as sub, Client(port) as pub:
        sub.connect("sub")
        sub.subscribe("b", qos=1)
        pub.connect("pub")
        for i in range(10):
            pub.publish("b", b"%d" % i + bytes(3000), qos=1)
        got = [sub.expect_publish("b") for _ in range(4)] # the fourth goes over 10 000
        sub.expect_nothing()
        pub.publish("b", b"quick", qos=0) # which needs no acknowledgement
        sub.expect_publish("b", b"quick")
        for i in range(10):
            sub.ack(PUBACK, got.pop(0).id)
            if i < 6:
                got.append(sub.expect_publish("b"))
                assert got[-1].payload.startswith(b"%d" % (i + 4))


def one_message_of_any_size_is_always_in_flight(port):
    with Client(port) as sub, Client(port) as pub:
        sub.connect("sub", session_expiry=100)
        sub.subscribe("b", qos=1)
        pub.connect("pub")
        for i in range(3):
            pub.publish("b", b"%d" % i + bytes(30000), qos=1)
        sub.expect_publish("b")
        sub.expect_nothing()
    with Client(port) as sub: # and comes again
        sub.connect("sub", clean=False)
        for i in range(3):
            p = sub.expect_publish("b")
            assert p.payload.startswith(b"%d" % i)
            sub.ack(PUBACK, p.id)


if __name__ == "__main__":
    run(a_full_queue_loses_its_oldest, queued_messages=10, **QUICK)
    run(a_full_queue_takes_nothing_new, queued_messages=10, on_full="drop-newest", **QUICK)
    run(a_slow_client_is_disconnected_with_quota_exceeded, queued_messages=10, inflight=4, on_full="disconnect", **QUICK)
    run(bytes_in_flight_are_bounded, one_message_of_any_size_is_always_in_flight, inflight_bytes="10kB", **QUICK)
