#!/usr/bin/python3
"""Is a receiver never sent more than it said it takes, and does one that reads slowly cost only what the bounds allow?"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run
from lib.mqtt import *


def finish(c, p):
    """Goes through the acknowledgements of a received message; what else comes meanwhile is returned."""
    if p.qos == 1:
        c.ack(PUBACK, p.id)
        return
    c.ack(PUBREC, p.id)
    assert c.expect(PUBREL).id == p.id
    c.ack(PUBCOMP, p.id)


def qos_1_and_2_share_the_receive_maximum(port):
    with Client(port) as sub, Client(port) as pub:
        sub.connect("sub", receive_maximum=3)
        sub.subscribe("t", qos=2)
        pub.connect("pub")
        for i in range(30):
            pub.publish("t", b"%d" % i, qos=1 + i % 2)
        open_ones = [sub.expect_publish("t", b"%d" % i, qos=1 + i % 2) for i in range(3)]
        sub.expect_nothing(0.2)
        # QoS 2 occupies its place until PUBCOMP
        sub.ack(PUBREC, open_ones[1].id)
        assert sub.expect(PUBREL).id == open_ones[1].id
        sub.expect_nothing(0.1)
        sub.ack(PUBCOMP, open_ones[1].id)
        open_ones[1] = sub.expect_publish("t", b"3")
        sub.expect_nothing(0.1)
        open_ones.sort(key=lambda p: int(p.payload))
        for i in range(4, 30):
            finish(sub, open_ones.pop(0))
            open_ones.append(sub.expect_publish("t", b"%d" % i))
        sub.expect_nothing(0.1)


def qos_0_passes_a_full_window(port):
    with Client(port) as sub, Client(port) as pub:
        sub.connect("sub", receive_maximum=1)
        sub.subscribe("t", qos=2)
        pub.connect("pub")
        pub.publish("t", b"1", qos=1)
        pub.publish("t", b"2", qos=1)
        pub.publish("t", b"3", qos=0)
        first = sub.expect_publish("t", b"1")
        sub.expect_publish("t", b"3")
        sub.ack(PUBACK, first.id)
        sub.expect_publish("t", b"2")


def our_own_limit_counts_where_the_client_has_none(port):
    with Client(port, 4) as sub, Client(port) as pub:
        sub.connect("sub")
        sub.subscribe("t", qos=1)
        pub.connect("pub")
        for i in range(6):
            pub.publish("t", b"%d" % i, qos=1)
        got = [sub.expect_publish("t", b"%d" % i) for i in range(4)]
        sub.expect_nothing(0.2)
        sub.ack(PUBACK, got[0].id)
        sub.expect_publish("t", b"4")


def messages_wait_for_the_window_within_bounds(port):
    with Client(port) as sub, Client(port) as pub:
        sub.connect("sub", receive_maximum=2)
        sub.subscribe("t", qos=1)
        pub.connect("pub")
        for i in range(20):
            pub.publish("t", b"%d" % i, qos=1)
        for i in range(12): # 2 in the window, 10 in the queue
            sub.ack(PUBACK, sub.expect_publish("t", b"%d" % i).id)
        sub.expect_nothing(0.2)


def a_receiver_that_does_not_read_costs_nobody_else(port):
    payload = bytes(100_000)
    with Client(port) as slow, Client(port) as quick, Client(port) as pub:
        slow.connect("slow")
        slow.subscribe("big")
        quick.connect("quick")
        quick.subscribe("big")
        pub.connect("pub")
        for i in range(300): # 30 MB; the bound is 1 MB and what the sockets hold
            pub.publish("big", b"%06d" % i + payload)
            assert quick.expect(PUBLISH).payload.startswith(b"%06d" % i)
        got = 0
        last = -1
        try:
            while True:
                number = int(slow.recv(1).payload[:6])
                assert number > last
                last = number
                got += 1
        except Timeout:
            pass
        assert 10 <= got < 299, got
        slow.ping()
        pub.publish("big", b"again")
        slow.expect_publish("big", b"again")


def qos_1_for_one_that_does_not_read_waits_and_then_comes_whole(port):
    payload = bytes(50_000)
    with Client(port) as slow, Client(port) as pub:
        slow.connect("slow")
        slow.subscribe("big", qos=1)
        pub.connect("pub")
        for i in range(200): # 10 MB
            pub.publish("big", b"%06d" % i + payload, qos=1)
        for i in range(200):
            p = slow.expect(PUBLISH)
            assert p.payload.startswith(b"%06d" % i)
            slow.ack(PUBACK, p.id)


def one_that_talks_and_does_not_listen_is_not_read_from(port):
    with Client(port, 4) as deaf, Client(port) as other:
        deaf.connect("deaf")
        deaf.sock.setblocking(False)
        ping = packet(PINGREQ, 0, b"") * 20000
        sent = 0
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < 1:
            try:
                sent += deaf.sock.send(ping[sent % 2:]) # a write may end within a packet
                idle_since = time.monotonic()
            except BlockingIOError:
                time.sleep(0.02)
            assert sent < 200_000_000
        print("    took %d kB of requests from a client that does not read the answers" % (sent // 1000))
        other.connect("other")
        other.ping()
        answers = 0
        deaf.sock.settimeout(3)
        while answers < sent // 2 * 2: # and then all are answered
            answers += len(deaf.sock.recv(1 << 20))


if __name__ == "__main__":
    run(qos_1_and_2_share_the_receive_maximum, qos_0_passes_a_full_window)
    run(our_own_limit_counts_where_the_client_has_none, inflight=4)
    run(messages_wait_for_the_window_within_bounds, queued_messages=10, on_full="drop-newest")
    run(a_receiver_that_does_not_read_costs_nobody_else, one_that_talks_and_does_not_listen_is_not_read_from,
        queued_bytes="1MB")
    run(qos_1_for_one_that_does_not_read_waits_and_then_comes_whole)
