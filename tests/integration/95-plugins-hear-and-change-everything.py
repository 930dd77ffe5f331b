"""Does a plugin hear of everything, in order and with what it is about, and does what it says happen?

Each event of wirepost/plugin.h through a plugin that writes down what it is told and does what the test asks for:
changes, drops, refusals, closing; calls from within events; plugins that must not be loaded.
"""
import os
import re
import signal
import subprocess
import sys
import time

from lib.mqtt import (AUTH, CONNACK, DISCONNECT, PINGREQ, PUBACK, PUBCOMP, PUBREC, PUBREL, Client, connect, packet,
                      properties, publish, subscribe, unsubscribe)
from lib.plugins import Record, configuration, plugin, start, start_recording
from lib.programs import WIREPOST, Workplace, free_port, wait_for

HERE, BY_SERVER, LOST = 0, 1, 2
SENT, QUEUED, WITHHELD, FULL, TOO_LARGE, EXPIRED = range(6)


def joined(port, client_id, version=5, **kw):
    c = Client(port, version=version)
    c.connect(client_id, **kw)
    return c


# ---- coming and going ----

def a_client_is_heard_of_from_its_connect_to_its_end(port, record):
    since = len(record.all())
    will = {"topic": "last", "payload": "words", "qos": 1, "retain": True, "props": {"content_type": "text/x"}}
    c = joined(port, "anna", keepalive=33, username="anna", password="secret", will=will, session_expiry=20, user=("k", "v"))
    e = record.wait("validating_connection", client="anna")
    assert e["user"] == "anna" and e["password"] == "secret" and e["keep_alive"] == 33 and e["clean_start"] == 1, e
    assert e["topic"] == "last" and e["payload"] == "words" and e["qos"] == 1 and e["retain"] == 1, e
    assert e["content_type"] == "text/x" and e["protocol"] == 5 and e["connected"] == 0 and e["properties"] == 1, e
    e = record.wait("session_preparing", client="anna")
    assert e["exists"] == 0 and e["clean_start"] == 1 and e["session_expiry"] == 20, e
    e = record.wait("client_connected", client="anna")
    assert e["session_present"] == 0 and e["connected"] == 1 and e["has_address"] == 1, e
    c.disconnect(0x04)
    e = record.wait("client_disconnected", client="anna")
    assert e["by"] == HERE and e["reason"] == 0x04, e
    c = joined(port, "anna", clean=False, session_expiry=20)
    assert record.wait("session_preparing", client="anna")["exists"] == 1
    assert record.wait("client_connected", client="anna")["session_present"] == 1
    c.kill()
    assert record.wait("client_disconnected", client="anna")["by"] == LOST
    joined(port, "anna", clean=True).disconnect()
    record.wait("session_deleted", client="anna")
    record.wait("client_connected", client="anna")
    record.wait("client_disconnected", client="anna")
    record.wait("session_deleted", client="anna")
    names = record.names(since)
    want = ["validating_connection", "session_preparing", "client_connected", "client_disconnected"]
    assert names[:4] == want, names
    assert "message_not_consumed" in names and "retained_changed" in names, names  # the will


def one_that_breaks_a_rule_is_said_to_be_closed_with_that_reason(port, record):
    c = joined(port, "rude")
    c.send(connect("rude"))
    assert c.expect_closed() == 0x82
    e = record.wait("client_disconnected", client="rude")
    assert e["by"] == BY_SERVER and e["reason"] == 0x82, e
    first, second = joined(port, "twin"), joined(port, "twin")
    assert first.expect_closed() == 0x8E
    e = record.wait("client_disconnected", client="twin")
    assert e["by"] == BY_SERVER and e["reason"] == 0x8E, e
    second.disconnect()


def a_plugin_says_who_comes_in_and_as_whom(port, record):
    with Client(port) as c:
        p = c.connect("do-validate-refuse", reason=0x97)
        assert p.props["reason_string"] == "not today", p
    with Client(port) as c:
        c.connect("do-validate-accept", username="none", password="of the file")
    with Client(port) as c:
        c.connect("do-validate-rename", username="whoever")
        assert record.wait("client_connected", client="do-validate-rename")["user"] == "renamed"
    with Client(port, version=4) as c:
        c.connect("do-validate-refuse", reason=3)  # 3.1.1 has no better code for "quota exceeded"
    with Client(port) as c:
        c.connect("do-validate-nonsense", reason=0x80)  # an answer that is none refuses


def one_that_takes_its_time_is_waited_for(port, record):
    for how, reason in (("accept", 0), ("refuse", 0x89), ("pass", 0)):
        with Client(port) as c, Client(port) as other:
            c.send(connect("do-validate-later" + how) + publish("later/" + how, b"kept", id=0))
            other.connect("meanwhile")
            p = c.expect(CONNACK)
            assert p.reason == reason, (how, p)
            assert record.wait("woken")["decide"] == 0
            if reason == 0:
                e = record.wait("client_connected", client="do-validate-later" + how)
                assert e["user"] == ("thinker" if how == "accept" else None), e
                record.wait("intercept_publish", topic="later/" + how)
    with Client(port) as c:  # gone before it is decided
        c.send(connect("do-validate-lateraccept"))
    record.wait("woken")


def a_session_lives_as_long_as_a_plugin_says(port, record):
    c = joined(port, "do-prepare-keep", session_expiry=0)
    assert record.wait("client_connected", client="do-prepare-keep")["session_expiry"] == 77
    c.disconnect()
    c = joined(port, "do-prepare-keep", clean=False)
    assert record.wait("client_connected", client="do-prepare-keep")["session_present"] == 1
    c.disconnect()


def authentication_is_an_exchange(port, record):
    def answer(data):
        return packet(AUTH, 0, bytes([0x18]) + properties({"auth_method": "GUESS", "auth_data": data}))
    with Client(port) as c:
        c.send(connect("guess", auth_method="GUESS", auth_data=b"hello"))
        p = c.expect(AUTH)
        assert p.reason == 0x18 and p.props["auth_data"] == b"which number?", p
        c.send(answer(b"42"))
        p = c.expect(CONNACK)
        assert p.reason == 0 and p.props["auth_data"] == b"right", p
        assert record.wait("auth_start", method="GUESS", data="hello")["has_exchange"] == 0
        assert record.wait("auth_continue", data="42")["has_exchange"] == 1
        record.wait("auth_ended")
        assert record.wait("client_connected", client="guess")["user"] == "guesser"
    with Client(port) as c:
        c.send(connect("guess-wrong", auth_method="GUESS"))
        c.expect(AUTH)
        c.send(answer(b"41"))
        p = c.expect(CONNACK)
        assert p.reason == 0x87 and p.props["reason_string"] == "wrong", p
    with Client(port) as c:
        c.connect("guess-what", reason=0x8C, auth_method="OTHER")
    with Client(port) as c:
        c.send(connect("guess-gone", auth_method="GUESS"))
        c.expect(AUTH)
    for _ in range(2):
        record.wait("auth_ended")


# ---- subscriptions ----

def subscriptions_are_heard_of_changed_and_refused(port, record):
    c = joined(port, "sub")
    c.subscribe("plain/#", qos=2, no_local=True, retain_as_published=True, retain_handling=1, props={"subscription_id": 5})
    want = dict(filter="plain/#", qos=2, no_local=1, retain_as_published=1, retain_handling=1, id=5, by_client=1)
    record.wait("intercept_subscription", client="sub", **want)
    record.wait("client_subscribed", client="sub", **want)
    c.subscribe("do/subscribe/lower", qos=2, codes=[0])
    assert record.wait("client_subscribed", filter="do/subscribe/lower")["qos"] == 0
    c.subscribe("do/subscribe/refuse", codes=[0x97])
    c.subscribe("do/subscribe/spoil", codes=[0x83])
    c.subscribe("do/subscribe/nonsense", codes=[0x87])
    c.subscribe("do/subscribe/drop", qos=1)
    c.publish("do/subscribe/drop", b"to nobody", qos=1)
    c.subscribe("do/subscribe/move")
    record.wait("client_subscribed", filter="moved/#")
    c.publish("moved/here", b"1")
    c.expect_publish("moved/here", b"1")
    id = 900
    c.send(unsubscribe(id, ["do/unsubscribe/refuse", "do/unsubscribe/drop", "plain/#", "plain/#", "do/unsubscribe/move"]))
    assert c.recv().codes == [0x80, 0, 0, 0x11, 0]  # 0x97 may not stand there
    assert len(record.events("client_unsubscribed", client="sub", filter="plain/#")) == 1
    record.wait("client_unsubscribed", filter="moved/#")
    c.publish("moved/here", b"2")
    c.ping()
    c.send(subscribe(7, [("a", 0), ("do/subscribe/close", 0)]))
    assert c.expect_closed() == 0x98
    record.wait("client_disconnected", client="sub", reason=0x98)


# ---- messages on their way in ----

def a_message_is_shown_whole_and_can_be_changed_whole(port, record):
    c, s = joined(port, "pub"), joined(port, "watch")
    s.subscribe("#", qos=2, retain_handling=2)
    props = dict(content_type="a/b", response_topic="r", correlation_data=b"cd", payload_format=1, message_expiry=50,
                 user=[("one", "1"), ("two", "2")])
    for qos in (0, 1, 2):
        topic = "do/publish/pass/%d" % qos
        got = c.publish(topic, b"body", qos=qos, **props)
        assert got is None or got.reason == 0
        e = record.wait("intercept_publish", topic=topic)
        want = dict(client="pub", payload="body", qos=qos, retain=0, content_type="a/b", response_topic="r",
                    correlation_data="cd", utf8=1, expiry=50, **{"property one": "1", "property two": "2"})
        assert all(e.get(k) == v for k, v in want.items()), e
        p = s.expect_publish(topic, b"body", qos=qos)
        assert p.props["user"] == [("one", "1"), ("two", "2")] and p.props["message_expiry"] == 50, p
        take(s, p)
    for qos in (0, 1, 2):
        got = c.publish("do/publish/change/%d" % qos, b"body", qos=qos, **props)
        assert got is None or got.reason == 0, got
        p = s.expect_publish("changed", b"body!", qos=0)
        assert p.props == dict(content_type="x/changed", correlation_data=b"cd", payload_format=1, message_expiry=55,
                               user=[("stamp", "seen")]), p
        record.wait("retained_changed", topic="changed", payload="body!")
    late = joined(port, "late")
    late.subscribe("changed")
    late.expect_publish("changed", b"body!", retain=True)
    c.publish("changed", b"", retain=True)
    record.wait("retained_cleared", topic="changed")
    for each in (c, s, late):
        each.disconnect()


def take(c, p):
    if p.qos == 1:
        c.ack(PUBACK, p.id)
    if p.qos == 2:
        c.ack(PUBREC, p.id)
        c.expect(PUBREL)
        c.ack(PUBCOMP, p.id)


def a_message_can_be_dropped_or_refused(port, record):
    c, s = joined(port, "pub"), joined(port, "watch")
    s.subscribe("do/publish/#", qos=2)
    for qos in (0, 1, 2):
        got = c.publish("do/publish/drop/x", b"gone", qos=qos)
        assert got is None or got.reason == 0, got
        got = c.publish("do/publish/refuse/x", b"gone", qos=qos)
        assert got is None or (got.reason == 0x99 and got.props["reason_string"] == "no good"), got
    for what in ("spoil", "raise"):
        got = c.publish("do/publish/%s/x" % what, b"gone", qos=1)
        assert got.reason == 0x83, got
    c.send(publish("do/publish/refuse/x", b"new", qos=2, id=600))
    assert c.expect(PUBREC).reason == 0x99
    c.send(publish("do/publish/pass/again", b"the id is free", qos=2, id=600))
    assert c.expect(PUBREC).reason == 0
    p = s.expect_publish("do/publish/pass/again", b"the id is free")
    take(s, p)
    with Client(port, version=4) as old:
        old.connect("old")
        got = old.publish("do/publish/refuse/x", b"gone", qos=1)
        assert got.reason == 0  # 3.1.1 cannot be told
    with Client(port) as terse:
        terse.connect("terse", request_problem_info=0)
        got = terse.publish("do/publish/refuse/x", b"gone", qos=1)
        assert got.reason == 0x99 and not got.props, got
    with Client(port) as small:
        small.connect("small", maximum_packet_size=16)
        got = small.publish("do/publish/refuse/x", b"gone", qos=1)
        assert got.reason == 0x99 and not got.props, got
    s.ping()
    c.send(publish("do/publish/close/x", b"gone", qos=1, id=9))
    assert c.expect_closed() == 0x98
    record.wait("client_disconnected", client="pub", reason=0x98)
    s.ping()
    s.disconnect()


# ---- to each receiver ----

def each_receiver_can_be_given_something_else(port, record):
    one, other, c = joined(port, "one"), joined(port, "other"), joined(port, "pub")
    for s in (one, other):
        s.subscribe("do/enqueue/#", qos=1)
    for qos in (0, 1):
        c.publish("do/enqueue/privately/%d" % qos, b"for all", qos=qos)
        for s, payload in ((one, b"for all"), (other, b"secret")):
            p = s.expect_publish("do/enqueue/privately/%d" % qos, payload, qos=qos)
            take(s, p)
    c.publish("do/enqueue/change/x", b"body", qos=1, correlation_data=b"1")
    for s in (one, other):
        p = s.expect_publish("changed", b"body!", qos=0, retain=True)
        assert p.props["user"] == [("stamp", "seen")] and p.props["correlation_data"] == b"1", p
    c.publish("do/enqueue/drop/x", b"nobody", qos=1)
    for client in ("one", "other"):
        assert record.events("message_enqueued_or_dropped", client=client, topic="do/enqueue/drop/x", outcome=WITHHELD)
    c.publish("do/enqueue/spoil/x", b"nobody", qos=1)
    for s in (one, other):
        s.ping()
    # away: changed when it is queued; retained ones: changed for each who subscribes
    other.send(packet(DISCONNECT, 0, b"\x00" + properties({"session_expiry": 0})))
    other.kill()
    other = joined(port, "other", clean=False, session_expiry=30)
    other.subscribe("do/enqueue/#", qos=1)
    other.disconnect()
    record.wait("client_disconnected", client="other")
    c.publish("do/enqueue/privately/away", b"for all", qos=1, retain=True)
    record.wait("message_enqueued_or_dropped", client="other", outcome=QUEUED)
    take(one, one.expect_publish("do/enqueue/privately/away", b"for all"))
    other = joined(port, "other", clean=False, session_expiry=30)
    take(other, other.expect_publish("do/enqueue/privately/away", b"secret", qos=1))
    other.subscribe("do/enqueue/privately/away", qos=1)
    take(other, other.expect_publish("do/enqueue/privately/away", b"secret", qos=1, retain=True))
    c.publish("do/enqueue/privately/away", b"", retain=True)
    take(other, other.expect_publish("do/enqueue/privately/away", b"secret"))
    for s in (one, other, c):
        s.disconnect(0, session_expiry=0) if s is other else s.disconnect()


def a_shared_subscription_gives_each_member_its_own(port, record):
    c = joined(port, "pub")
    other = joined(port, "other", session_expiry=30)
    other.subscribe("$share/g/do/enqueue/privately/shared", qos=1)
    other.disconnect()
    record.wait("client_disconnected", client="other")
    c.publish("do/enqueue/privately/shared", b"for all", qos=1)  # waits at the share
    other = joined(port, "other", clean=False, session_expiry=30)
    take(other, other.expect_publish("do/enqueue/privately/shared", b"secret", qos=1))
    c.publish("do/enqueue/privately/shared", b"for all", qos=1)
    take(other, other.expect_publish("do/enqueue/privately/shared", b"secret", qos=1))
    other.disconnect(0, session_expiry=0)
    c.disconnect()


def what_becomes_of_a_message_is_told(port, record):
    c = joined(port, "pub")
    c.publish("to/nobody", b"x", qos=1)
    record.wait("message_not_consumed", topic="to/nobody", payload="x", qos=1)
    s = joined(port, "slow", receive_maximum=1, maximum_packet_size=200, session_expiry=30)
    s.subscribe("slow/#", qos=2)
    c.publish("slow/1", b"one", qos=1)
    record.wait("message_enqueued_or_dropped", client="slow", topic="slow/1", qos=1, outcome=SENT)
    c.publish("slow/2", b"two", qos=2)
    record.wait("message_enqueued_or_dropped", client="slow", topic="slow/2", qos=2, outcome=QUEUED)
    p = s.expect_publish("slow/1", b"one", qos=1)
    s.ack(PUBACK, p.id)
    e = record.wait("publish_acknowledged", client="slow", topic="slow/1", payload="one", qos=1)
    assert e["packet_id"] == p.id and e["reason"] == 0, e
    p = s.expect_publish("slow/2", b"two", qos=2)
    s.ack(PUBREC, p.id, 0x97)
    assert record.wait("publish_acknowledged", client="slow", topic="slow/2")["reason"] == 0x97
    c.publish("slow/3", b"x" * 300, qos=1)
    record.wait("message_enqueued_or_dropped", client="slow", topic="slow/3", outcome=TOO_LARGE)
    s.disconnect()
    record.wait("client_disconnected", client="slow")
    c.publish("slow/old", b"4", qos=1, message_expiry=1)
    record.wait("message_enqueued_or_dropped", client="slow", topic="slow/old", outcome=QUEUED)
    for i in range(5):  # its queue holds 4
        c.publish("slow/q%d" % i, b"x", qos=1)
    record.wait("queue_overwritten", client="slow", topic="slow/old")
    record.wait("queue_overwritten", client="slow", topic="slow/q0")
    c.publish("slow/old", b"5", qos=1, message_expiry=1)
    time.sleep(1.2)
    s = joined(port, "slow", clean=False, session_expiry=30)
    for i in (2, 3, 4):
        take(s, s.expect_publish("slow/q%d" % i))
    record.wait("message_enqueued_or_dropped", client="slow", topic="slow/old", outcome=EXPIRED)
    s.disconnect(0, session_expiry=0)
    c.disconnect()


def retained_messages_are_told(port, record):
    c = joined(port, "pub")
    c.publish("kept", b"1", qos=1, retain=True, content_type="t")
    e = record.wait("retained_changed", topic="kept")
    assert e["payload"] == "1" and e["content_type"] == "t" and e["qos"] == 1, e
    c.publish("kept", b"2", qos=1, retain=True)
    record.wait("retained_changed", topic="kept", payload="2")
    c.publish("kept", b"", qos=1, retain=True)
    record.wait("retained_cleared", topic="kept")
    since = len(record.all())
    c.publish("kept", b"", qos=1, retain=True)  # nothing was there
    c.ping()
    assert "retained_cleared" not in record.names(since)
    c.disconnect()


# ---- packets ----

def packets_are_shown_and_can_be_held_back(port, record):
    since = len(record.all())
    c = joined(port, "watched")
    c.ping()
    seen = [(e["event"][10:13], e["type"]) for e in record.all()[since:]
            if "packet" in e["event"] and e["client"] in (None, "watched")]  # others may still be leaving
    assert seen == [("inb", 1), ("out", 2), ("inb", 12), ("out", 13)], seen
    c.disconnect()
    with Client(port) as c:
        c.connect("do-ping-drop")
        c.send(packet(PINGREQ, 0, b""))
        c.expect_nothing()
    with Client(port) as c:
        c.connect("do-pong-drop")
        c.send(packet(PINGREQ, 0, b""))
        c.expect_nothing()
        c.subscribe("others")
    with Client(port) as c:
        c.connect("do-ping-close")
        c.send(packet(PINGREQ, 0, b""))
        assert c.expect_closed() == 0x98
    with Client(port) as c:
        c.connect("do-pong-close")
        c.send(packet(PINGREQ, 0, b""))
        assert c.expect_closed() == 0x98


# ---- calls ----

def calls(port, record):
    c = joined(port, "caller")

    def call(name, arguments=b"", result=0):
        c.publish("call/" + name, arguments, qos=1)
        e = record.wait("called", name=name)
        assert e["result"] == result, e
    return c, call


def a_plugin_can_publish_and_list_what_is_retained(port, record):
    c, call = calls(port, record)
    c.subscribe("from/plugin", qos=1)
    call("publish", b"from/plugin|hello")
    p = c.expect_publish("from/plugin", b"hello", qos=1)
    assert p.props["content_type"] == "text/plain" and p.props["message_expiry"] in (99, 100), p
    take(c, p)
    e = record.wait("intercept_publish", topic="from/plugin")
    assert e["from_client"] == 0, e
    call("list_retained", b"from/#")
    assert record.events("list_retained", topic="from/plugin", payload="hello", retain=1)
    call("list_retained", b"a/#/b", result=-22)
    call("delete_retained", b"from/plugin")
    record.wait("retained_cleared", topic="from/plugin")
    call("publish", b"wild/#|x", result=-22)
    call("decide", b"", result=-2)
    c.disconnect()


def a_plugin_can_list_disconnect_and_delete(port, record):
    c, call = calls(port, record)
    away = joined(port, "away", session_expiry=100)
    away.subscribe("away/#", qos=1)
    away.disconnect()
    record.wait("client_disconnected", client="away")
    c.publish("away/1", b"x", qos=1)
    here = joined(port, "here")
    call("list_clients")
    names = {e["client"] for e in record.events("list_clients")}
    assert {"caller", "here"} <= names and "away" not in names, names
    call("list_sessions")
    e = record.events("list_sessions", client="away")[-1]
    assert (e["connected"], e["subscriptions"], e["queued"], e["session_expiry"]) == (0, 1, 1, 100), e
    call("disconnect", b"here|98")
    assert here.expect_closed() == 0x98
    call("disconnect", b"here|98", result=-2)
    call("disconnect", b"caller|01", result=-22)
    call("delete_session", b"away")
    record.wait("session_deleted", client="away")
    call("delete_session", b"away", result=-2)
    with Client(port) as again:
        assert not again.connect("away", clean=False, session_expiry=1).session_present
    c.disconnect()


def a_plugin_can_subscribe_for_others(port, record):
    c, call = calls(port, record)
    c.publish("gift/kept", b"retained", retain=True)
    s = joined(port, "given", session_expiry=100)
    call("subscribe", b"given|gift/#")
    e = record.wait("client_subscribed", client="given", filter="gift/#")
    assert e["by_client"] == 0 and e["qos"] == 1, e
    p = s.expect_publish("gift/kept", b"retained", retain=True)
    assert p.props["subscription_id"] == [9], p
    c.publish("gift/1", b"1", qos=1)
    take(s, s.expect_publish("gift/1", b"1", qos=1))
    call("unsubscribe", b"given|gift/#")
    record.wait("client_unsubscribed", client="given", filter="gift/#")
    c.publish("gift/2", b"2", qos=1)
    s.ping()
    s.disconnect()
    record.wait("client_disconnected", client="given")
    call("subscribe", b"given|gift/#")  # while it is away
    record.wait("client_subscribed", client="given", filter="gift/#")
    c.publish("gift/3", b"3", qos=1)
    s = joined(port, "given", clean=False)
    s.expect_publish("gift/3", b"3", qos=1)
    call("subscribe", b"given|a/#/b", result=-22)
    call("subscribe", b"nobody|a", result=-2)
    c.publish("gift/kept", b"", retain=True)
    c.disconnect()
    s.kill()


def a_plugin_that_turns_on_the_client_it_is_asked_about_harms_nobody(port, record):
    with Client(port) as c:
        c.connect("do-connected-disconnect")
        assert c.expect_closed() == 0x98
    with Client(port) as c:
        c.connect("do-validate-self")
        c.subscribe("#", qos=1)
        c.send(publish("do/publish/self/x", b"x", qos=1, id=5))
        while True:
            p = c.recv()
            if p.type == DISCONNECT:
                break
        assert p.reason == 0x98, p
        record.wait("session_deleted", client="do-validate-self")
    with Client(port) as c:
        c.connect("still-here")


def two_that_answer_each_other_come_to_an_end(port, record):
    c = joined(port, "echo")
    c.publish("do/publish/echo/x", b"1", qos=1)
    c.ping()
    echoes = record.events("intercept_publish", topic="do/publish/echo/x")
    assert len(echoes) == 9, len(echoes)  # its own, and eight answers
    c.publish("do/publish/flood/x", b"1", qos=1)
    e = record.wait("flooded")
    assert e["result"] == -105, e
    c.ping()
    assert len(record.events("intercept_publish", topic="flood")) == 10000
    c.disconnect()


CHECKS = [v for v in list(globals().values()) if callable(v) and getattr(v, "__module__", "") == "__main__"
          and v.__code__.co_varnames[:2] == ("port", "record") and v is not calls]


def before_anybody_comes_and_after_all_have_gone(w):
    broker, port, record = start_recording(w)
    record.wait("retained_loading")
    record.wait("retained_changed", topic="loaded/first")
    record.wait("started")
    with Client(port) as c:
        c.connect("first")
        c.subscribe("loaded/#")
        c.expect_publish("loaded/first", b"before anybody came", retain=True)
        broker.process.send_signal(signal.SIGTERM)
        assert c.expect_closed() == 0x8B
    assert broker.process.wait(15) == 0
    names = record.names()
    assert names[0] == "open" and names[-4:] == ["client_disconnected", "session_deleted", "stopped", "close"], names
    assert names.index("retained_loading") < names.index("retained_changed") < names.index("started"), names
    os.remove(record.path)


# ---- plugins that come, change, go, or must not come ----

def check_refused(w, path, words, options=None):
    config = w.write("refused.yaml", configuration(free_port(), [{"path": path, "options": options or {}}]))
    done = subprocess.run([WIREPOST, "run", "-c", config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    said = done.stdout.decode()
    assert done.returncode != 0 and re.search(words, said), said
    print("  refused: " + re.search(".*" + words, said).group(0), flush=True)


def plugins_that_cannot_be_loaded_are_refused_in_words(w):
    check_refused(w, w.path("nowhere.so"), r"cannot be read \(No such file")
    check_refused(w, w.folder, "not a file")
    check_refused(w, w.write("text.so", "hello"), "not a shared object: build it with")
    with open(plugin("record"), "rb") as f:
        image = bytearray(f.read())
    image[18] = 40 if image[18] != 40 else 62  # e_machine: ARM, or x86-64
    with open(w.path("foreign.so"), "wb") as f:
        f.write(image)
    check_refused(w, w.path("foreign.so"), "made for .*build it for this machine")
    with open(w.path("cut.so"), "wb") as f:
        f.write(open(plugin("record"), "rb").read()[:3000])
    check_refused(w, w.path("cut.so"), "cut short.*copy it again")
    check_refused(w, plugin("odd-abi"), "made for plugin ABI 2, this wirepost has ABI 1: build it anew")
    check_refused(w, plugin("odd-size"), "begin it with WIREPOST_PLUGIN_HEAD")
    check_refused(w, plugin("odd-newer"), "needs a newer one")
    check_refused(w, plugin("odd-nothing"), "does not have the symbol wirepost_plugin")
    check_refused(w, plugin("record"), "would not open", {"fail": "1"})


def the_example_of_the_readme_works(w):
    """In C99, and as C++; with no other header of ours."""
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
    with open(os.path.join(top, "README.md")) as f:
        example = re.search(r"```c\n(#include <wirepost/plugin.h>.*?)```", f.read(), re.DOTALL).group(1)
    for language, standard, compiler in (("c", "c99", "cc"), ("c++", "c++20", "c++")):
        source, binary = w.write("example", example), w.path("example-%s.so" % language)
        subprocess.run([compiler, "-x", language, "-std=" + standard, "-Wall", "-Wextra", "-Werror", "-pedantic",
                        "-Wno-missing-field-initializers", "-Wno-unused-parameter", "-shared", "-fPIC", "-I", os.path.join(top, "gateway/include"),
                        "-o", binary, source], check=True, timeout=60)
        broker, port, _ = start(w, [{"path": binary}])
        with Client(port) as c:
            c.connect("me")
            assert c.publish("a", b"", qos=1).reason == 0x99
            assert c.publish("a", b"x", qos=1).reason == 0x10
        broker.stop()


def a_reload_opens_before_it_closes_and_refuses_whole(w):
    first, second = Record(w.path("first")), Record(w.path("second"))
    one = {"path": plugin("record"), "options": {"file": first.path}}
    two = {"path": plugin("record"), "options": {"file": second.path}}
    broker, port, config = start(w, [one])

    def reload(plugins, ready):
        seen = len(broker.log())
        w.write("wirepost.yaml", configuration(port, plugins))
        broker.process.send_signal(signal.SIGHUP)
        wait_for(lambda: re.search(ready, broker.log()[seen:]), 10, ready)

    stays = joined(port, "stays")
    reload([one, two], "reload: ")
    second.wait("started")
    assert "retained_loading" not in second.names() and "close" not in first.names()
    reload([two, one], "reload: ")
    stays.publish("do/publish/drop/x", b"1", qos=1)
    assert second.events("intercept_publish", topic="do/publish/drop/x")
    assert not first.events("intercept_publish", topic="do/publish/drop/x")  # the other comes first now
    reload([{"path": plugin("odd-abi")}], "reload: nothing was changed")
    reload([{"path": plugin("record"), "options": {"fail": "1"}}], "reload: nothing was changed")
    stays.ping()
    with Client(port) as c:  # waits for the plugin that goes
        c.send(connect("do-validate-laternever"))
        second.wait("validating_connection", client="do-validate-laternever")
        changed = {"path": plugin("record"), "options": {"file": first.path, "more": [1, {"a": True}], "so": "yes"}}
        reload([changed], "reload: ")
        p = c.expect(CONNACK)
        assert p.reason in (0x88, 0x80), p
    assert second.names()[-2:] == ["stopped", "close"]
    answer = packet(AUTH, 0, bytes([0x18]) + properties({"auth_method": "GUESS", "auth_data": b"42"}))
    for i in range(6):  # an exchange ends with its plugin, wherever in memory the next one is
        with Client(port) as c:
            c.send(connect("guess-reload%d" % i, auth_method="GUESS"))
            c.expect(AUTH)
            for step in "ab":
                reload([dict(changed, options=dict(changed["options"], so="%d%s" % (i, step)))], "reload: ")
            assert [e for e in first.names() if e in ("auth_start", "auth_ended")][-2:] == ["auth_start", "auth_ended"]
            c.send(answer)
            assert c.expect(CONNACK).reason == 0x88
    reload([changed], "reload: ")
    names = first.names()
    assert names.count("open") == names.count("close") + 1 == 15, names
    assert names.index("stopped") > [i for i, n in enumerate(names) if n == "open"][1]  # opened before the other closed
    e = first.events("open")[-1]
    assert e["more"] == '[1,{"a":true}]' and e["so"] == "yes", e
    reload([], "reload: ")
    assert first.names().count("close") == 15
    stays.ping()
    broker.stop()


def main():
    only = sys.argv[1:]
    with Workplace() as w:
        if not only:
            for check in (before_anybody_comes_and_after_all_have_gone, plugins_that_cannot_be_loaded_are_refused_in_words,
                          the_example_of_the_readme_works, a_reload_opens_before_it_closes_and_refuses_whole):
                check(w)
                print("ok: " + check.__name__.replace("_", " "), flush=True)
        broker, port, record = start_recording(w, limits={"queued_messages": 4, "on_full": "drop-oldest"})
        for check in CHECKS:
            if only and check.__name__ not in only:
                continue
            check(port, record)
            print("ok: " + check.__name__.replace("_", " "), flush=True)
        broker.stop()


main()
