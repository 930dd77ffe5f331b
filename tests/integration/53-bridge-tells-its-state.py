#!/usr/bin/python3
"""Does the upstream always know whether the gateway is there, and is it slow where the upstream is?"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.bridges import Gateway, Reader, feed, retained, wait_for_retained
from lib.programs import Workplace, free_port

STATE = "sites/gw/state"


def state_follows_the_truth(w, protocol):
    port = free_port()
    upstream = w.start_mosquitto(port)
    gateway = Gateway(w, port, protocol)
    wait_for_retained(port, STATE, "online")
    gateway.program.kill()
    wait_for_retained(port, STATE, "offline")            # the will
    gateway.start()
    wait_for_retained(port, STATE, "online")
    with gateway.client() as c:
        feed(c, range(5))
    gateway.program.stop()
    assert retained(port, STATE) == "offline"            # said before the stop was over
    upstream.stop()
    print("MQTT %s: online, offline by will, online, offline by a clean stop" % protocol)


def one_message_at_a_time(w, protocol):
    port = free_port()
    upstream = w.start_mosquitto(port, "max_inflight_messages 1\nmax_queued_messages 0")
    reader = Reader(port)
    gateway = Gateway(w, port, protocol)
    with gateway.client() as c:
        feed(c, range(1000))
    assert reader.read(999) == list(range(1000))
    gateway.program.stop()
    upstream.stop()
    print("MQTT %s: 1000 messages in order through an upstream that takes one at a time" % protocol)


def the_rate_is_kept(w):
    port = free_port()
    upstream = w.start_mosquitto(port, "max_queued_messages 0")
    reader = Reader(port)
    gateway = Gateway(w, port, more="    drain: {rate: 100}")
    started = time.monotonic()
    with gateway.client() as c:
        feed(c, range(200))
    assert reader.read(199) == list(range(200))
    took = time.monotonic() - started
    gateway.program.stop()
    upstream.stop()
    print("200 messages at 100 a second took %.1f s" % took)
    assert 1.7 < took < 4


def qos_0_passes_too(w):
    port = free_port()
    upstream = w.start_mosquitto(port)
    reader = Reader(port)
    gateway = Gateway(w, port)
    gateway.program.wait_for_log("connected to")
    with gateway.client() as c:
        feed(c, range(100), qos=0)
        assert reader.read(99) == list(range(100))
    gateway.program.stop()
    upstream.stop()


def main():
    with Workplace() as w:
        for protocol in (5, 311):
            state_follows_the_truth(w, protocol)
            one_message_at_a_time(w, protocol)
        the_rate_is_kept(w)
        qos_0_passes_too(w)


if __name__ == "__main__":
    main()
