#!/usr/bin/python3
"""Is a publisher told that its message is safe only once it is, in order, and told the truth when it is not?

The broker alone has a tap on hold/# that keeps each message; a message to `release` lets the oldest
go well, one to `refuse` reports that it could not be kept.
"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run, start_holding
from lib.mqtt import *


def settle(port, *how):
    with Client(port) as c:
        c.connect("settler")
        for topic in how:
            c.publish(topic, b"", qos=1)
        c.disconnect()


def the_acknowledgement_waits(port):
    for version in (4, 5):
        with Client(port, version) as c:
            c.connect("pub")
            c.send(publish("hold/a", b"", qos=1, id=1, version=version))
            c.send(publish("hold/a", b"", qos=2, id=2, version=version))
            c.expect_nothing(0.2)
            c.ping()
            settle(port, "release")
            assert c.expect(PUBACK).id == 1
            c.expect_nothing(0.1)
            settle(port, "release")
            assert c.expect(PUBREC).id == 2
            c.ack(PUBREL, 2)
            c.expect(PUBCOMP)


def other_receivers_do_not_wait(port):
    with Client(port) as sub, Client(port) as c:
        sub.connect("sub")
        sub.subscribe("hold/#", qos=1)
        c.connect("pub")
        c.send(publish("hold/a", b"now", qos=1, id=1))
        sub.expect_publish("hold/a", b"now")
        c.expect_nothing(0.1)
        settle(port, "release")
        assert c.expect(PUBACK).reason == 0


def acknowledgements_keep_their_order(port):
    with Client(port) as c:
        c.connect("pub")
        c.send(publish("hold/a", b"", qos=1, id=1) + publish("free", b"", qos=1, id=2) + publish("hold/b", b"", qos=1, id=3) +
               publish("$SYS/x", b"", qos=1, id=5) + publish("free", b"", qos=2, id=4) + publish("free", b"", qos=2, id=4, dup=True))
        c.expect_nothing(0.2)
        settle(port, "release")
        assert c.expect(PUBACK).id == 1
        p = c.expect(PUBACK)
        assert (p.id, p.reason) == (2, 0x10)
        c.expect_nothing(0.1)
        settle(port, "release")
        assert c.expect(PUBACK).id == 3
        p = c.expect(PUBACK)
        assert (p.id, p.reason) == (5, 0x87)
        assert c.expect(PUBREC).id == 4


def a_message_that_is_not_kept_is_refused(port):
    with Client(port) as c:
        c.connect("pub")
        c.send(publish("hold/a", b"", qos=1, id=1) + publish("hold/b", b"", qos=2, id=2) + publish("free", b"", qos=1, id=3))
        settle(port, "refuse", "refuse")
        p = c.expect(PUBACK)
        assert (p.id, p.reason) == (1, 0x97)
        p = c.expect(PUBREC)
        assert (p.id, p.reason) == (2, 0x97)
        assert c.expect(PUBACK).id == 3
        # the id is free: the same one is a new message
        c.send(publish("hold/b", b"", qos=2, id=2))
        c.expect_nothing(0.1)
        settle(port, "release")
        assert c.expect(PUBREC).reason == 0


def before_mqtt_5_the_connection_is_closed_instead(port):
    for qos in (1, 2):
        with Client(port, 4) as c:
            c.connect("old", clean=False)
            c.send(publish("hold/a", b"", qos=qos, id=1, version=4))
            settle(port, "refuse")
            assert c.expect_closed() is None
        with Client(port, 4) as c:
            c.connect("old", clean=False)
            c.send(publish("hold/a", b"", qos=qos, id=1, dup=True, version=4))
            c.expect_nothing(0.1)
            settle(port, "release")
            assert c.expect(PUBACK if qos == 1 else PUBREC).id == 1
    with Client(port, 4) as c:
        c.connect("old", clean=True)


def a_publisher_that_left_is_no_harm(port):
    for qos in (0, 1, 2):
        for expiry in (0, 100):
            with Client(port) as c:
                c.connect("gone", session_expiry=expiry)
                c.send(publish("hold/a", b"", qos=qos, id=qos and 1))
                c.ping()
                c.kill()
            settle(port, "release")
    with Client(port) as c:
        c.connect("gone", clean=True)


def a_publisher_that_comes_back_finds_its_acknowledgement(port):
    with Client(port) as sub:
        sub.connect("sub")
        sub.subscribe("hold/#")
        with Client(port) as c:
            c.connect("back", session_expiry=100)
            c.send(publish("hold/a", b"", qos=2, id=9))
            c.ping()
            c.kill()
        with Client(port) as c:
            assert c.connect("back", clean=False, session_expiry=100).session_present
            c.send(publish("hold/a", b"", qos=2, id=9, dup=True))
            c.expect_nothing(0.2)
            settle(port, "release")
            assert c.expect(PUBREC).id == 9
            c.send(publish("hold/a", b"", qos=2, id=9, dup=True))
            assert c.expect(PUBREC).reason == 0
            c.ack(PUBREL, 9)
            assert c.expect(PUBCOMP).reason == 0
        sub.expect_publish("hold/a")
        sub.expect_nothing(0.1)


def settled_while_away_counts_as_received(port):
    with Client(port) as c:
        c.connect("away", session_expiry=100)
        c.send(publish("hold/a", b"", qos=2, id=9) + publish("hold/b", b"", qos=2, id=10))
        c.ping()
        c.kill()
    settle(port, "release", "refuse")
    with Client(port) as sub, Client(port) as c:
        sub.connect("sub")
        sub.subscribe("hold/#")
        c.connect("away", clean=False, session_expiry=100)
        c.send(publish("hold/a", b"", qos=2, id=9, dup=True))
        assert c.expect(PUBREC).id == 9
        sub.expect_nothing(0.1)
        c.send(publish("hold/b", b"", qos=2, id=10, dup=True)) # was not kept: new
        sub.expect_publish("hold/b")
        c.expect_nothing(0.1)
        settle(port, "release")
        assert c.expect(PUBREC).id == 10
        c.disconnect(0, session_expiry=0)


def a_publisher_of_too_much_that_is_not_safe_is_not_read_from(port):
    with Client(port) as sub, Client(port, 4) as c:
        sub.connect("sub")
        sub.subscribe("hold/#")
        c.connect("pub", keepalive=1)
        for i in range(1, 31): # in writes of their own: what is not read must come in later reads
            c.send(publish("hold/a", b"%d" % i, qos=1, id=i, version=4))
            time.sleep(0.01)
        c.send(packet(PINGREQ, 0, b""))
        for i in range(1, 11):
            sub.expect_publish("hold/a", b"%d" % i)
        sub.expect_nothing(2)
        c.expect_nothing(0.1) # nor is it timed out
        settle(port, *["release"] * 10)
        for i in range(11, 31):
            sub.expect_publish("hold/a", b"%d" % i)
        settle(port, *["release"] * 20)
        acks = [p.id for p in (c.recv() for _ in range(31)) if p.type == PUBACK]
        assert acks == list(range(1, 31)), acks


if __name__ == "__main__":
    run(the_acknowledgement_waits, other_receivers_do_not_wait, acknowledgements_keep_their_order,
        a_message_that_is_not_kept_is_refused, before_mqtt_5_the_connection_is_closed_instead, a_publisher_that_left_is_no_harm,
        a_publisher_that_comes_back_finds_its_acknowledgement, settled_while_away_counts_as_received, start=start_holding)
    run(a_publisher_of_too_much_that_is_not_safe_is_not_read_from, start=start_holding, inflight=10)
