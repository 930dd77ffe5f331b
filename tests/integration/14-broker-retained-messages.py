#!/usr/bin/python3
"""Which retained message does a subscriber get, when, and with which flags?"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run
from lib.mqtt import *


def put(port, topic, payload, version=5, **kw):
    with Client(port, version) as c:
        c.connect("putter")
        c.publish(topic, payload, qos=1, retain=True, **kw)
        c.disconnect()


def the_last_one_is_sent_to_each_new_subscriber(port):
    put(port, "r/a", b"1")
    put(port, "r/a", b"2")
    for version in (3, 4, 5):
        with Client(port, version) as c:
            c.connect("sub")
            c.subscribe("r/a", qos=1)
            c.ack(PUBACK, c.expect_publish("r/a", b"2", retain=True, qos=1).id)
            c.expect_nothing(0.1)


def an_empty_payload_clears_it(port):
    put(port, "r/clear", b"x")
    with Client(port) as c:
        c.connect("sub")
        c.subscribe("r/clear")
        c.expect_publish("r/clear", b"x", retain=True)
        put(port, "r/clear", b"")
        c.expect_publish("r/clear", b"", retain=False)
        c.subscribe("r/clear")
        c.expect_nothing(0.1)


def it_is_sent_at_the_lower_qos(port):
    with Client(port) as c:
        c.connect("pub")
        c.publish("r/q0", b"x", qos=0, retain=True)
        c.publish("r/q2", b"x", qos=2, retain=True)
        c.subscribe("r/q0", qos=2)
        c.expect_publish("r/q0", qos=0, retain=True)
        c.subscribe("r/q2", qos=1)
        c.ack(PUBACK, c.expect_publish("r/q2", qos=1, retain=True).id)


def wildcards_find_all_that_match(port):
    for topic in ("w", "w/a", "w/a/b", "w/c/b", "/w/x"):
        put(port, topic, topic.encode())
    wanted = {"w/#": {"w", "w/a", "w/a/b", "w/c/b"}, "w/+": {"w/a"}, "w/+/b": {"w/a/b", "w/c/b"}, "+/a/b": {"w/a/b"},
              "/+/x": {"/w/x"}, "w/a/#": {"w/a", "w/a/b"}}
    for pattern, topics in wanted.items():
        with Client(port) as c:
            c.connect("sub")
            c.subscribe(pattern)
            got = {c.expect(PUBLISH).topic for _ in topics}
            assert got == topics, (pattern, got)
            c.expect_nothing(0.05)


def a_first_level_wildcard_does_not_find_dollar_topics(port):
    put(port, "$x/y", b"x")
    for pattern, count in (("#", 0), ("+/y", 0), ("$x/#", 1), ("$x/+", 1)):
        with Client(port) as c:
            c.connect("sub")
            c.subscribe(pattern)
            seen = []
            try:
                while True:
                    seen.append(c.recv(0.2).topic)
            except Timeout:
                pass
            assert seen.count("$x/y") == count, (pattern, seen)


def live_messages_carry_the_flag_only_where_it_was_asked_for(port):
    with Client(port) as plain, Client(port) as keeps, Client(port, 4) as old, Client(port) as pub:
        plain.connect("plain")
        plain.subscribe("live")
        keeps.connect("keeps")
        keeps.subscribe("live", codes=[0], retain_as_published=True)
        old.connect("old")
        old.subscribe("live")
        pub.connect("pub")
        pub.publish("live", b"1", retain=True)
        pub.publish("live", b"2", retain=False)
        for c, flag in ((plain, False), (keeps, True), (old, False)):
            c.expect_publish("live", b"1", retain=flag)
            c.expect_publish("live", b"2", retain=False)


def retain_handling_says_when_to_send(port):
    put(port, "h", b"x")
    with Client(port) as c:
        c.connect("sub")
        c.subscribe("h", retain_handling=2)
        c.expect_nothing(0.1)
        c.subscribe("h", retain_handling=1) # not new
        c.expect_nothing(0.1)
        c.subscribe("h", retain_handling=0)
        c.expect_publish("h", b"x", retain=True)
        c.unsubscribe("h")
        c.subscribe("h", retain_handling=1)
        c.expect_publish("h", b"x", retain=True)


def an_expired_one_is_gone(port):
    put(port, "e", b"x", message_expiry=1)
    put(port, "stays", b"x", message_expiry=100)
    with Client(port) as c:
        c.connect("sub")
        c.subscribe("e")
        assert c.expect_publish("e").props["message_expiry"] <= 1
        time.sleep(1.2)
        c.subscribe("e")
        c.expect_nothing(0.1)
        c.subscribe("stays")
        assert 97 <= c.expect_publish("stays").props["message_expiry"] <= 99


def properties_are_kept_with_it(port):
    put(port, "p", b"x", content_type="text/plain", user=[("a", "1"), ("a", "2")], payload_format=1,
        response_topic="answer", correlation_data=b"\0\1")
    with Client(port) as c:
        c.connect("sub")
        c.subscribe("p", props={"subscription_id": 42})
        assert c.expect_publish("p").props == {"content_type": "text/plain", "user": [("a", "1"), ("a", "2")], "payload_format": 1,
                                               "response_topic": "answer", "correlation_data": b"\0\1", "subscription_id": [42]}


def many_come_whole_through_a_small_window(port):
    with Client(port) as c:
        c.connect("pub")
        for start in range(0, 2000, 500):
            c.send(b"".join(publish("many/%d" % i, b"x", qos=1, id=i + 1, retain=True) for i in range(start, start + 500)))
            for _ in range(500):
                c.expect(PUBACK)
    with Client(port) as c:
        c.connect("sub", receive_maximum=7)
        c.subscribe("many/+", qos=1)
        seen = set()
        for _ in range(2000):
            p = c.expect(PUBLISH)
            seen.add(p.topic)
            c.ack(PUBACK, p.id)
        assert len(seen) == 2000


def what_a_session_was_not_yet_sent_is_sent_when_it_returns(port):
    for i in range(10):
        put(port, "owed/first/%d" % i, b"x")
    put(port, "owed/second", b"x")
    c = Client(port)
    c.connect("owed", clean=False, session_expiry=100, receive_maximum=2)
    c.send(subscribe(1, [("owed/first/+", 1), ("owed/second", 1)]))
    assert c.expect(SUBACK).codes == [1, 1]
    for _ in range(2):
        c.expect(PUBLISH)
    c.kill()
    with Client(port) as c:
        assert c.connect("owed", clean=False).session_present
        seen = set()
        while len(seen) < 11:
            p = c.expect(PUBLISH)
            seen.add(p.topic)
            c.ack(PUBACK, p.id)
        assert "owed/second" in seen, seen


def a_greedy_subscriber_holds_nobody_up(port):
    with Client(port) as c, Client(port, timeout=60) as greedy, Client(port) as other:
        c.connect("pub")
        for i in range(1000):
            c.send(publish("greedy/%d" % i, b"x", retain=True))
        c.ping()
        other.connect("other")
        greedy.connect("greedy")
        greedy.send(subscribe(1, [("greedy/#", 0)] * 20000))
        for _ in range(50):
            before = time.monotonic()
            other.ping()
            assert time.monotonic() - before < 1, time.monotonic() - before
            time.sleep(0.02)


if __name__ == "__main__":
    run(the_last_one_is_sent_to_each_new_subscriber, an_empty_payload_clears_it, it_is_sent_at_the_lower_qos,
        wildcards_find_all_that_match, a_first_level_wildcard_does_not_find_dollar_topics,
        live_messages_carry_the_flag_only_where_it_was_asked_for, retain_handling_says_when_to_send, an_expired_one_is_gone,
        properties_are_kept_with_it, many_come_whole_through_a_small_window,
        what_a_session_was_not_yet_sent_is_sent_when_it_returns, a_greedy_subscriber_holds_nobody_up)
