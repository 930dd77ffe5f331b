#!/usr/bin/python3
"""When is a client's will published, and when not?"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run
from lib.mqtt import *


def watcher(port):
    c = Client(port)
    c.connect("watcher")
    c.subscribe("will/#", qos=2)
    return c


def will(payload, delay=None, **kw):
    props = {} if delay is None else {"will_delay": delay}
    return dict(topic="will/x", payload=payload, props=props, **kw)


def one_who_vanishes_leaves_it(port):
    for version in (3, 4, 5):
        with watcher(port) as w, Client(port, version) as c:
            c.connect("leaves", will=will(b"gone", qos=1))
            c.kill()
            w.expect_publish("will/x", b"gone", qos=1, retain=False)


def one_who_breaks_the_rules_leaves_it(port):
    with watcher(port) as w, Client(port) as c:
        c.connect("breaks", will=will(b"broke"))
        c.send(b"\0\0")
        w.expect_publish("will/x", b"broke")


def one_who_falls_silent_leaves_it(port):
    with watcher(port) as w, Client(port) as c:
        c.connect("silent", keepalive=1, will=will(b"silent"))
        start = time.monotonic()
        w.expect_publish("will/x", b"silent")
        assert 1.3 < time.monotonic() - start < 2.2


def one_who_says_goodbye_does_not(port):
    for version in (4, 5):
        with watcher(port) as w, Client(port, version) as c:
            c.connect("polite", will=will(b"no"))
            c.disconnect()
            w.expect_nothing(0.2)


def mqtt_5_may_say_goodbye_and_leave_it(port):
    for reason in (0x04, 0x80):
        with watcher(port) as w, Client(port) as c:
            c.connect("asks", will=will(b"asked"))
            c.disconnect(reason)
            w.expect_publish("will/x", b"asked")


def it_may_be_retained_and_carry_properties(port):
    with Client(port) as c:
        c.connect("keeps", will=dict(topic="will/kept", payload=b"k", retain=True,
                                     props={"content_type": "t", "user": [("a", "b")], "message_expiry": 100}))
        c.kill()
    time.sleep(0.1)
    with Client(port) as c:
        c.connect("late")
        c.subscribe("will/kept")
        p = c.expect_publish("will/kept", b"k", retain=True)
        assert p.props["content_type"] == "t" and p.props["user"] == [("a", "b")] and 98 <= p.props["message_expiry"] <= 100, p
        c.publish("will/kept", b"", retain=True)


def a_delayed_one_comes_late(port):
    with watcher(port) as w, Client(port) as c:
        c.connect("delays", session_expiry=100, will=will(b"late", 1))
        c.kill()
        w.expect_nothing(0.7)
        w.expect_publish("will/x", b"late", timeout=1)


def coming_back_in_time_cancels_it(port):
    with watcher(port) as w:
        with Client(port) as c:
            c.connect("returns", session_expiry=100, will=will(b"never", 1))
            c.kill()
        with Client(port) as c:
            assert c.connect("returns", clean=False, session_expiry=100).session_present
            w.expect_nothing(1.3)
            c.disconnect(0, session_expiry=0)


def the_end_of_the_session_ends_the_delay(port):
    with watcher(port) as w, Client(port) as c:
        c.connect("expires", session_expiry=1, will=will(b"early", 100))
        c.kill()
        w.expect_nothing(0.7)
        w.expect_publish("will/x", b"early", timeout=1)
    with watcher(port) as w, Client(port) as c:
        c.connect("expires", session_expiry=0, will=will(b"at once", 100))
        c.kill()
        w.expect_publish("will/x", b"at once", timeout=1)
    with watcher(port) as w, Client(port) as c, Client(port) as again:
        c.connect("expires", session_expiry=100, will=will(b"clean start", 100))
        c.kill()
        again.connect("expires", clean=True)
        w.expect_publish("will/x", b"clean start", timeout=1)


def being_taken_over_publishes_it_unless_delayed(port):
    with watcher(port) as w:
        for delay, published in ((0, True), (1, False)):
            with Client(port) as old, Client(port) as new:
                old.connect("over", session_expiry=100, will=will(b"%d" % delay, delay))
                new.connect("over", clean=False, session_expiry=100)
                assert old.expect_closed() == 0x8E
                if published:
                    w.expect_publish("will/x", b"%d" % delay)
                else:
                    w.expect_nothing(1.3)
                new.disconnect(0, session_expiry=0)


def a_bad_topic_is_refused(port):
    for version, reason in ((5, 0x90), (5, 0x87)):
        with Client(port, version) as c:
            c.connect("bad", reason=reason, will=dict(topic="a/#" if reason == 0x90 else "$SYS/x"))
            c.expect_closed()


def the_dead_are_told_to_their_own_session_too(port):
    with Client(port) as c:
        c.connect("own", session_expiry=100, will=will(b"me", qos=1))
        c.subscribe("will/x", qos=1)
        c.kill()
    with Client(port) as c:
        c.connect("own", clean=False, session_expiry=0)
        c.expect_publish("will/x", b"me")


if __name__ == "__main__":
    run(one_who_vanishes_leaves_it, one_who_breaks_the_rules_leaves_it, one_who_falls_silent_leaves_it,
        one_who_says_goodbye_does_not, mqtt_5_may_say_goodbye_and_leave_it, it_may_be_retained_and_carry_properties,
        a_delayed_one_comes_late, coming_back_in_time_cancels_it, the_end_of_the_session_ends_the_delay,
        being_taken_over_publishes_it_unless_delayed, a_bad_topic_is_refused, the_dead_are_told_to_their_own_session_too)
