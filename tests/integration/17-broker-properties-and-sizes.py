#!/usr/bin/python3
"""Are MQTT 5 properties passed on, aliases resolved, expiry counted down, and packet sizes honoured both ways?"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run
from lib.mqtt import *

ALL = {"content_type": "text/plain", "user": [("a", "1"), ("b", ""), ("a", "2")], "payload_format": 1,
       "response_topic": "answer/here", "correlation_data": b"\0\1\xff"}


def properties_pass_through_at_each_qos(port):
    with Client(port) as sub, Client(port) as pub, Client(port, 4) as old:
        sub.connect("sub")
        sub.subscribe("p", qos=2)
        old.connect("old")
        old.subscribe("p")
        pub.connect("pub")
        for qos in (0, 1, 2):
            pub.publish("p", "grün", qos=qos, **ALL)
            assert sub.expect_publish("p", "grün").props == ALL
            old.expect_publish("p", "grün")
        # from one who knows no properties
        with Client(port, 4) as c:
            c.connect("older")
            c.publish("p", b"x", qos=1)
            assert sub.expect_publish("p", b"x").props == {}


def a_response_topic_with_wildcards_is_refused(port):
    with Client(port) as c:
        c.connect("x")
        c.send(publish("p", b"", response_topic="a/#"))
        assert c.expect_closed() == 0x82


def an_alias_stands_for_its_topic(port):
    with Client(port) as sub, Client(port) as pub:
        sub.connect("sub")
        sub.subscribe("alias/#", qos=1)
        pub.connect("pub")
        pub.publish("alias/a", b"1", topic_alias=1)
        pub.publish("alias/b", b"2", topic_alias=10)
        pub.publish("", b"3", topic_alias=1)
        pub.publish("alias/c", b"4", topic_alias=1) # set anew
        pub.publish("", b"5", qos=1, topic_alias=1, content_type="t")
        pub.publish("", b"6", topic_alias=10)
        for topic, payload in (("a", b"1"), ("b", b"2"), ("a", b"3"), ("c", b"4"), ("c", b"5"), ("b", b"6")):
            p = sub.expect_publish("alias/" + topic, payload)
            assert "topic_alias" not in p.props
            assert (p.props == {"content_type": "t"}) == (payload == b"5")


def a_wrong_alias_ends_the_connection(port):
    for alias, topic, reason in ((0, "x", 0x94), (11, "x", 0x94), (5, "", 0x82), (None, "", 0x82)):
        with Client(port) as c:
            c.connect("x")
            c.send(publish(topic, b"", **({} if alias is None else {"topic_alias": alias})))
            assert c.expect_closed() == reason, (alias, topic)


def aliases_end_with_the_connection(port):
    with Client(port) as c:
        c.connect("x", session_expiry=10)
        c.publish("t", b"", topic_alias=1)
        c.kill()
    with Client(port) as c:
        c.connect("x", clean=False)
        c.send(publish("", b"", topic_alias=1))
        assert c.expect_closed() == 0x82


def expiry_passes_on_what_is_left(port):
    with Client(port) as sub, Client(port) as pub:
        sub.connect("sub")
        sub.subscribe("e")
        pub.connect("pub")
        pub.publish("e", b"", message_expiry=100)
        assert sub.expect_publish("e").props["message_expiry"] == 100
    with Client(port) as c:
        c.connect("away", session_expiry=100)
        c.subscribe("e", qos=1)
        c.kill()
    with Client(port) as pub:
        pub.connect("pub")
        pub.publish("e", b"1", qos=1, message_expiry=1)
        pub.publish("e", b"2", qos=1, message_expiry=100)
        pub.publish("e", b"3", qos=1)
    time.sleep(1.2)
    with Client(port) as c:
        c.connect("away", clean=False)
        assert 97 <= c.expect_publish("e", b"2").props["message_expiry"] <= 99
        assert "message_expiry" not in c.expect_publish("e", b"3").props
        c.expect_nothing(0.1)


def a_client_is_not_sent_more_than_it_takes(port):
    with Client(port) as small, Client(port) as big, Client(port) as pub:
        small.connect("small", maximum_packet_size=100)
        small.subscribe("s", qos=2)
        big.connect("big")
        big.subscribe("s")
        pub.connect("pub")
        head = len(publish("s", b"", qos=1, id=1))
        for size, comes in ((100 - head, True), (101 - head, False), (5000, False)):
            for qos in (1, 2):
                pub.publish("s", bytes(size), qos=qos)
                assert len(big.expect(PUBLISH).payload) == size
                if comes:
                    p = small.expect(PUBLISH)
                    small.ack(PUBACK if qos == 1 else PUBREC, p.id)
                    if qos == 2:
                        small.ack(PUBCOMP, small.expect(PUBREL).id)
        pub.publish("s", b"after")
        small.expect_publish("s", b"after")


def a_client_that_sends_more_than_we_take_is_closed(port):
    for version, reason in ((5, 0x95), (4, None)):
        with Client(port, version) as c:
            p = c.connect("x")
            assert version == 4 or p.props["maximum_packet_size"] == 2048
            head = len(publish("t", bytes(1900), qos=1, id=1, version=version)) - 1900
            c.send(publish("t", bytes(2048 - head), qos=1, id=1, version=version))
            c.expect(PUBACK)
            c.send(publish("t", bytes(2049 - head), qos=1, id=1, version=version)[:5])
            assert c.expect_closed() == reason


def what_is_taken_is_delivered_though_it_grows_on_the_way(port):
    with Client(port) as sub, Client(port, 4) as pub:
        sub.connect("sub")
        sub.subscribe("t", qos=1, props={"subscription_id": 300})
        pub.connect("pub")
        head = len(publish("t", bytes(900), qos=1, id=1, version=4)) - 900
        pub.publish("t", bytes(2048 - head), qos=1)
        sub.expect_publish("t", bytes(2048 - head))


def large_messages_pass(port):
    payload = os.urandom(1_000_000)
    with Client(port) as c:
        c.connect("x")
        c.subscribe("large", qos=1)
        for qos in (0, 1):
            c.send(publish("large", payload, qos=qos, id=qos))
            p = c.recv(20)
            got = p if p.type == PUBLISH else c.recv(20)
            assert got.payload == payload
            if qos:
                c.ack(PUBACK, got.id)


def packets_may_be_cut_anywhere(port):
    stream = b"".join(publish("cut", bytes([65 + i % 26]) * (i * 7 % 300), qos=i % 2, id=i + 1) for i in range(200))
    for size in (1, 2, 3, 7, 64, 1000):
        with Client(port) as sub, Client(port) as pub:
            sub.connect("sub")
            sub.subscribe("cut")
            pub.connect("pub")
            for at in range(0, len(stream) if size > 3 else 3000, size):
                pub.send(stream[at:at + size])
            count = 200
            if size <= 3:
                pub.send(stream[at + size:])
            for i in range(count):
                sub.expect_publish("cut", bytes([65 + i % 26]) * (i * 7 % 300))


if __name__ == "__main__":
    run(properties_pass_through_at_each_qos, a_response_topic_with_wildcards_is_refused, an_alias_stands_for_its_topic,
        a_wrong_alias_ends_the_connection, aliases_end_with_the_connection, expiry_passes_on_what_is_left,
        a_client_is_not_sent_more_than_it_takes, large_messages_pass, packets_may_be_cut_anywhere)
    run(a_client_that_sends_more_than_we_take_is_closed, what_is_taken_is_delivered_though_it_grows_on_the_way,
        packet_bytes="2KiB")
