#!/usr/bin/python3
"""What does the broker remember of a client that is away, for how long, and who gets the session when two want it?"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run
from lib.mqtt import *


def publish_once(port, topic, payload, qos=1, **kw):
    with Client(port) as c:
        c.connect("publisher")
        c.publish(topic, payload, qos=qos, **kw)
        c.disconnect()


def a_persistent_session_gets_what_it_missed(port):
    for version in (3, 4, 5):
        props = {"session_expiry": 100} if version == 5 else {}
        with Client(port, version) as c:
            assert not c.connect("keeper%d" % version, clean=False, **props).session_present
            c.subscribe("keep/#", qos=2)
            c.disconnect()
        for qos in (0, 1, 2):
            publish_once(port, "keep/%d" % qos, b"%d" % version, qos)
        with Client(port, version) as c:
            p = c.connect("keeper%d" % version, clean=False, **props)
            assert p.session_present == (version != 3)
            for qos in (1, 2):
                got = c.expect_publish("keep/%d" % qos, b"%d" % version, qos=qos, dup=False)
                c.ack(PUBACK if qos == 1 else PUBREC, got.id)
            assert c.expect(PUBREL).id == got.id
            c.ack(PUBCOMP, got.id)
            c.expect_nothing()
            c.disconnect()
        with Client(port, version) as c:
            assert not c.connect("keeper%d" % version, clean=True).session_present
            publish_once(port, "keep/x", b"")
            c.expect_nothing()


def a_clean_session_is_forgotten(port):
    for version in (4, 5):
        with Client(port, version) as c:
            c.connect("forgotten", clean=True)
            c.subscribe("forget", qos=1)
            c.disconnect()
        publish_once(port, "forget", b"")
        with Client(port, version) as c:
            assert not c.connect("forgotten", clean=False).session_present
            c.expect_nothing()
            c.disconnect()
    with Client(port, 4) as c:
        c.connect("forgotten", clean=True)


def an_mqtt_5_session_lives_as_long_as_it_asked(port):
    for wait, present in ((0.5, True), (1.6, False)):
        with Client(port) as c:
            c.connect("short", clean=True, session_expiry=1)
            c.kill()
        time.sleep(wait)
        with Client(port) as c:
            assert c.connect("short", clean=False).session_present == present


def disconnect_may_change_the_expiry_but_not_from_zero(port):
    with Client(port) as c:
        c.connect("changes", session_expiry=100)
        c.disconnect(0, session_expiry=0)
    with Client(port) as c:
        assert not c.connect("changes", clean=False, session_expiry=1).session_present
        c.disconnect(0, session_expiry=100)
    time.sleep(1.3)
    with Client(port) as c:
        assert c.connect("changes", clean=False, session_expiry=0).session_present
        c.send(disconnect(0, session_expiry=5))
        assert c.expect_closed() == 0x82


def the_later_client_takes_the_session_over(port):
    for version, reason in ((5, 0x8E), (4, None)):
        props = {"session_expiry": 100} if version == 5 else {}
        with Client(port, version) as old, Client(port, version) as new:
            old.connect("taken%d" % version, clean=False, **props)
            old.subscribe("over", qos=1)
            assert new.connect("taken%d" % version, clean=False, **props).session_present
            assert old.expect_closed() == reason
            publish_once(port, "over", b"x")
            new.ack(PUBACK, new.expect_publish("over").id)
        with Client(port, version) as c:
            c.connect("taken%d" % version, clean=True)


def a_clean_start_takes_over_without_the_session(port):
    with Client(port) as old, Client(port) as new:
        old.connect("clean", session_expiry=100)
        old.subscribe("over", qos=1)
        assert not new.connect("clean", clean=True).session_present
        assert old.expect_closed() == 0x8E
        publish_once(port, "over", b"x")
        new.expect_nothing()


def unacknowledged_messages_are_sent_again_in_order(port):
    with Client(port) as c:
        c.connect("again", session_expiry=100, receive_maximum=100)
        c.subscribe("again", qos=2)
        for i in range(6):
            publish_once(port, "again", b"%d" % i, qos=1 + i % 2)
        first = [c.expect_publish("again", b"%d" % i) for i in range(6)]
        c.ack(PUBACK, first[2].id)
        c.ack(PUBREC, first[3].id)
        assert c.expect(PUBREL).id == first[3].id
        c.kill()
    publish_once(port, "again", b"new")
    with Client(port) as c:
        assert c.connect("again", clean=False, session_expiry=100).session_present
        for i in (0, 1):
            c.expect_publish("again", b"%d" % i, dup=True, id=first[i].id, qos=first[i].qos)
        assert c.expect(PUBREL).id == first[3].id
        for i in (4, 5):
            c.expect_publish("again", b"%d" % i, dup=True, id=first[i].id)
        c.expect_publish("again", b"new", dup=False)
        c.ack(PUBCOMP, first[3].id)
        for i in (0, 4):
            c.ack(PUBACK, first[i].id)
        c.kill()


def a_smaller_window_is_kept_when_sending_again(port):
    with Client(port) as c:
        c.connect("narrow", session_expiry=100)
        c.subscribe("narrow", qos=1)
        for i in range(10):
            publish_once(port, "narrow", b"%d" % i)
        for i in range(10):
            c.expect_publish("narrow", b"%d" % i)
        c.kill()
    with Client(port) as c:
        c.connect("narrow", clean=False, session_expiry=100, receive_maximum=3)
        got = [c.expect_publish("narrow", b"%d" % i, dup=True) for i in range(3)]
        c.expect_nothing()
        for i in range(3, 10):
            c.ack(PUBACK, got.pop(0).id)
            got.append(c.expect_publish("narrow", b"%d" % i, dup=True))
            c.expect_nothing(0.05)
        c.disconnect(0, session_expiry=0)


def the_cap_ends_sessions_of_every_version(port):
    for version in (4, 5):
        props = {"session_expiry": 100} if version == 5 else {}
        with Client(port, version) as c:
            p = c.connect("capped", clean=False, **props)
            assert version == 4 or p.props["session_expiry"] == 1
            c.disconnect()
        time.sleep(1.4)
        with Client(port, version) as c:
            assert not c.connect("capped", clean=False).session_present


def a_full_queue_drops_the_newest_and_counts(port):
    with Client(port) as c:
        c.connect("small", session_expiry=100)
        c.subscribe("small", qos=1)
        c.kill()
    for i in range(8):
        publish_once(port, "small", b"%d" % i)
    with Client(port) as c:
        c.connect("small", clean=False, session_expiry=100)
        for i in range(5):
            c.expect_publish("small", b"%d" % i)
        c.expect_nothing()
        c.disconnect(0, session_expiry=0)
    with Client(port) as c:
        c.connect("watch")
        c.subscribe("$SYS/broker/publish/messages/dropped")
        while c.expect(PUBLISH).payload != b"3":
            pass


if __name__ == "__main__":
    run(a_persistent_session_gets_what_it_missed, a_clean_session_is_forgotten, an_mqtt_5_session_lives_as_long_as_it_asked,
        disconnect_may_change_the_expiry_but_not_from_zero, the_later_client_takes_the_session_over,
        a_clean_start_takes_over_without_the_session, unacknowledged_messages_are_sent_again_in_order,
        a_smaller_window_is_kept_when_sending_again)
    run(the_cap_ends_sessions_of_every_version, session_expiry="1s")
    run(a_full_queue_drops_the_newest_and_counts, queued_messages=5, on_full="drop-newest", sys_interval="200ms")
