#!/usr/bin/python3
"""Who may connect to the broker, with what id, for how long in silence, and what is the rest told?"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.broker import run
from lib.mqtt import *


def each_version_is_welcome(port):
    for version in (3, 4, 5):
        with Client(port, version) as c:
            p = c.connect("id%d" % version)
            assert not p.session_present
            c.ping()


def mosquitto_clients_of_each_version_talk_to_each_other(port):
    subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-t", "m/retained", "-m", "it is subscribed", "-r"], check=True, timeout=10)
    for sub_version in ("31", "311", "5"):
        sub = subprocess.Popen(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-V", sub_version, "-t", "m/#", "-q", "2", "-C", "10", "-W", "20",
                                "-i", "sub", "-v"], stdout=subprocess.PIPE, text=True)
        assert sub.stdout.readline() == "m/retained it is subscribed\n"
        wanted = []
        for version in ("31", "311", "5"):
            for qos in ("0", "1", "2"):
                subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-V", version, "-t", "m/" + version, "-m", "q" + qos,
                                "-q", qos], check=True, timeout=10)
                wanted.append("m/%s q%s" % (version, qos))
        assert sub.communicate(timeout=25)[0].split("\n")[:-1] == wanted
        assert sub.returncode == 0


def an_empty_id_is_given_one(port):
    with Client(port) as a, Client(port) as b:
        ids = [a.connect("").props["assigned_client_id"], b.connect("").props["assigned_client_id"]]
        assert ids[0] != ids[1] and all(ids)
    with Client(port, 4) as c:
        c.connect("")
    with Client(port, 4) as c:
        c.connect("", clean=False, reason=2)
        c.expect_closed()
    with Client(port, 3) as c:
        c.connect("", reason=2)


def an_unknown_version_is_told_so(port):
    for level in (1, 2, 6, 127):
        with Client(port, 4) as c:
            body = text("MQTT") + bytes([level, 2]) + b"\0\x3c" + text("x")
            c.send(packet(CONNECT, 0, body))
            assert c.expect(CONNACK).reason == 1
            c.expect_closed()


def enhanced_authentication_is_refused(port):
    with Client(port) as c:
        c.connect("x", reason=0x8C, auth_method="SCRAM-SHA-1", auth_data=b"x")
        c.expect_closed()


def the_limits_are_announced(port):
    with Client(port) as c:
        p = c.connect("x")
        assert p.props["receive_maximum"] == 1000, p
        assert p.props["maximum_packet_size"] == 1 << 20, p
        assert p.props["topic_alias_maximum"] == 10, p
        for absent in ("maximum_qos", "retain_available", "wildcard_available", "subscription_id_available",
                       "shared_available", "assigned_client_id", "server_keep_alive", "session_expiry"):
            assert absent not in p.props, p
        with Client(port) as d:
            p = d.connect("y", session_expiry=0xFFFFFFFF)
            assert p.props["session_expiry"] == 30 * 86400, p
            d.disconnect(0, session_expiry=0)


def the_first_packet_must_be_connect(port):
    for first in (packet(PINGREQ, 0, b""), publish("a", b"x"), disconnect(0), b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02"):
        with Client(port) as c:
            c.send(first)
            assert c.expect_closed() is None


def a_second_connect_ends_the_connection(port):
    for version, reason in ((5, 0x82), (4, None)):
        with Client(port, version) as c:
            c.connect("x")
            c.send(connect("x", version))
            assert c.expect_closed() == reason


def a_connect_that_comes_byte_by_byte_is_taken(port):
    with Client(port) as c:
        for byte in connect("slow") + publish("self", b"y", qos=1, id=1):
            c.send(bytes([byte]))
            time.sleep(0.001)
        c.expect(CONNACK)
        c.expect(PUBACK)


def silence_ends_after_one_and_a_half_keepalives(port):
    for version, reason in ((5, 0x8D), (4, None)):
        with Client(port, version) as c:
            c.connect("quiet", keepalive=1)
            start = time.monotonic()
            assert c.expect_closed() == reason
            assert 1.3 < time.monotonic() - start < 2.2, time.monotonic() - start


def a_ping_keeps_the_connection(port):
    with Client(port) as c, Client(port) as silent:
        c.connect("pings", keepalive=1)
        silent.connect("no keepalive", keepalive=0)
        for _ in range(5):
            time.sleep(0.7)
            c.ping()
        silent.ping()


def what_the_broker_sends_does_not_count_as_life(port):
    with Client(port) as quiet, Client(port) as talker:
        quiet.connect("quiet", keepalive=1)
        quiet.subscribe("t")
        talker.connect("talker")
        start = time.monotonic()
        while time.monotonic() - start < 2.2:
            talker.publish("t", b"x", qos=1)
            time.sleep(0.1)
        seen = 0
        try:
            while quiet.recv().type == PUBLISH:
                seen += 1
        except Closed:
            pass
        assert seen > 3


def a_long_keepalive_is_shortened_for_mqtt_5(port):
    for asked in (0, 100):
        with Client(port) as c:
            p = c.connect("x", keepalive=asked)
            assert p.props["server_keep_alive"] == 2, p
            start = time.monotonic()
            assert c.expect_closed() == 0x8D
            assert 2.5 < time.monotonic() - start < 4
    with Client(port) as c:
        assert "server_keep_alive" not in c.connect("x", keepalive=2).props


def too_many_connections_are_closed(port):
    with Client(port) as a, Client(port) as b:
        a.connect("a")
        b.connect("b")
        with Client(port) as c:
            try:
                c.send(connect("c"))
                c.expect_closed()
            except (BrokenPipeError, ConnectionResetError):
                pass
        a.disconnect()
        time.sleep(0.1)
        with Client(port) as c:
            c.connect("c")


def strangers_are_refused(port):
    host = other_address()
    if not host:
        print("    (no address beyond loopback: not tested)")
        return
    for version, reason in ((5, 0x87), (4, 5), (3, 5)):
        with Client(port, version, host=host) as c:
            c.connect("x", reason=reason)
            c.expect_closed()
    with Client(port) as c:
        c.connect("x")


def strangers_are_welcome_where_the_settings_say_so(port):
    host = other_address()
    if host:
        with Client(port, host=host) as c:
            c.connect("x")


def other_address():
    out = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    return next((a for a in out if ":" not in a and not a.startswith("127.")), None)


if __name__ == "__main__":
    run(each_version_is_welcome, mosquitto_clients_of_each_version_talk_to_each_other, an_empty_id_is_given_one,
        an_unknown_version_is_told_so, enhanced_authentication_is_refused, the_limits_are_announced,
        the_first_packet_must_be_connect, a_second_connect_ends_the_connection, a_connect_that_comes_byte_by_byte_is_taken,
        silence_ends_after_one_and_a_half_keepalives, a_ping_keeps_the_connection,
        what_the_broker_sends_does_not_count_as_life)
    run(a_long_keepalive_is_shortened_for_mqtt_5, keepalive_max="2s")
    run(too_many_connections_are_closed, connections=2)
    run(strangers_are_refused, bind="0.0.0.0")
    run(strangers_are_welcome_where_the_settings_say_so, bind="0.0.0.0", allow_anonymous="true")
