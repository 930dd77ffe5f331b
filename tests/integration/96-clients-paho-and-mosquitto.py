#!/usr/bin/python3
"""Do paho-python and mosquitto's clients get what MQTT promises, over TCP and WebSocket, in 3.1, 3.1.1 and 5?"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from paho_client import PacketTypes, Paho, SubscribeOptions, properties
from programs import WIREPOST, Workplace, free_port, wait_for

CONFIG = """
broker:
  listeners: [{{port: {port}}}]
  limits: {{packet_bytes: 2MiB, inflight: 100}}
web:
  listen: {{port: {web_port}}}
"""


class Way:
    """How a client comes in: version, and by WebSocket or not."""

    def __init__(self, port, version, websocket):
        self.port, self.version, self.websocket = port, version, websocket

    def open(self, client_id="", **more):
        return Paho(self.port, client_id, self.version, websocket=self.websocket, **more)

    def kept(self, client_id, clean=False):
        """A client whose session outlives its connection."""
        if self.version < 5:
            return self.open(client_id, clean=clean)
        return self.open(client_id, clean=clean, properties=properties(PacketTypes.CONNECT, SessionExpiryInterval=60))

    def __str__(self):
        return "MQTT %s over %s" % ({3: "3.1", 4: "3.1.1", 5: "5"}[self.version], "WebSocket" if self.websocket else "TCP")


def every_qos_both_ways(way):
    with way.open("sub") as sub, way.open("pub") as pub:
        for asked in range(3):
            assert sub.subscribe("q/%d/#" % asked, asked) == [asked]
            for sent in range(3):
                pub.publish("q/%d/x" % asked, b"%d" % sent, sent)
                m = sub.take()
                assert (m.payload, m.qos) == (b"%d" % sent, min(asked, sent)), (asked, sent, m.qos)


def retained_messages(way):
    with way.open("pub") as pub, way.open("sub") as sub:
        pub.publish("kept/a", b"1", 1, retain=True)
        pub.publish("kept/b", b"2", 2, retain=True)
        pub.publish("kept/b", b"", 1, retain=True)
        sub.subscribe("kept/#", 2)
        m = sub.take()
        assert (m.topic, m.payload, m.retain, m.qos) == ("kept/a", b"1", 1, 1)
        sub.nothing(0.2)
        pub.publish("kept/a", b"", 0, retain=True)


def a_will_comes_when_its_client_vanishes(way):
    with way.open("heir") as heir:
        heir.subscribe("will/#", 1)
        way.open("dies", will={"topic": "will/now", "payload": b"gone", "qos": 1}).vanish()
        assert heir.take().payload == b"gone"
        way.open("leaves", will={"topic": "will/no", "payload": b"x"}).end()
        heir.nothing(0.3)
        if way.version == 5:
            heirs_delay(way, heir)


def heirs_delay(way, heir):
    will = {"topic": "will/later", "payload": b"late", "properties": properties(PacketTypes.WILLMESSAGE, WillDelayInterval=1)}
    expiry = properties(PacketTypes.CONNECT, SessionExpiryInterval=60)
    way.open("slowly", will=will, properties=expiry).vanish()
    began = time.monotonic()
    assert heir.take().payload == b"late" and time.monotonic() - began > 0.8
    way.open("returns", will=will, properties=expiry).vanish()
    back = way.open("returns", clean=False, properties=expiry)
    heir.nothing(1.3)
    back.end()


def a_session_is_taken_up_again(way):
    way.open("keeps", clean=True).end()
    way.kept("keeps").end()
    with way.kept("keeps") as c:
        assert c.connack[0] == (1 if way.version > 3 else 0), c.connack
        c.subscribe("owed/#", 2)
    with way.open("pub") as pub:
        for i in range(20):
            pub.publish("owed/%d" % i, b"%d" % i, i % 2 + 1)
    with way.kept("keeps") as c:
        got = [c.take() for _ in range(20)]  # one of QoS 2 is shown when its handshake is over: later than one of QoS 1
        for qos in (1, 2):
            assert [m.payload for m in got if m.qos == qos] == [b"%d" % i for i in range(qos - 1, 20, 2)], (qos, got)
    way.open("keeps", clean=True).end()


def a_second_client_of_the_same_name_takes_over(way):
    way.open("twin", clean=True).end()
    first = way.kept("twin")
    first.subscribe("twin/#", 1)
    first.c.reconnect_delay_set(60, 60)
    with way.kept("twin") as second:
        assert first.lost.get(timeout=10) is not None
        with way.open("pub") as pub:
            pub.publish("twin/x", b"one of us", 1)
        assert second.take().payload == b"one of us"
    first.c.loop_stop()


def a_mebibyte_in_one_message(way):
    payload = bytes(range(256)) * 4096
    with way.open("sub") as sub, way.open("pub") as pub:
        sub.subscribe("big", 2)
        for qos in range(3):
            pub.publish("big", payload, qos)
            assert sub.take(30).payload == payload


def subscriptions_are_shared(way):
    with way.open("one") as one, way.open("two") as two, way.open("pub") as pub:
        one.subscribe("$share/g/work/#", 1)
        two.subscribe("$share/g/work/#", 1)
        for i in range(40):
            pub.publish("work/%d" % i, b"x", 1)
        wait_for(lambda: one.messages.qsize() + two.messages.qsize() >= 40, 10, "all of them")
        time.sleep(0.2)
        counts = one.messages.qsize(), two.messages.qsize()
        assert sum(counts) == 40 and min(counts) > 5, counts


def a_message_that_expires_is_gone(way):
    way.kept("later", clean=True).end()
    with way.kept("later") as c:
        c.subscribe("expiry/#", 1)
    with way.open("pub") as pub:
        for seconds in (1, 100):
            pub.publish("expiry/%d" % seconds, b"x", 1, properties=properties(PacketTypes.PUBLISH, MessageExpiryInterval=seconds))
    time.sleep(1.5)
    with way.kept("later") as c:
        m = c.take()
        assert m.topic == "expiry/100" and 90 < m.properties.MessageExpiryInterval < 100, m.properties
        c.nothing(0.3)
    way.open("later", clean=True).end()


def aliases_stand_for_topics(way):
    with way.open("sub", properties=properties(PacketTypes.CONNECT, TopicAliasMaximum=5)) as sub, way.open("pub") as pub:
        assert pub.connack[2].TopicAliasMaximum >= 1
        sub.subscribe("alias/#", 1)
        pub.publish("alias/long/name", b"1", 1, properties=properties(PacketTypes.PUBLISH, TopicAlias=1))
        for i in range(2, 5):
            pub.publish("", b"%d" % i, 1, properties=properties(PacketTypes.PUBLISH, TopicAlias=1))
        got = [sub.take() for _ in range(4)]
        assert [m.payload for m in got] == [b"1", b"2", b"3", b"4"], got
        assert got[0].topic == "alias/long/name"


def requests_are_answered(way):
    with way.open("answers") as answers, way.open("asks") as asks:
        answers.subscribe("service", 1)
        asks.subscribe("answers/asks", 1)
        asks.publish("service", b"2+2", 1, properties=properties(PacketTypes.PUBLISH, ResponseTopic="answers/asks",
                                                                  CorrelationData=b"\x00\x01", UserProperty=("a", "b")))
        m = answers.take()
        assert m.properties.UserProperty == [("a", "b")]
        answers.publish(m.properties.ResponseTopic, b"4", 1,
                        properties=properties(PacketTypes.PUBLISH, CorrelationData=m.properties.CorrelationData))
        m = asks.take()
        assert (m.payload, m.properties.CorrelationData) == (b"4", b"\x00\x01")


def options_of_a_subscription(way):
    with way.open("me") as me, way.open("other") as other:
        me.subscribe("opt/nl", options=SubscribeOptions(qos=1, noLocal=True))
        me.subscribe("opt/rap", options=SubscribeOptions(qos=1, retainAsPublished=True))
        me.publish("opt/nl", b"mine", 1)
        other.publish("opt/rap", b"kept", 1, retain=True)
        m = me.take()
        assert (m.payload, m.retain) == (b"kept", 1)
        me.subscribe("opt/rap", options=SubscribeOptions(qos=1, retainHandling=2))
        me.nothing(0.3)
        other.publish("opt/rap", b"", 1, retain=True)


def a_thousand_unfinished_qos_2(way):
    """Before MQTT 5 nobody tells the client of a window: it sends all at once, and none is lost."""
    window = 100 if way.version == 5 else 1000  # paho does not look at Receive Maximum
    with way.open("sub") as sub:
        sub.subscribe("many", 2)
        with way.open("pub", before=lambda c: c.max_inflight_messages_set(window)) as pub:
            for i in range(1000):
                pub.c.publish("many", b"%d" % i, 2)
            for i in range(1000):
                pub.done.get(timeout=30)
        got = [sub.take().payload for _ in range(1000)]
        assert got == [b"%d" % i for i in range(1000)], got[:10]
        sub.nothing(0.3)


def tool(name, port, *args, **options):
    return subprocess.run([name, "-h", "127.0.0.1", "-p", str(port), *args], capture_output=True, timeout=30, **options)


def mosquittos_tools(w, port):
    for version in ("mqttv31", "mqttv311", "mqttv5"):
        for qos in "012":
            topic = "tools/" + version + qos
            sub = w.start(["stdbuf", "-oL", "mosquitto_sub", "-p", str(port), "-V", version, "-q", qos, "-t", topic, "-C", "3",
                           "-W", "20", "-d"], ready="SUBACK")
            for i in range(3):
                ran = tool("mosquitto_pub", port, "-V", version, "-q", qos, "-t", topic, "-m", "m%d" % i)
                assert ran.returncode == 0, ran.stderr
            assert sub.process.wait(30) == 0, sub.log()
            assert [l for l in sub.log().split("\n") if l.startswith("m")] == ["m0", "m1", "m2"], sub.log()


def mosquitto_rr(_, port):
    with Paho(port, "server") as server:
        server.subscribe("rr/ask", 1)
        asks = subprocess.Popen(["mosquitto_rr", "-p", str(port), "-V", "mqttv5", "-q", "1", "-t", "rr/ask", "-e", "rr/answer", "-m", "hello",
                                 "-W", "20"], stdout=subprocess.PIPE)
        m = server.take()
        server.publish(m.properties.ResponseTopic, b"to " + m.payload, 1)
        assert asks.communicate(timeout=20)[0] == b"to hello\n" and asks.returncode == 0


EVERYWHERE = [every_qos_both_ways, retained_messages, a_will_comes_when_its_client_vanishes, a_session_is_taken_up_again,
              a_second_client_of_the_same_name_takes_over, a_mebibyte_in_one_message, subscriptions_are_shared,
              a_thousand_unfinished_qos_2]
VERSION_5 = [a_message_that_expires_is_gone, aliases_stand_for_topics, requests_are_answered, options_of_a_subscription]


def main():
    only = sys.argv[1:]
    with Workplace() as w:
        port, web_port = free_port(), free_port()
        broker = w.start([WIREPOST, "run", "-c", w.write("w.yaml", CONFIG.format(port=port, web_port=web_port))],
                         ready="web: listening", port=port)
        for way in [Way(port, 3, False), Way(port, 4, False), Way(port, 5, False), Way(web_port, 4, True), Way(web_port, 5, True)]:
            for check in EVERYWHERE + (VERSION_5 if way.version == 5 else []):
                if only and check.__name__ not in only:
                    continue
                began = time.monotonic()
                print("%s: %s" % (way, check.__name__.replace("_", " ")), end="", flush=True)
                check(way)
                print(" (%.1f s)" % (time.monotonic() - began), flush=True)
        for check in (mosquittos_tools, mosquitto_rr):
            check(w, port)
            print("ok: " + check.__name__.replace("_", " "), flush=True)
        broker.stop()


main()
