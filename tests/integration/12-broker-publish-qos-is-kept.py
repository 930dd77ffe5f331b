#!/usr/bin/python3
"""Does each QoS keep its promise in both directions: at least once, exactly once, in order, across lost connections?"""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run
from lib.mqtt import *


def the_lower_qos_of_both_ends_counts(port):
    with Client(port) as sub, Client(port, 4) as pub:
        sub.connect("sub")
        pub.connect("pub")
        for asked in (0, 1, 2):
            sub.subscribe("t", qos=asked)
            for sent in (0, 1, 2):
                pub.publish("t", b"x", qos=sent)
                got = sub.expect_publish("t", b"x", qos=min(asked, sent), retain=False, dup=False)
                if got.qos == 1:
                    sub.ack(PUBACK, got.id)
                if got.qos == 2:
                    sub.ack(PUBREC, got.id)
                    assert sub.expect(PUBREL).id == got.id
                    sub.ack(PUBCOMP, got.id)


def nobody_there_is_said_to_mqtt_5(port):
    with Client(port) as c:
        c.connect("x")
        assert c.publish("nobody", b"", qos=1).reason == 0x10
        c.send(publish("nobody", b"", qos=2, id=9))
        assert c.expect(PUBREC).reason == 0x10
        c.ack(PUBREL, 9)
        assert c.expect(PUBCOMP).reason == 0
        c.subscribe("somebody")
        c.send(publish("somebody", b"", qos=1, id=10))
        c.expect_publish("somebody")
        assert c.expect(PUBACK).reason == 0


def a_repeated_qos_2_message_is_delivered_once(port):
    with Client(port) as sub:
        sub.connect("sub")
        sub.subscribe("once", qos=0)
        for version in (4, 5):
            props = {"session_expiry": 100} if version == 5 else {}
            with Client(port, version) as pub:
                pub.connect("pub%d" % version, clean=False, **props)
                pub.send(publish("once", b"1", qos=2, id=5, version=version))
                pub.expect(PUBREC)
                pub.send(publish("once", b"1", qos=2, id=5, dup=True, version=version))
                assert pub.expect(PUBREC).reason < 0x80
                pub.kill()
            with Client(port, version) as pub:
                assert pub.connect("pub%d" % version, clean=False, **props).session_present
                pub.send(publish("once", b"1", qos=2, id=5, dup=True, version=version))
                pub.expect(PUBREC)
                for _ in range(2):
                    pub.ack(PUBREL, 5)
                    pub.expect(PUBCOMP)
                sub.expect_publish("once", b"1")
                sub.expect_nothing(0.2)
                pub.send(publish("once", b"2", qos=2, id=5, version=version))
                pub.expect(PUBREC)
                sub.expect_publish("once", b"2")


def unknown_ids_are_answered_with_reasons(port):
    with Client(port) as c:
        c.connect("x")
        c.ack(PUBREL, 7)
        p = c.expect(PUBCOMP)
        assert (p.id, p.reason) == (7, 0x92)
        c.ack(PUBREC, 8)
        p = c.expect(PUBREL)
        assert (p.id, p.reason) == (8, 0x92)
        c.ack(PUBACK, 9)
        c.ack(PUBCOMP, 10)
        c.ping()
    with Client(port, 4) as c:
        c.connect("x")
        c.ack(PUBREL, 7)
        assert c.expect(PUBCOMP).body == b"\0\7"
        c.ack(PUBREC, 8)
        assert c.expect(PUBREL).body == b"\0\10"


def an_acknowledgement_of_the_wrong_kind_ends_the_connection(port):
    with Client(port) as pub:
        pub.connect("pub")
        for qos, wrong in ((1, PUBREC), (1, PUBCOMP), (2, PUBACK), (2, PUBCOMP)):
            with Client(port) as c:
                c.connect("wrong")
                c.subscribe("w", qos=2)
                pub.publish("w", b"", qos=qos)
                c.ack(wrong, c.expect(PUBLISH).id)
                assert c.expect_closed() == 0x82


def a_receiver_that_refuses_a_message_is_done_with_it(port):
    with Client(port) as c, Client(port) as pub:
        c.connect("picky", session_expiry=100)
        c.subscribe("r", qos=2)
        pub.connect("pub")
        pub.publish("r", b"", qos=2)
        pub.publish("r", b"", qos=1)
        a, b = c.expect(PUBLISH), c.expect(PUBLISH)
        c.ack(PUBREC, a.id, 0x97)
        c.ack(PUBACK, b.id, 0x97)
        c.ping()
        c.kill()
    with Client(port) as c:
        assert c.connect("picky", clean=False).session_present
        c.expect_nothing()


def a_thousand_unfinished_qos_2_messages_are_all_kept(port):
    count = 1000
    for version in (4, 5):
        with Client(port, version) as sub, Client(port, version) as pub:
            sub.connect("sub")
            sub.subscribe("many", qos=2)
            pub.connect("pub")
            pub.send(b"".join(publish("many", b"%d" % i, qos=2, id=i, version=version) for i in range(1, count + 1)))
            for i in range(1, count + 1):
                assert pub.expect(PUBREC).id == i
            got = [sub.expect_publish("many", b"%d" % i) for i in range(1, count + 1)]
            pub.send(b"".join(ack(PUBREL, i, version=version) for i in range(1, count + 1)))
            for i in range(1, count + 1):
                p = pub.expect(PUBCOMP)
                assert p.id == i and p.reason == 0
            sub.send(b"".join(ack(PUBREC, p.id, version=version) for p in got))
            for p in got:
                assert sub.expect(PUBREL).id == p.id
            sub.send(b"".join(ack(PUBCOMP, p.id, version=version) for p in got))
            sub.ping()


def before_mqtt_5_more_than_the_limit_is_taken(port):
    with Client(port, 4) as pub, Client(port) as sub:
        sub.connect("sub")
        sub.subscribe("more")
        pub.connect("pub")
        pub.send(b"".join(publish("more", b"%d" % i, qos=2, id=i, version=4) for i in range(1, 201)))
        for i in range(1, 201):
            assert pub.expect(PUBREC).id == i
            sub.expect_publish("more", b"%d" % i)


def an_mqtt_5_client_over_our_receive_maximum_is_closed(port):
    with Client(port) as pub:
        assert pub.connect("pub").props["receive_maximum"] == 5
        for i in range(1, 6):
            pub.send(publish("more", b"", qos=2, id=i))
            pub.expect(PUBREC)
        pub.ack(PUBREL, 1)
        pub.expect(PUBCOMP)
        pub.send(publish("more", b"", qos=2, id=6))
        pub.expect(PUBREC)
        pub.send(publish("more", b"", qos=1, id=7))
        assert pub.expect_closed() == 0x93


def a_batch_goes_through(pub, sub, qos, numbers):
    """In bursts at each step, as fast clients do; all answers have to come in order."""
    ids = [i % 1000 + 1 for i in numbers]
    pub.send(b"".join(publish("load", b"%d" % i, qos=qos, id=id, version=4) for i, id in zip(numbers, ids)))
    got = [sub.expect_publish("load", b"%d" % i, qos=qos).id for i in numbers]
    if qos == 1:
        assert [pub.expect(PUBACK).id for _ in ids] == ids
        sub.send(b"".join(ack(PUBACK, id, version=4) for id in got))
    if qos == 2:
        assert [pub.expect(PUBREC).id for _ in ids] == ids
        pub.send(b"".join(ack(PUBREL, id, version=4) for id in ids))
        assert [pub.expect(PUBCOMP).id for _ in ids] == ids
        sub.send(b"".join(ack(PUBREC, id, version=4) for id in got))
        assert [sub.expect(PUBREL).id for _ in got] == got
        sub.send(b"".join(ack(PUBCOMP, id, version=4) for id in got))


def order_is_kept_under_load(port):
    for qos in (0, 1, 2):
        with Client(port, 4) as sub, Client(port, 4) as pub:
            sub.connect("sub")
            sub.subscribe("load", qos=qos)
            pub.connect("pub")
            for start in range(0, 3000, 100):
                a_batch_goes_through(pub, sub, qos, range(start, start + 100))


if __name__ == "__main__":
    run(the_lower_qos_of_both_ends_counts, nobody_there_is_said_to_mqtt_5, a_repeated_qos_2_message_is_delivered_once,
        unknown_ids_are_answered_with_reasons, an_acknowledgement_of_the_wrong_kind_ends_the_connection,
        a_receiver_that_refuses_a_message_is_done_with_it, a_thousand_unfinished_qos_2_messages_are_all_kept,
        order_is_kept_under_load)
    run(before_mqtt_5_more_than_the_limit_is_taken, an_mqtt_5_client_over_our_receive_maximum_is_closed, inflight=5)
