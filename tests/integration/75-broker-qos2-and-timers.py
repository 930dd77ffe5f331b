#!/usr/bin/python3
"""Is no QoS 2 message lost or given twice, however many are unfinished; and are delays and expiries kept when they are due?"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run
from lib.mqtt import *

COUNT = 1000
LATE = 5.0  # a machine may be busy; what is really measured is printed


def numbers():
    return [b"%d" % i for i in range(COUNT)]


def subscriber(port, version, name="sub", **kw):
    c = Client(port, version, timeout=30)
    c.connect(name, **kw)
    c.subscribe("q2/#", qos=2)
    return c


def take_all(c, count=COUNT):
    """Goes through QoS 2 to the end for each message; the payloads in their order."""
    got, done = [], 0
    while done < count:
        p = c.recv()
        if p.type == PUBLISH:
            got.append(p.payload)
            c.ack(PUBREC, p.id)
        else:
            assert p.type == PUBREL, p
            c.ack(PUBCOMP, p.id)
            done += 1
    return got


def begin_all(c, dup=False):
    """1 000 times PUBLISH and not one PUBREL."""
    for i, payload in enumerate(numbers()):
        c.send(publish("q2/x", payload, qos=2, id=i + 1, dup=dup, version=c.version))


def collect(c, kind, count=COUNT):
    ids = [c.expect(kind).id for _ in range(count)]
    assert sorted(ids) == list(range(1, count + 1)), ids[:10]


def finish_all(c):
    for id in range(1, COUNT + 1):
        c.ack(PUBREL, id)
    collect(c, PUBCOMP)


def a_thousand_unfinished_ones_all_arrive(port):
    for version in (4, 3):
        with subscriber(port, version) as sub, Client(port, version, timeout=30) as pub:
            pub.connect("pub")
            begin_all(pub)
            collect(pub, PUBREC)
            finish_all(pub)
            assert take_all(sub) == numbers()
            sub.expect_nothing(0.1)


def sent_again_after_a_break_they_are_not_given_again(port):
    with subscriber(port, 4) as sub:
        with Client(port, 4, timeout=30) as pub:
            pub.connect("pub", clean=False)
            begin_all(pub)
            collect(pub, PUBREC)
        with Client(port, 4, timeout=30) as pub:
            assert pub.connect("pub", clean=False).session_present
            begin_all(pub, dup=True)
            collect(pub, PUBREC)
            finish_all(pub)
            begin_all(pub)  # the same ids, and other messages
            collect(pub, PUBREC)
            finish_all(pub)
        assert take_all(sub, 2 * COUNT) == numbers() * 2
        sub.expect_nothing(0.1)
    with Client(port, 4) as pub:
        pub.connect("pub")


def a_receiver_that_finishes_none_is_sent_what_its_window_holds_and_then_the_rest(port):
    with subscriber(port, 4, "slow", clean=False) as sub, Client(port, 4, timeout=30) as pub:
        pub.connect("pub")
        begin_all(pub)
        collect(pub, PUBREC)
        finish_all(pub)
        first = [sub.expect(PUBLISH) for _ in range(20)]
        sub.expect_nothing(0.2)
        assert [p.payload for p in first] == numbers()[:20]
        sub.kill()
    with Client(port, 4, timeout=30) as sub:
        sub.connect("slow", clean=False)
        assert take_all(sub) == numbers()
        sub.expect_nothing(0.1)
    with Client(port, 4) as sub:
        sub.connect("slow")


def an_mqtt5_client_keeps_to_the_window_it_was_told(port):
    with subscriber(port, 5) as sub, Client(port, timeout=30) as pub:
        most = pub.connect("pub").props["receive_maximum"]
        assert most == 20
        for start in range(0, COUNT, most):
            for id in range(1, most + 1):
                pub.send(publish("q2/x", numbers()[start + id - 1], qos=2, id=id))
            collect(pub, PUBREC, most)
            for id in range(1, most + 1):
                pub.ack(PUBREL, id)
            collect(pub, PUBCOMP, most)
        assert take_all(sub) == numbers()


def told(what, due, began):
    late = time.monotonic() - began - due
    print("    %s: due after %.1f s, %+.0f ms" % (what, due, late * 1000))
    assert -0.05 < late < LATE, what


def wills_and_sessions_end_when_they_are_due(port):
    with Client(port) as watch:
        watch.connect("watch")
        watch.subscribe("w/#")
        for name, will_delay, expiry, due in (("by delay", 1, 60, 1), ("by expiry", 60, 1, 1), ("at once", 0, 60, 0)):
            c = Client(port)
            c.connect("leaver", session_expiry=expiry, will=dict(topic="w/will", payload=name,
                                                                 props={"will_delay": will_delay}))
            began = time.monotonic()
            c.kill()
            watch.expect_publish("w/will", name.encode(), timeout=due + LATE)
            told("will " + name, due, began)
        for seconds, present in ((1.5, False), (0.5, True)):
            with Client(port) as c:
                c.connect("stays", session_expiry=1)
                c.kill()
            time.sleep(seconds)
            with Client(port) as c:
                assert c.connect("stays", clean=False).session_present == present, seconds


def silence_ends_the_connection_after_one_and_a_half_keepalives(port):
    for version, reason in ((5, 0x8D), (4, None)):
        with Client(port, version) as c:
            c.connect("silent", keepalive=2)
            time.sleep(1.5)
            c.ping()
            began = time.monotonic()
            assert c.expect_closed(timeout=3 + LATE) == reason
            told("keepalive of 2 s", 3, began)


def an_expired_message_is_not_sent(port):
    with Client(port) as c:
        c.connect("away", session_expiry=60)
        c.subscribe("e/#", qos=1)
        c.kill()
    with Client(port) as pub:
        pub.connect("pub")
        for seconds in (1, 2, 60):
            pub.publish("e/x", b"%d" % seconds, qos=1, message_expiry=seconds, retain=seconds == 1)
        pub.publish("e/kept", b"1", qos=1, message_expiry=1, retain=True)
        time.sleep(1.2)
    with Client(port) as c:
        c.connect("away", clean=False)
        c.expect_publish("e/x", b"2")
        p = c.expect_publish("e/x", b"60")
        assert 57 <= p.props["message_expiry"] <= 59, p
        c.subscribe("e/kept", "e/x")
        c.expect_nothing(0.1)


if __name__ == "__main__":
    run(a_thousand_unfinished_ones_all_arrive, sent_again_after_a_break_they_are_not_given_again,
        a_receiver_that_finishes_none_is_sent_what_its_window_holds_and_then_the_rest,
        an_mqtt5_client_keeps_to_the_window_it_was_told, inflight=20)
    run(a_thousand_unfinished_ones_all_arrive, wills_and_sessions_end_when_they_are_due,
        silence_ends_the_connection_after_one_and_a_half_keepalives, an_expired_message_is_not_sent)
