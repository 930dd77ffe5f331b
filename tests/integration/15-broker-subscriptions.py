#!/usr/bin/python3
"""Who gets a message when filters overlap, carry options, come again, or are wrong?"""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run
from lib.mqtt import *


def overlapping_filters_deliver_once_at_the_highest_qos(port):
    for version in (4, 5):
        with Client(port, version) as c:
            c.connect("sub")
            c.subscribe("o/#", qos=0)
            c.subscribe("o/+", qos=2)
            c.subscribe("o/x", qos=1)
            c.send(publish("o/x", b"1", qos=2, id=1, version=version))
            got = c.expect_publish("o/x", b"1", qos=2)
            assert c.expect(PUBREC).id == 1
            c.expect_nothing(0.1)
            c.ack(PUBREC, got.id)
            c.expect(PUBREL)


def all_matching_subscription_ids_are_told(port):
    with Client(port) as c, Client(port) as pub:
        c.connect("sub")
        c.subscribe("i/#", props={"subscription_id": 1})
        c.subscribe("i/+", qos=1, props={"subscription_id": 268435455})
        c.subscribe("i/x")
        c.subscribe("other", props={"subscription_id": 3})
        pub.connect("pub")
        pub.publish("i/x", b"", qos=1)
        assert sorted(c.expect_publish("i/x", qos=1).props["subscription_id"]) == [1, 268435455]
        c.subscribe("i/#") # again, without one
        pub.publish("i/y/z", b"")
        assert "subscription_id" not in c.expect_publish("i/y/z").props


def subscription_ids_are_kept_for_one_who_is_away(port):
    with Client(port) as c:
        c.connect("away", session_expiry=100)
        c.subscribe("i", qos=1, props={"subscription_id": 5})
        c.kill()
    with Client(port) as pub:
        pub.connect("pub")
        pub.publish("i", b"", qos=1)
    for dup in (False, True):
        with Client(port) as c:
            c.connect("away", clean=False, session_expiry=100)
            assert c.expect_publish("i", dup=dup).props["subscription_id"] == [5]
            c.kill()


def no_local_spares_the_publisher(port):
    with Client(port) as c, Client(port) as other:
        c.connect("self")
        c.subscribe("n", no_local=True, codes=[0])
        other.connect("other")
        other.subscribe("n", no_local=True, codes=[0])
        c.publish("n", b"1")
        other.expect_publish("n", b"1")
        c.expect_nothing(0.1)
        c.subscribe("#") # overlaps, and has no such option
        c.publish("n", b"2")
        c.expect_publish("n", b"2")


def subscribing_again_replaces_the_options(port):
    with Client(port) as c:
        c.connect("sub")
        c.subscribe("again", qos=2)
        c.subscribe("again", qos=0)
        c.send(publish("again", b"", qos=2, id=1))
        c.expect_publish("again", qos=0)
        c.expect(PUBREC)
        c.expect_nothing(0.1)


def several_filters_in_one_packet_get_their_own_codes(port):
    for version in (5, 4):
        with Client(port, version) as c:
            c.connect("sub")
            c.send(subscribe(9, [("a", 0), ("b/+", 1), ("#", 2), ("$share/g/a", 0)], version))
            p = c.expect(SUBACK)
            assert (p.id, p.codes) == (9, [0, 1, 2, 0]), p
            c.publish("x", b"")
            c.expect_publish("x")


def a_filter_that_is_none_ends_the_connection(port):
    for version, reason in ((5, 0x8F), (4, None), (3, None)):
        for wrong in ("a/#/b", "a+", "", "a#", "$share/g", "$share//a", "$share/+/a"):
            for packet in (subscribe(9, [("a", 0), (wrong, 0)], version), unsubscribe(9, ["a", wrong], version)):
                with Client(port, version) as c:
                    c.connect("sub")
                    c.send(packet)
                    assert c.expect_closed() == reason, (version, wrong)


def unsubscribing_ends_it_and_says_what_there_was(port):
    for version, codes in ((5, [0, 0x11]), (4, [])):
        with Client(port, version) as c:
            c.connect("sub")
            c.subscribe("u/#")
            c.publish("u/1", b"")
            c.expect_publish("u/1")
            c.send(unsubscribe(3, ["u/#", "never"], version))
            p = c.expect(UNSUBACK)
            assert (p.id, p.codes) == (3, codes), p
            c.publish("u/1", b"")
            c.expect_nothing(0.1)


def wildcards_pass_over_dollar_topics(port):
    with Client(port) as c:
        c.connect("sub")
        c.subscribe("#", "+/+", "+")
        c.publish("$mine/x", b"")
        c.publish("x/$mine", b"")
        c.expect_publish("x/$mine")
        c.subscribe("$mine/+")
        c.publish("$mine/x", b"")
        c.expect_publish("$mine/x")


def sys_topics_are_the_brokers_alone(port):
    for version in (4, 5):
        with Client(port, version) as c:
            c.connect("x")
            c.subscribe("$SYS/broker/uptime")
            c.expect(PUBLISH)
            c.subscribe("$SYS/mine")
            c.publish("$SYS/mine", b"")
            p = c.publish("$SYS/mine", b"", qos=1)
            assert version == 4 or p.reason == 0x87
            p = c.publish("$SYS/mine", b"", qos=2)
            assert version == 4 or p.reason == 0x87
            c.unsubscribe("$SYS/broker/uptime")
            c.expect_nothing(0.1)


def thousands_of_filters_come_and_go(port):
    with Client(port) as c:
        c.connect("sub")
        filters = ["f/%d/%s" % (i, ("+", "#", "x", "+/y")[i % 4]) for i in range(5000)]
        c.send(subscribe(1, [(f, 0) for f in filters]))
        assert len(c.expect(SUBACK).codes) == 5000
        c.publish("f/4999/y", b"")
        c.expect_nothing(0.05)
        c.publish("f/4996/y", b"")
        c.expect_publish("f/4996/y")
        c.send(unsubscribe(2, filters))
        assert c.expect(UNSUBACK).codes == [0] * 5000
        c.publish("f/4996/y", b"")
        c.expect_nothing(0.05)


if __name__ == "__main__":
    run(overlapping_filters_deliver_once_at_the_highest_qos, all_matching_subscription_ids_are_told,
        subscription_ids_are_kept_for_one_who_is_away, no_local_spares_the_publisher, subscribing_again_replaces_the_options,
        several_filters_in_one_packet_get_their_own_codes, a_filter_that_is_none_ends_the_connection,
        unsubscribing_ends_it_and_says_what_there_was,
        wildcards_pass_over_dollar_topics, sys_topics_are_the_brokers_alone, thousands_of_filters_come_and_go)
