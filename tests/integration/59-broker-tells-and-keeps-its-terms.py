#!/usr/bin/python3
"""Are aliases, windows and sizes kept as each side was told, and refusals told in words where they are wanted?"""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run
from lib.mqtt import *

TOPIC = "plant/line-1/mixer/temperature"


def pair(port, **kw):
    sub, pub = Client(port), Client(port)
    sub.connect("sub", **kw)
    sub.subscribe("#", qos=2)
    pub.connect("pub")
    return sub, pub


def a_topic_is_sent_once_and_then_its_alias(port):
    sub, pub = pair(port, topic_alias_maximum=5)
    with sub, pub:
        for qos in (0, 1, 2):
            pub.publish(TOPIC, b"%d" % qos, qos=qos)
        first = sub.expect_publish(TOPIC, b"0")
        alias = first.props["topic_alias"]
        assert 1 <= alias <= 5
        for qos in (1, 2):
            p = sub.expect_publish("", b"%d" % qos, qos=qos)
            assert p.props == {"topic_alias": alias}, p


def topics_keep_apart(port):
    sub, pub = pair(port, topic_alias_maximum=16)
    known = {}
    saved = 0
    with sub, pub:
        for round in range(6):
            for n in range(40):
                topic = "%s/%d" % (TOPIC, n)
                pub.publish(topic, topic.encode())
                p = sub.expect(PUBLISH)
                alias = p.props.get("topic_alias", 0)
                assert alias <= 16
                if p.topic:
                    known[alias] = p.topic
                topic_of = p.topic or known[alias]
                assert topic_of.encode() == p.payload, p
                saved += not p.topic
        print("%d of 240 messages over 40 topics and 16 aliases went without their topic" % saved)


def one_who_wants_no_aliases_gets_none(port):
    for kw in ({}, {"topic_alias_maximum": 0}):
        sub, pub = pair(port, **kw)
        with sub, pub:
            for _ in range(3):
                pub.publish(TOPIC, b"")
                assert "topic_alias" not in sub.expect_publish(TOPIC).props
    with Client(port, 4) as old, Client(port) as pub:
        old.connect("old")
        old.subscribe("#")
        pub.connect("pub")
        for _ in range(3):
            pub.publish(TOPIC, b"")
            old.expect_publish(TOPIC)


def what_is_only_small_enough_by_alias_arrives(port):
    sub, pub = pair(port, topic_alias_maximum=1, maximum_packet_size=80)
    with sub, pub:
        pub.publish(TOPIC, b"x")
        pub.publish(TOPIC, b"y" * 60)  # 80 with the alias, 107 with the topic
        pub.publish("other/and/longer", b"y" * 70)
        pub.publish(TOPIC, b"z")
        sub.expect_publish(TOPIC, b"x")
        sub.expect_publish("", b"y" * 60)
        sub.expect_publish("", b"z")


def aliases_are_forgotten_with_the_connection(port):
    sub, pub = pair(port, topic_alias_maximum=5, session_expiry=100)
    with pub:
        with sub:
            pub.publish(TOPIC, b"1", qos=1)
            sub.expect_publish(TOPIC)
        pub.publish(TOPIC, b"2", qos=1)
        with Client(port) as sub:
            sub.connect("sub", clean=False, topic_alias_maximum=5, session_expiry=0)
            assert sub.expect_publish(TOPIC, b"1", dup=True).props["topic_alias"]
            sub.expect_publish("", b"2")  # a repeat, if it came before the broker saw the connection go


def the_window_holds_for_qos_1_and_2_together(port):
    sub, pub = pair(port, receive_maximum=3)
    with sub, pub:
        for n in range(8):
            pub.publish(TOPIC, b"%d" % n, qos=1 + n % 2)
        got = [sub.expect(PUBLISH) for _ in range(3)]
        sub.expect_nothing(0.2)
        sub.ack(PUBREC, got[1].id)
        sub.expect(PUBREL)
        sub.expect_nothing(0.2)  # it counts until PUBCOMP
        sub.ack(PUBCOMP, got[1].id)
        sub.expect_publish(TOPIC, b"3")
        sub.ack(PUBACK, got[0].id, 0x80)  # a refusal frees its place, too
        sub.expect_publish(TOPIC, b"4")
        sub.ack(PUBACK, got[2].id)
        p = sub.expect_publish(TOPIC, b"5", qos=2)
        sub.ack(PUBREC, p.id, 0x97)
        sub.expect_publish(TOPIC, b"6")
        sub.expect_nothing(0.2)


def a_client_that_overruns_our_window_is_told(port):
    with Client(port) as c:
        most = c.connect("x").props["receive_maximum"]
        for id in range(1, most + 2):
            c.send(publish(TOPIC, b"", qos=2, id=id))
        for _ in range(most):
            c.expect(PUBREC)
        assert c.expect_closed() == 0x93


def close_with_words(port, data, reason, **kw):
    with Client(port) as c:
        c.connect("x", **kw)
        c.send(data)
        p = c.expect(DISCONNECT)
        assert p.reason == reason, p
        return p.props


def refusals_say_what_was_wrong(port):
    for data, reason in ((subscribe(1, [("a+", 0)]), 0x8F), (subscribe(1, [("$share/g/a", options(no_local=True))]), 0x82),
                         (publish("a/#", b""), 0x90), (publish("", b"", topic_alias=3), 0x82),
                         (publish("a", b"", topic_alias=11), 0x94)):
        said = close_with_words(port, data, reason)
        assert len(said["reason_string"]) > 10, said
        print("%#x: %s" % (reason, said["reason_string"]))


def words_are_left_out_where_they_do_not_fit(port):
    assert close_with_words(port, subscribe(1, [("a+", 0)]), 0x8F, maximum_packet_size=20) == {}


def who_takes_no_connack_is_told_nothing(port):
    with Client(port) as c:
        c.send(connect("x", maximum_packet_size=10))
        assert c.expect_closed() is None
        assert c.data == b""
    with Client(port) as c:
        assert not c.connect("x", clean=False).session_present


def response_information_is_told_to_whom_asks(port):
    with Client(port) as c:
        assert "response_info" not in c.connect("x", request_response_info=0).props
    with Client(port) as c:
        assert c.connect("x-1", request_response_info=1).props["response_info"] == "answers/x-1/%d"


def text_that_is_none_is_refused(port):
    sub, pub = pair(port)
    with sub, pub:
        for qos in (1, 2):
            assert pub.publish("t", b"\xff", qos=qos, payload_format=1).reason == 0x99
        pub.publish("t", b"\xff", qos=1, payload_format=0)
        pub.publish("t", "gr\u00fcn".encode(), qos=1, payload_format=1)
        pub.send(publish("t", b"\xc3", payload_format=1))
        assert pub.expect_closed() == 0x99
        sub.expect_publish("t", b"\xff")
        sub.expect_publish("t", "gr\u00fcn".encode())
    with Client(port) as c:
        c.connect("x", reason=0x99, will=dict(topic="w", payload=b"\xff", props={"payload_format": 1}))


def ids_are_assigned_with_the_prefix(port):
    with Client(port) as c:
        assert c.connect("").props["assigned_client_id"].startswith("plant7-")


def qos0_waits_for_those_who_are_away(port):
    for expiry in (100, 0):
        with Client(port) as c:
            c.connect("away", session_expiry=expiry)
            c.subscribe("q", qos=1)
            c.kill()
        with Client(port) as pub:
            pub.connect("pub")
            pub.publish("q", b"0")
            pub.publish("q", b"1", qos=1)
            pub.publish("q", b"2", message_expiry=0)
            pub.ping()
        with Client(port) as c:
            c.connect("away", clean=False)
            if expiry:
                c.expect_publish("q", b"0", qos=0)
                c.expect_publish("q", b"1", qos=1)
            c.expect_nothing(0.1)


def less_than_all_of_mqtt_is_announced_and_kept(port):
    with Client(port) as c:
        p = c.connect("x")
        assert (p.props["maximum_qos"], p.props["retain_available"]) == (1, 0), p
        assert "topic_alias_maximum" not in p.props, p
        c.send(subscribe(1, [("q", 2), ("$share/g/s", 2)]))
        assert c.expect(SUBACK).codes == [1, 1]
        c.publish("other", b"", qos=1)
    for data, reason in ((publish("q", b"", qos=2, id=1), 0x9B), (publish("q", b"", retain=True), 0x9A),
                         (publish("q", b"", topic_alias=1), 0x94)):
        for version in (5, 4) if reason != 0x94 else (5,):
            with Client(port, version) as c:
                c.connect("x")
                c.send(data if version == 5 else publish("q", b"", 2 if reason == 0x9B else 0, 1, reason == 0x9A, version=4))
                assert c.expect_closed() == (reason if version == 5 else None)
    for will, reason in ((dict(topic="w", qos=2), 0x9B), (dict(topic="w", retain=True), 0x9A)):
        with Client(port) as c:
            c.connect("x", reason=reason, will=will)
    for version, reason in ((5, 0x85), (4, 2)):
        with Client(port, version) as c:
            c.connect("", reason=reason)


def clients_are_sent_elsewhere(port):
    with Client(port) as c:
        assert c.connect("x", reason=0x9D).props["server_reference"] == "other.example:1883"
        c.expect_closed()
    for version in (3, 4):
        with Client(port, version) as c:
            c.connect("x", reason=3)


if __name__ == "__main__":
    run(a_topic_is_sent_once_and_then_its_alias, topics_keep_apart, one_who_wants_no_aliases_gets_none,
        what_is_only_small_enough_by_alias_arrives, aliases_are_forgotten_with_the_connection,
        the_window_holds_for_qos_1_and_2_together, a_client_that_overruns_our_window_is_told, refusals_say_what_was_wrong,
        words_are_left_out_where_they_do_not_fit, who_takes_no_connack_is_told_nothing)
    run(response_information_is_told_to_whom_asks, text_that_is_none_is_refused, ids_are_assigned_with_the_prefix,
        qos0_waits_for_those_who_are_away, response_information="answers/%c/%d", check_payload_format="true",
        client_id_prefix="plant7-", queue_qos0_messages="true")
    run(less_than_all_of_mqtt_is_announced_and_kept, allow_zero_length_client_id="false", maximum_qos=1,
        retain_available="false", topic_alias_maximum=0)
    run(clients_are_sent_elsewhere, redirect="{to: 'other.example:1883', permanent: true}")
