#!/usr/bin/python3
"""What does the bridge do about an upstream that refuses, limits, or breaks off?"""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from lib.bridges import Gateway, feed
from lib.mqtt import DISCONNECT, PUBACK, ack
from lib.programs import Workplace
from lib.server import Server

STATE = "sites/gw/state"


def accept(server, **connack):
    """A connection of the bridge; `online` comes first, whatever is owed."""
    peer = server.accept(**connack)
    p = peer.expect_publish(STATE, "online", retain=True, qos=1)
    peer.send(ack(PUBACK, p.id, version=peer.version))
    return peer


def take(peer, number, reason=0, **fields):
    p = peer.expect_publish("sites/n", str(number), **fields)
    if reason is not None:
        peer.send(ack(PUBACK, p.id, reason))
    return p


def refused_ones_do_not_block(gateway, peer):
    with gateway.client() as c:
        feed(c, range(1, 5))
        take(peer, 1)
        take(peer, 2, 0x87)
        take(peer, 3, 0x87)
        take(peer, 4, 0x10)
    peer.expect_nothing()
    gateway.program.wait_for_log(r"refused a message \(not authorized\), dropping")
    assert gateway.program.log().count("not authorized") == 1, gateway.program.log()


def over_quota_is_tried_again(gateway, peer):
    with gateway.client() as c:
        feed(c, range(5, 9))
    ids = [take(peer, n, None).id for n in (5, 6, 7, 8)]
    for id, reason in zip(ids, (0, 0x97, 0, 0x97)):
        peer.send(ack(PUBACK, id, reason))
    peer.expect_nothing(0.6)
    take(peer, 6, dup=False)
    take(peer, 8, 0x97, dup=False)
    take(peer, 8, dup=False)
    peer.expect_nothing()


def a_break_repeats_what_is_unanswered(gateway, server, peer):
    with gateway.client() as c:
        feed(c, range(9, 13))
    first = take(peer, 9, None)
    take(peer, 10)
    peer.kill()
    peer = accept(server, session_present=True, receive_maximum=1)
    again = take(peer, 9, dup=True)
    assert again.id == first.id
    for n in (11, 12):
        take(peer, n)
    peer.kill()
    peer = accept(server, session_present=False)
    peer.expect_nothing()                                # nothing is owed
    return peer


def too_large_is_dropped(gateway, server, peer):
    peer.kill()
    peer = accept(server, maximum_packet_size=100)
    with gateway.client() as c:
        feed(c, ["1" * 200, 13])
    take(peer, 13)
    gateway.program.wait_for_log(r"refused a message \(packet too large\)")
    return peer


def the_farewell(gateway, peer):
    gateway.program.process.terminate()
    p = peer.expect_publish(STATE, "offline", retain=True, qos=1)
    peer.send(ack(PUBACK, p.id))
    assert peer.expect(DISCONNECT).reason == 0
    peer.kill()
    assert gateway.program.process.wait(15) == 0


def main():
    with Workplace() as w, Server() as server:
        gateway = Gateway(w, server.port, keepalive="60s")
        peer = accept(server)
        will = peer.connect_packet
        assert (will.will_topic, will.will_payload, will.will_qos, will.will_retain) == (STATE, b"offline", 1, True)
        assert will.client_id == "gw" and not will.clean
        refused_ones_do_not_block(gateway, peer)
        over_quota_is_tried_again(gateway, peer)
        peer = a_break_repeats_what_is_unanswered(gateway, server, peer)
        peer = too_large_is_dropped(gateway, server, peer)
        the_farewell(gateway, peer)
    print("refused ones dropped, quota waited for, breaks repeated, state told first and last")


if __name__ == "__main__":
    main()
