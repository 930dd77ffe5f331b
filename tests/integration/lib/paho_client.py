"""paho-python, as a client that tests can wait for."""
import queue

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

__all__ = ["Paho", "properties", "PacketTypes", "SubscribeOptions", "VERSIONS"]
VERSIONS = {3: mqtt.MQTTv31, 4: mqtt.MQTTv311, 5: mqtt.MQTTv5}


def properties(kind, **values):
    p = Properties(kind)
    for name, value in values.items():
        setattr(p, name, value)
    return p


class Paho:
    """Connected when this returns; .connack is (session present, reason, properties)."""

    def __init__(self, port, client_id="", version=5, clean=True, websocket=False, will=None, before=None, **connect):
        self.messages, self.connacks, self.subacks, self.done, self.lost = (queue.Queue() for _ in range(5))
        self.c = mqtt.Client(client_id, protocol=VERSIONS[version], transport="websockets" if websocket else "tcp",
                             **({} if version == 5 else {"clean_session": clean}))
        if websocket:
            self.c.ws_set_options("/mqtt")
        self.version = version
        self.c.on_message = lambda c, u, m: self.messages.put(m)
        self.c.on_subscribe = lambda c, u, mid, granted, *p: self.subacks.put([int(str(g)) if version != 5 else g.value
                                                                               for g in granted])
        self.c.on_publish = lambda c, u, mid: self.done.put(mid)
        self.c.on_disconnect = lambda c, u, rc, *p: self.lost.put(rc)
        self.c.on_connect = lambda c, u, flags, rc, *p: self.connacks.put(
            (flags["session present"], rc if isinstance(rc, int) else rc.value, p[0] if p else None))
        if will:
            self.c.will_set(**will)
        if before:
            before(self.c)
        if version == 5:
            connect["clean_start"] = clean
        self.c.connect("127.0.0.1", port, **connect)
        self.c.loop_start()
        self.connack = self.connacks.get(timeout=10)

    def subscribe(self, topic, qos=0, **more):
        self.c.subscribe(topic, qos, **more) if not more else self.c.subscribe(topic, **more)
        return self.subacks.get(timeout=10)

    def publish(self, topic, payload, qos=0, retain=False, **more):
        """Returns when the handshake is over."""
        self.c.publish(topic, payload, qos, retain, **more).wait_for_publish(20)

    def take(self, seconds=10):
        return self.messages.get(timeout=seconds)

    def nothing(self, seconds=0.5):
        try:
            m = self.messages.get(timeout=seconds)
        except queue.Empty:
            return
        raise AssertionError("got %s %r" % (m.topic, m.payload))

    def end(self):
        self.c.disconnect()
        self.c.loop_stop()

    def vanish(self):
        """Without DISCONNECT."""
        self.c.loop_stop()
        self.c._sock_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
