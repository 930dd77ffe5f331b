#!/usr/bin/python3
"""Is each limit kept, the offender told, everybody else left in peace, and it all counted?"""
import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import configuration, run, start
from lib.mqtt import *
from lib.programs import WIREPOST, free_port, wait_for

QUICK = {"sys_interval": "50ms"}


def counter(port, name, at_least=1):
    """What $SYS/wirepost/NAME says, once that is so many."""
    with Client(port) as c:
        c.connect()
        c.subscribe("$SYS/wirepost/" + name)
        end = time.monotonic() + 10
        value = -1
        while value < at_least:
            assert time.monotonic() < end, "%s is %d, not %d" % (name, value, at_least)
            value = int(c.expect(PUBLISH).payload)
        return value


def count(port, name):
    return counter(port, name, 0)


def numbers(first, end):
    return [b"%d" % i for i in range(first, end)]


def drain(c):
    """Takes and acknowledges what comes, until nothing does for a while."""
    got = []
    try:
        while True:
            p = c.recv(0.5)
            assert p.type == PUBLISH, p
            got.append(p.payload)
            if p.qos == 1:
                c.ack(PUBACK, p.id)
    except Timeout:
        return got


def fill_queue_of(port, client_id, count):
    """Publishes so many to a client that is away."""
    with Client(port) as c:
        c.connect(client_id, session_expiry=100)
        c.subscribe("q/" + client_id, qos=1)
    with Client(port) as pub:
        pub.connect()
        for n in numbers(0, count):
            assert pub.publish("q/" + client_id, n, qos=1).reason == 0
    c = Client(port)
    c.connect(client_id, clean=False, session_expiry=100)
    return drain(c)


def a_full_queue_loses_its_oldest(port):
    before = count(port, "dropped/queue_full")
    assert fill_queue_of(port, "away", 25) == numbers(15, 25)
    counter(port, "dropped/queue_full", before + 15)


def a_full_queue_takes_nothing_new(port):
    before = count(port, "dropped/queue_full")
    assert fill_queue_of(port, "away", 25) == numbers(0, 10)
    counter(port, "dropped/queue_full", before + 15)


def one_message_too_large_for_a_queue_drives_nothing_out_of_it(port):
    with Client(port) as c, Client(port) as pub:
        c.connect("away", session_expiry=100)
        c.subscribe("q", qos=1)
        c.kill()
        pub.connect()
        for payload in (b"1", b"2", b"x" * 20000, b"3"):
            pub.publish("q", payload, qos=1)
    c = Client(port)
    c.connect("away", clean=False, session_expiry=100)
    assert drain(c) == numbers(1, 4)


def a_slow_client_is_disconnected_with_quota_exceeded(port):
    for version, reason in ((5, 0x97), (4, None)):
        before = count(port, "limits/slow_consumers")
        with Client(port, version) as slow, Client(port) as other, Client(port) as pub:
            slow.connect("slow", **({"session_expiry": 100} if version == 5 else {"clean": False}))
            slow.subscribe("t", qos=1)
            other.connect("other")
            other.subscribe("t", qos=1)
            pub.connect("pub")
            for n in numbers(0, 30):
                assert pub.publish("t", n, qos=1).reason == 0
                other.ack(PUBACK, other.expect_publish("t", n).id)
            got = [slow.expect_publish("t", n).payload for n in numbers(0, 4)]
            assert slow.expect_closed() == reason
        counter(port, "limits/slow_consumers", before + 1)
        with Client(port, version) as slow:
            slow.connect("slow", clean=False)
            again = drain(slow)
            assert again[:4] == got, again # what is in flight comes again, then the newest ten
            assert again[4:] == numbers(20, 30), again
            slow.unsubscribe("t")


def bytes_in_flight_are_bounded(port):
    with Client(port) as sub, Client(port) as pub:
        sub.connect("sub")
        sub.subscribe("b", qos=1)
        pub.connect("pub")
        for i in range(10):
            pub.publish("b", b"%d" % i + bytes(3000), qos=1)
        got = [sub.expect_publish("b") for _ in range(4)] # the fourth goes over 10 000
        sub.expect_nothing()
        pub.publish("b", b"quick", qos=0) # which needs no acknowledgement
        sub.expect_publish("b", b"quick")
        for i in range(10):
            sub.ack(PUBACK, got.pop(0).id)
            if i < 6:
                got.append(sub.expect_publish("b"))
                assert got[-1].payload.startswith(b"%d" % (i + 4))


def one_message_of_any_size_is_always_in_flight(port):
    with Client(port) as sub, Client(port) as pub:
        sub.connect("sub", session_expiry=100)
        sub.subscribe("b", qos=1)
        pub.connect("pub")
        for i in range(3):
            pub.publish("b", b"%d" % i + bytes(30000), qos=1)
        sub.expect_publish("b")
        sub.expect_nothing()
    with Client(port) as sub: # and comes again
        sub.connect("sub", clean=False)
        for i in range(3):
            p = sub.expect_publish("b")
            assert p.payload.startswith(b"%d" % i)
            sub.ack(PUBACK, p.id)


def refused_connection(port, version, reason):
    """Is turned away and told so."""
    with Client(port, version) as c:
        c.connect("late", reason=reason)
        assert c.expect_closed() is None


def connections_are_bounded(port):
    others = [Client(port) for _ in range(5)]
    for i, c in enumerate(others):
        c.connect("other-%d" % i)
    refused_connection(port, 5, 0x97)
    refused_connection(port, 4, 3)
    others[0].ping()
    others[0].disconnect()
    wait_until_served(port)
    counter(port, "limits/connections", 2)
    for c in others[1:]:
        c.ping()
        c.kill()


def wait_until_served(port):
    """The broker may hear a moment later that somebody has gone."""
    end = time.monotonic() + 10
    while True:
        with Client(port) as c:
            c.send(connect("late"))
            if c.expect(CONNACK).reason == 0:
                return
        assert time.monotonic() < end


def a_flood_of_connections_is_closed_without_a_word(port):
    others = [Client(port) for _ in range(5)]
    for i, c in enumerate(others):
        c.connect("other-%d" % i)
    flood = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
    others[0].ping()
    closed = 0
    for s in flood: # some are listened to for five seconds, should they want to be told
        s.settimeout(10)
        closed += s.recv(100) == b""
        s.close()
    assert closed == 200
    for c in others:
        c.ping()
        c.kill()


def connections_of_one_address_are_bounded(port):
    others = [Client(port) for _ in range(3)]
    for i, c in enumerate(others):
        c.connect("other-%d" % i)
    refused_connection(port, 5, 0x97)
    refused_connection(port, 4, 3)
    with Client(port, sock=from_address("127.0.0.2", port)) as elsewhere: # another address
        elsewhere.connect("elsewhere")
        elsewhere.subscribe("$SYS/wirepost/limits/connections_per_address")
        while int(elsewhere.expect(PUBLISH).payload) < 2:
            pass
    for c in others:
        c.ping()
        c.kill()


def from_address(source, port):
    return socket.create_connection(("127.0.0.1", port), source_address=(source, 0))


def connections_of_one_address_come_at_a_rate(port):
    for i in range(5): # the burst
        with Client(port) as c:
            c.connect("quick-%d" % i)
    refused_connection(port, 5, 0x9f)
    refused_connection(port, 4, 3)
    with Client(port, sock=from_address("127.0.0.3", port)) as elsewhere:
        elsewhere.connect("elsewhere")
        elsewhere.subscribe("$SYS/wirepost/limits/connection_rate")
        while int(elsewhere.expect(PUBLISH).payload) < 2:
            pass
    wait_until_served(port) # one a second


def this_machine_is_exempt_from_limits_of_an_address(port):
    clients = []
    for i in range(20):
        clients.append(Client(port))
        clients[-1].connect("c%d" % i)
    for c in clients:
        c.kill()


def long_client_ids_and_topics_are_refused(port):
    long = "x" * 101
    deep = "/".join("abcdefghijk")
    with Client(port) as c:
        c.connect(long, reason=0x85)
    with Client(port, 4) as c:
        c.connect(long, reason=2)
    for topic in (long, deep):
        with Client(port) as c:
            c.connect("w", will={"topic": topic}, reason=0x90)
    with Client(port) as c, Client(port, 4) as old, Client(port) as other:
        other.connect("other")
        other.subscribe("#")
        c.connect("c")
        old.connect("old")
        for topic in (long, deep):
            c.subscribe(topic, codes=[0x8f])
            old.subscribe(topic, codes=[0x80])
            c.publish(topic, b"0")
            old.publish(topic, b"0", qos=1)
            assert c.publish(topic, b"1", qos=1).reason == 0x90
            assert c.publish(topic, b"2", qos=2).reason == 0x90
            assert c.publish(topic, b"3", qos=1, topic_alias=1).reason == 0x90
        c.subscribe("/".join("abcdefghij"), "x" * 100, qos=1)
        old.publish("/".join("abcdefghij"), b"fits", qos=1)
        c.expect_publish("/".join("abcdefghij"), b"fits")
        other.expect_publish("/".join("abcdefghij"), b"fits")
        other.expect_nothing()
    counter(port, "limits/topic", 16)
    counter(port, "limits/client_id_bytes", 2)
    counter(port, "dropped/refused", 10)


def packets_are_of_bounded_size(port):
    with Client(port) as c:
        assert c.connect("c").props["maximum_packet_size"] == 2048
        c.send(publish("t", bytes(3000)))
        assert c.expect_closed() == 0x95
    with Client(port, 4) as c:
        c.connect("c")
        c.send(publish("t", bytes(3000), version=4))
        assert c.expect_closed() is None
    counter(port, "limits/packet_bytes", 2)


def subscriptions_of_a_client_are_bounded(port):
    with Client(port) as c, Client(port, 4) as old, Client(port) as other:
        for who, version, code in ((c, 5, 0x97), (old, 4, 0x80)):
            who.connect("c%d" % version)
            who.subscribe("a", "b", "$share/g/c", qos=1)
            who.subscribe("d", "a", "$share/g/e", codes=[code, 0, code]) # "a" was there before
            who.unsubscribe("b")
            who.subscribe("d", qos=1)
        other.connect("other")
        other.subscribe("d")
    counter(port, "limits/subscriptions", 4)


def subscriptions_are_bounded_in_all(port):
    with Client(port) as a:
        with Client(port) as b:
            a.connect("a")
            b.connect("b")
            a.subscribe(*["a/%d" % i for i in range(6)])
            b.subscribe("a/1", "$share/g/x", "b/1", "b/2", "b/3", "a/1", codes=[0, 0, 0, 0, 0x97, 0])
        counter(port, "limits/subscriptions") # whose own is among the ten
        a.subscribe("more")


def memory_of_subscriptions_is_bounded(port):
    with Client(port) as c, Client(port) as other:
        c.connect("c")
        other.connect("other")
        deep = lambda n: "%d/" % n + "/".join("x" * 100)
        refused = 0
        for i in range(200): # about 10 kB each
            c.send(subscribe(i + 1, [(deep(i), 0)]))
            refused += c.expect(SUBACK).codes == [0x97]
        assert 50 < refused < 180, refused
        c.subscribe(deep(0))
    with Client(port) as c: # what is given up may be had again
        c.connect("c")
        c.subscribe(deep(1000))


def retained_messages_are_bounded(port):
    with Client(port) as c, Client(port, 4) as old, Client(port) as other:
        other.connect("other")
        other.subscribe("r/#")
        c.connect("c")
        old.connect("old")
        for i in range(10):
            assert c.publish("r/%d" % i, b"x", qos=1, retain=True).reason == 0
            other.expect_publish("r/%d" % i)
        assert c.publish("r/new", b"x", qos=1, retain=True).reason == 0x97 # not delivered either
        assert c.publish("r/new", b"x", qos=2, retain=True).reason == 0x97
        assert c.publish("r/3", b"y", qos=1, retain=True).reason == 0
        other.expect_publish("r/3", b"y")
        c.publish("r/qos0", b"x", retain=True) # who cannot be told is served as far as it goes
        other.expect_publish("r/qos0", b"x")
        old.publish("r/old", b"x", qos=1, retain=True)
        other.expect_publish("r/old", b"x")
        c.publish("r/5", b"", retain=True)
        other.expect_publish("r/5", b"")
        assert c.publish("r/new", b"x", qos=1, retain=True).reason == 0
        other.expect_publish("r/new")
        other.expect_nothing(0.1)
    counter(port, "limits/retained", 4)
    with Client(port) as c:
        c.connect("c")
        c.subscribe("r/#")
        topics = sorted(c.expect(PUBLISH).topic for _ in range(10))
        assert topics == sorted(["r/%d" % i for i in range(10) if i != 5] + ["r/new"]), topics
        c.expect_nothing(0.1)


def retained_bytes_are_bounded(port):
    kept = 0
    with Client(port) as c:
        c.connect("c")
        for i in range(100):
            kept += c.publish("r/%d" % i, bytes(10_000), qos=1, retain=True).reason < 0x80
        assert 90 <= kept * 10_000 // 5000 <= 100, kept # of 500 kB
        assert c.publish("r/0", bytes(9_000), qos=1, retain=True).reason < 0x80
        for i in range(100):
            c.publish("r/%d" % i, b"", qos=1, retain=True)
        assert c.publish("r/0", bytes(10_000), qos=1, retain=True).reason < 0x80


def who_has_been_away_the_longest_is_forgotten_first(port):
    for i in range(8):
        with Client(port) as c:
            c.connect("s%d" % i, session_expiry=1000)
            c.disconnect()
    with Client(port) as c: # who comes back is young again
        assert c.connect("s3", clean=False, session_expiry=1000).session_present
        c.disconnect()
    with Client(port) as c:
        c.connect("s8", session_expiry=1000)
        c.disconnect()
    counter(port, "limits/offline_sessions", 4)
    for i in range(9):
        with Client(port) as c:
            there = c.connect("s%d" % i, clean=False, session_expiry=0).session_present
            assert there == (i in (3, 5, 6, 7, 8)), i


def a_client_that_publishes_too_fast_is_slowed_down(port, **kw):
    with Client(port) as fast, Client(port) as other, Client(port) as sub:
        sub.connect("sub")
        sub.subscribe("f")
        other.connect("other")
        fast.connect("fast")
        start = time.monotonic()
        for i in range(10): # 200 at once, 100 more than there may be, and then some
            fast.send(b"".join(publish("f", b"%d" % (30 * i + n)) for n in range(30)))
        for i in range(20): # others are as quick as ever
            other.ping()
        for n in numbers(0, 300):
            sub.expect_publish("f", n) # nothing is lost, nor out of order
        fast.ping()
        took = time.monotonic() - start
        assert took > 1.7, took # 300 messages: 100 at once, the rest at 100 a second
        fast.publish("f", b"again", qos=1)
        sub.expect_publish("f", b"again")


def one_that_is_slowed_down_is_not_taken_for_dead(port):
    with Client(port, timeout=10) as fast:
        fast.connect("fast", keepalive=1)
        fast.send(b"".join(publish("f", b"%d" % n) for n in range(450))) # read from again after 3.5 s
        fast.ping()


def a_client_that_sends_too_many_bytes_is_slowed_down(port):
    with Client(port) as fast, Client(port) as other:
        other.connect("other")
        fast.connect("fast")
        start = time.monotonic()
        for i in range(5):
            fast.send(publish("f", bytes(50_000)))
        other.ping()
        fast.ping()
        took = time.monotonic() - start
        assert took > 0.7, took # 250 kB: 100 at once, the rest at 100 a second, the last read at once
    counter(port, "limits/byte_rate")


place = None


def start_again(w, **settings):
    """As lib.broker.start, for a check that changes the settings."""
    global place
    program, port = start(w, **settings)
    place = w, program, port
    return program, port


def reload(**settings):
    w, program, port = place
    w.write("wirepost.yaml", configuration(port, **settings))
    program.process.send_signal(signal.SIGHUP)


def a_reload_applies_limits_and_keeps_what_was_told(port):
    early = Client(port)
    assert early.connect("early").props["maximum_packet_size"] == 4096
    reload(packet_bytes="2KiB", subscriptions=1, message_rate=10, connections=2, **QUICK)
    end = time.monotonic() + 10
    late = None
    while not late: # until it has been read
        late = Client(port)
        if late.connect("late").props["maximum_packet_size"] != 2048:
            late.kill()
            late = None
        assert time.monotonic() < end
    early.send(publish("t", bytes(3000), qos=1, id=1)) # as it was told
    early.expect(PUBACK)
    for c in early, late: # nobody was told anything of these
        c.subscribe("a", "b", codes=[0, 0x97])
    refused_connection(port, 5, 0x97)
    start = time.monotonic()
    early.send(b"".join(publish("t", b"x") for _ in range(30)))
    early.ping() # which may have been read with them
    early.ping()
    assert time.monotonic() - start > 1.5
    for c in early, late:
        c.kill()


def a_reload_lets_a_slow_client_have_more(port):
    with Client(port) as sub, Client(port) as pub:
        sub.connect("sub", session_expiry=100)
        sub.subscribe("q", qos=1)
        sub.kill()
        pub.connect("pub")
        for n in numbers(0, 15):
            pub.publish("q", n, qos=1)
        reload(queued_messages=30, on_full="drop-newest", **QUICK)
        for n in numbers(15, 50):
            pub.publish("q", n, qos=1)
    with Client(port) as sub:
        sub.connect("sub", clean=False)
        got = drain(sub)
        # it may have been read at any time in between, but then there were 30 of them
        assert len(got) == 30 and got == sorted(got, key=int), got


def a_will_needs_room(port):
    refused = lambda: count(port, "limits/will") + count(port, "limits/unfinished") # did it come in one piece?
    before = refused()
    for version, code in ((5, 0x97), (4, 3)):
        with Client(port, version) as c:
            c.connect("w", will={"topic": "w", "payload": bytes(60_000)}, reason=code)
    with Client(port) as c:
        c.connect("w", will={"topic": "w", "payload": bytes(1000)})
    wait_for(lambda: refused() == before + 2, 10, "both counted")


def a_packet_without_room_for_its_rest_is_given_up(port):
    with Client(port) as c, Client(port) as other:
        other.connect("other")
        c.connect("c")
        c.send(publish("t", bytes(90_000))[:70_000])
        assert c.expect_closed() == 0x97
        other.ping()
    counter(port, "limits/unfinished")


def two_listeners(w):
    """The first has limits of its own, the other the broker's."""
    global place
    ports = free_port(), free_port()
    program = w.start([WIREPOST, "run", "-c", w.write("wirepost.yaml", """
web: {enabled: false}
broker:
  sys_interval: 50ms
  limits: {connections: 4, queued_messages: 10}
  listeners:
    - {port: %d, limits: {connections: 2, queued_messages: 5, subscriptions: 1}}
    - {port: %d}
""" % ports)], ready="broker running")
    place = w, program, ports
    return program, ports[0]


def a_listener_has_limits_of_its_own(port):
    free = place[2][1]
    a, b = Client(port), Client(port)
    a.connect("a")
    b.connect("b")
    a.subscribe("1", "2", codes=[0, 0x97])
    refused_connection(port, 5, 0x97)
    c, d = Client(free), Client(free)
    c.connect("c")
    d.connect("d")
    c.subscribe("1", "2")
    refused_connection(free, 5, 0x97) # the fifth in all
    b.disconnect()
    wait_until_served(free)
    wait_until_served(port)
    for client in a, c, d:
        client.ping()
        client.kill()


if __name__ == "__main__":
    run(a_full_queue_loses_its_oldest, queued_messages=10, **QUICK)
    run(one_message_too_large_for_a_queue_drives_nothing_out_of_it, queued_bytes="10kB", **QUICK)
    run(a_full_queue_takes_nothing_new, queued_messages=10, on_full="drop-newest", **QUICK)
    run(a_slow_client_is_disconnected_with_quota_exceeded, queued_messages=10, inflight=4, on_full="disconnect", **QUICK)
    run(bytes_in_flight_are_bounded, one_message_of_any_size_is_always_in_flight, inflight_bytes="10kB", **QUICK)
    run(connections_are_bounded, a_flood_of_connections_is_closed_without_a_word, connections=5, **QUICK)
    run(connections_of_one_address_are_bounded, connections_per_address=3, limit_loopback="true", **QUICK)
    run(connections_of_one_address_come_at_a_rate, connection_rate=1, connection_burst=5, limit_loopback="true", **QUICK)
    run(this_machine_is_exempt_from_limits_of_an_address, connection_rate=1, connection_burst=1,
        connections_per_address=1, **QUICK)
    run(long_client_ids_and_topics_are_refused, client_id_bytes=100, topic_bytes=100, topic_levels=10, **QUICK)
    run(packets_are_of_bounded_size, packet_bytes="2KiB", **QUICK)
    run(subscriptions_of_a_client_are_bounded, subscriptions=3, **QUICK)
    run(subscriptions_are_bounded_in_all, all_subscriptions=10, **QUICK)
    run(memory_of_subscriptions_is_bounded, subscription_bytes="1MB", **QUICK)
    run(retained_messages_are_bounded, retained_messages=10, **QUICK)
    run(retained_bytes_are_bounded, retained_bytes="500kB", **QUICK)
    run(who_has_been_away_the_longest_is_forgotten_first, offline_sessions=5, **QUICK)
    run(a_client_that_publishes_too_fast_is_slowed_down, one_that_is_slowed_down_is_not_taken_for_dead,
        message_rate=100, **QUICK)
    run(a_client_that_sends_too_many_bytes_is_slowed_down, byte_rate="100kB", **QUICK)
    run(a_reload_applies_limits_and_keeps_what_was_told, start=start_again, packet_bytes="4KiB", **QUICK)
    run(a_reload_lets_a_slow_client_have_more, start=start_again, queued_messages=10, **QUICK)
    run(a_will_needs_room, a_packet_without_room_for_its_rest_is_given_up, message_bytes="50kB", **QUICK)
    run(a_listener_has_limits_of_its_own, start=two_listeners)
