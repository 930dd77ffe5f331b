#!/usr/bin/python3
"""Does each message of a shared subscription go to exactly one member, and to another when that one goes?"""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run
from lib.mqtt import *

GROUP = "$share/g/s/#"


def member(port, name, version=5, qos=1, group=GROUP, **kw):
    c = Client(port, version)
    c.connect(name, **kw)
    c.subscribe(group, qos=qos)
    return c


def publisher(port):
    c = Client(port)
    c.connect("pub")
    return c


def drain(c, timeout=0.3):
    """Acknowledges what comes; the payloads."""
    got = []
    while True:
        try:
            p = c.recv(timeout)
        except Timeout:
            return got
        if p.type == PUBLISH:
            got.append(p.payload)
            if p.qos:
                c.ack(PUBACK if p.qos == 1 else PUBREC, p.id)
        elif p.type == PUBREL:
            c.ack(PUBCOMP, p.id)


def numbers(count, first=0):
    return [b"%d" % i for i in range(first, first + count)]


def each_message_goes_to_one_member_by_turns(port):
    for qos in (0, 1, 2):
        members = [member(port, "m%d" % i, version=(5, 4, 5)[i], qos=qos) for i in range(3)]
        with publisher(port) as pub:
            for n in numbers(30):
                pub.publish("s/x", n, qos=qos)
        got = [drain(c) for c in members]
        assert sorted(sum(got, [])) == sorted(numbers(30)), got
        assert [len(g) for g in got] == [10, 10, 10], got
        assert all(g == sorted(g, key=int) for g in got), got
        for c in members:
            c.disconnect()


def groups_and_plain_subscribers_each_get_a_copy(port):
    with member(port, "a") as a, member(port, "b", group="$share/other/s/x") as b, member(port, "c", group="s/+") as c:
        a.subscribe("s/x", qos=0)
        with publisher(port) as pub:
            pub.publish("s/x", b"1", qos=1)
        assert (drain(a), drain(b), drain(c)) == ([b"1", b"1"], [b"1"], [b"1"])


def options_are_those_of_the_member(port):
    with Client(port) as a, publisher(port) as pub:
        a.connect("a")
        a.subscribe(GROUP, qos=0, props={"subscription_id": 77}, retain_as_published=True)
        pub.publish("s/r", b"x", qos=2, retain=True)
        a.expect_publish("s/r", b"x", qos=0, retain=True)
        a.subscribe(GROUP, qos=1, props={"subscription_id": 78})
        pub.publish("s/r", b"", qos=2, retain=True)
        p = a.expect_publish("s/r", b"", qos=1, retain=False)
        assert p.props["subscription_id"] == [78], p


def no_retained_messages_are_sent(port):
    with publisher(port) as pub, Client(port) as a:
        pub.publish("s/kept", b"old", qos=1, retain=True)
        a.connect("a")
        for handling in (0, 1):
            a.subscribe(GROUP, qos=1, retain_handling=handling)
        a.expect_nothing(0.2)
        a.subscribe("s/kept")
        a.expect_publish("s/kept", b"old")
        pub.publish("s/kept", b"", retain=True)


def no_local_is_a_protocol_error(port):
    with Client(port) as a:
        a.connect("a")
        a.send(subscribe(1, [("plain", 1), (GROUP, options(1, no_local=True))]))
        assert a.expect_closed() == 0x82


def names_are_checked(port):
    for wrong in ("$share/", "$share/g", "$share/g/", "$share//f", "$share/g+/f", "$share/#/f", "$share/g/a#", "$share/+/a"):
        with Client(port) as a:
            a.connect("a")
            a.send(subscribe(1, [(wrong, 1)]))
            assert a.expect_closed() == 0x8F, wrong
    with Client(port) as a:
        a.connect("a")
        a.subscribe("$share/g/$SYS/none", "$share/g//", "$share/g/#", "$share", "$shared/g/x")


def a_publisher_may_be_a_member(port):
    with member(port, "a") as a:
        a.publish("s/x", b"0")
        a.expect_publish("s/x", b"0")


def unsubscribing_leaves_the_group(port):
    with member(port, "a") as a, member(port, "b") as b, publisher(port) as pub:
        a.send(unsubscribe(3, [GROUP, GROUP, "$share/none/s"]))
        assert a.expect(UNSUBACK).codes == [0, 0x11, 0x11]
        for n in numbers(4):
            pub.publish("s/x", n, qos=1)
        assert (drain(a), drain(b)) == ([], numbers(4))
        b.unsubscribe(GROUP)
        assert pub.publish("s/x", b"", qos=1).reason == 0x10


def one_that_can_take_no_more_is_passed_over(port):
    with member(port, "slow", receive_maximum=2) as slow, member(port, "quick") as quick, publisher(port) as pub:
        for n in numbers(20):
            pub.publish("s/x", n, qos=1)
        taken = [slow.expect(PUBLISH) for _ in range(2)]
        slow.expect_nothing(0.2)
        assert len(drain(quick)) == 18
        for p in taken:
            slow.ack(PUBACK, p.id)


def many_slow_ones_keep_nothing_from_the_quick_one(port):
    slow = [member(port, "slow%d" % i, receive_maximum=1) for i in range(20)]
    with member(port, "quick") as quick, publisher(port) as pub:
        for n in numbers(200):
            pub.publish("s/x", n, qos=1)
        assert len(drain(quick)) == 180
    for c in slow:
        c.disconnect()


def what_all_are_too_slow_for_waits_for_the_first_that_can(port):
    with member(port, "a", receive_maximum=1) as a, member(port, "b", receive_maximum=1) as b, publisher(port) as pub:
        for n in numbers(12):
            pub.publish("s/x", n, qos=1)
        first = [a.expect(PUBLISH), b.expect(PUBLISH)]
        assert sorted(p.payload for p in first) == numbers(2)
        b.ack(PUBACK, first[1].id)
        assert drain(b) == numbers(10, 2), "all that waited goes to the one that takes it, in order"
        a.ack(PUBACK, first[0].id)
        a.expect_nothing(0.2)


def a_group_with_much_that_waits_keeps_no_other_group_waiting(port):
    with Client(port) as a, publisher(port) as pub:
        a.connect("a", receive_maximum=1)
        a.subscribe("$share/g/quiet", "$share/g/busy", qos=1)
        for n in numbers(10):
            pub.publish("busy", n, qos=1)
        pub.publish("quiet", b"x", qos=1)
        topics = []
        for _ in range(4):
            p = a.expect(PUBLISH)
            topics.append(p.topic)
            pub.publish("busy", b"one more", qos=1)
            a.ack(PUBACK, p.id)
        assert "quiet" in topics, topics


def what_a_member_is_sent_alone_keeps_no_group_waiting(port):
    with Client(port) as a, publisher(port) as pub:
        a.connect("a", receive_maximum=1)
        a.subscribe("$share/g/quiet", "busy", qos=1)
        for n in numbers(10):
            pub.publish("busy", n, qos=1)
        pub.publish("quiet", b"x", qos=1)
        topics = []
        for _ in range(4):
            p = a.expect(PUBLISH)
            topics.append(p.topic)
            pub.publish("busy", b"one more", qos=1)
            a.ack(PUBACK, p.id)
        assert "quiet" in topics, topics


def what_one_leaves_unacknowledged_goes_to_another(port):
    for expiry in (0, 100):
        with member(port, "b") as b, publisher(port) as pub:
            a = member(port, "a", clean=False, session_expiry=expiry)
            for n in numbers(10):
                pub.publish("s/x", n, qos=1)
            mine = [a.expect(PUBLISH).payload for _ in range(5)]
            others = drain(b)
            assert sorted(mine + others) == numbers(10)
            a.kill()
            assert drain(b) == mine, "in their order"
            with Client(port) as again:
                again.connect("a", clean=False)
                again.expect_nothing(0.2)


def qos2_under_way_stays_with_its_member(port):
    with member(port, "b", qos=2) as b, publisher(port) as pub:
        a = member(port, "a", qos=2, clean=False, session_expiry=100)
        for n in numbers(2):
            pub.publish("s/x", n, qos=2)
        mine = a.expect(PUBLISH)
        assert len(drain(b)) == 1
        a.kill()
        b.expect_nothing(0.3)
        with Client(port) as again:
            again.connect("a", clean=False)
            p = again.expect_publish("s/x", mine.payload, dup=True, id=mine.id)
            again.ack(PUBREC, p.id)
            again.expect(PUBREL)
            again.ack(PUBCOMP, p.id)
        b.expect_nothing(0.1)


def a_refused_message_is_offered_to_nobody_else(port):
    with member(port, "a") as a, member(port, "b") as b, publisher(port) as pub:
        pub.publish("s/x", b"bad", qos=1)
        chosen, other = (a, b)
        try:
            p = a.recv(0.3)
        except Timeout:
            chosen, other = b, a
            p = b.expect(PUBLISH)
        chosen.ack(PUBACK, p.id, 0x83)
        chosen.kill()
        other.expect_nothing(0.3)


def members_that_are_away_are_waited_for(port):
    for name in ("a", "b"):
        with member(port, name, session_expiry=100) as c:
            c.kill()
    with publisher(port) as pub:
        for n in numbers(5):
            pub.publish("s/x", n, qos=1)
        pub.publish("s/x", b"soon gone", qos=0)
    with Client(port) as b:
        assert b.connect("b", clean=False).session_present
        assert drain(b) == numbers(5)
        with Client(port) as a:
            a.connect("a", clean=False)
            a.expect_nothing(0.2)


def one_that_comes_alone_takes_what_the_other_left(port):
    a = member(port, "a", session_expiry=100)
    with publisher(port) as pub:
        for n in numbers(3):
            pub.publish("s/x", n, qos=1)
        for _ in range(3):
            a.expect(PUBLISH)
        a.kill()
        pub.ping()
        with member(port, "b") as b:
            assert drain(b) == numbers(3)
        with Client(port) as again:
            again.connect("a", clean=False)
            again.expect_nothing(0.2)


def one_that_returns_alone_is_sent_its_own_again(port):
    a = member(port, "a", session_expiry=100)
    with publisher(port) as pub:
        pub.publish("s/x", b"1", qos=1)
        p = a.expect(PUBLISH)
        a.kill()
    with Client(port) as again:
        again.connect("a", clean=False)
        again.expect_publish("s/x", b"1", dup=True, id=p.id)


def an_ended_session_leaves_its_messages_to_those_who_are_away(port):
    with member(port, "away", session_expiry=100) as c:
        c.kill()
    a = member(port, "a")
    with publisher(port) as pub:
        for n in numbers(3):
            pub.publish("s/x", n, qos=1)
        for _ in range(3):
            a.expect(PUBLISH)
        a.disconnect()
        with Client(port) as c:
            c.connect("away", clean=False)
            assert drain(c) == numbers(3)


def what_has_expired_is_not_handed_over(port):
    with member(port, "away", session_expiry=100) as c:
        c.kill()
    with publisher(port) as pub:
        pub.publish("s/x", b"short", qos=1, message_expiry=1)
        pub.publish("s/x", b"long", qos=1, message_expiry=1000)
        time.sleep(1.2)
    with Client(port) as c:
        c.connect("away", clean=False)
        p = c.expect_publish("s/x", b"long")
        assert 990 <= p.props["message_expiry"] <= 999, p
        c.expect_nothing(0.1)


def a_queue_of_a_group_is_bounded(port):
    with member(port, "away", session_expiry=100) as c:
        c.kill()
    with publisher(port) as pub:
        for n in numbers(150):
            pub.publish("s/x", n, qos=1)
    with Client(port) as c:
        c.connect("away", clean=False)
        assert drain(c) == numbers(150)[50:]


def a_session_is_a_member_of_so_many(port):
    with Client(port) as c:
        c.connect("many")
        c.send(subscribe(1, [("$share/g%d/s" % i, 1) for i in range(1001)]))
        assert c.expect(SUBACK).codes == [1] * 1000 + [0x97]
        c.unsubscribe("$share/g7/s")
        c.subscribe("$share/g1000/s")


def members_come_and_go_under_load_and_nothing_is_lost(port):
    count = 3000
    stay = member(port, "stay", receive_maximum=20)
    got = set()
    with publisher(port) as pub:
        for start in range(0, count, 100):
            leaver = member(port, "leaver%d" % start, receive_maximum=10)
            for n in range(start, start + 100):
                pub.send(publish("s/x", b"%d" % n, qos=1, id=n % 1000 + 1))
            for _ in range(5):
                p = leaver.expect(PUBLISH)
                got.add(int(p.payload))
                leaver.ack(PUBACK, p.id)
            leaver.kill()
            got.update(int(n) for n in drain(stay, 0.02))
    got.update(int(n) for n in drain(stay, 1))
    stay.kill()
    assert got == set(range(count)), sorted(set(range(count)) - got)[:10]


if __name__ == "__main__":
    run(each_message_goes_to_one_member_by_turns, groups_and_plain_subscribers_each_get_a_copy,
        options_are_those_of_the_member, no_retained_messages_are_sent, no_local_is_a_protocol_error, names_are_checked,
        a_publisher_may_be_a_member, unsubscribing_leaves_the_group, one_that_can_take_no_more_is_passed_over,
        many_slow_ones_keep_nothing_from_the_quick_one, what_all_are_too_slow_for_waits_for_the_first_that_can,
        a_group_with_much_that_waits_keeps_no_other_group_waiting,
        what_a_member_is_sent_alone_keeps_no_group_waiting, what_one_leaves_unacknowledged_goes_to_another,
        qos2_under_way_stays_with_its_member, a_refused_message_is_offered_to_nobody_else,
        members_that_are_away_are_waited_for, one_that_comes_alone_takes_what_the_other_left,
        one_that_returns_alone_is_sent_its_own_again,
        an_ended_session_leaves_its_messages_to_those_who_are_away, what_has_expired_is_not_handed_over,
        a_queue_of_a_group_is_bounded, a_session_is_a_member_of_so_many,
        members_come_and_go_under_load_and_nothing_is_lost, queued_messages=100)
