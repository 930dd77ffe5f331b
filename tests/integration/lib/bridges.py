"""A gateway with a broker and one bridge, for tests of the bridge, and what feeds and reads it."""
from lib.mqtt import PUBACK, Client, publish
from lib.programs import WIREPOST, free_port, wait_for

CONFIG = """
gateway: {{id: gw, data_dir: {data}}}
broker:
  listeners: [{{port: {port}}}]
  sys_interval: 0s
web: {{enabled: false}}
bridges:
  - name: cloud
    url: mqtt://127.0.0.1:{upstream}
    protocol: {protocol}
    client_id: gw
    keepalive: {keepalive}
    backoff: {{min: 100ms, max: 1s}}
    topics: [{{filter: "wp/n", qos: 1, prefix: {{local: "wp/", remote: "sites/"}}}}]
    store: {{linger: 200ms}}
{more}
"""


class Gateway:
    def __init__(self, w, upstream, protocol=5, keepalive="5s", more=""):
        self.w, self.port = w, free_port()
        self.config = w.write("gateway.yaml", CONFIG.format(data=w.path("data"), port=self.port, upstream=upstream,
                                                             protocol=protocol, keepalive=keepalive, more=more))
        self.start()

    def start(self):
        self.program = self.w.start([WIREPOST, "run", "-c", self.config], port=self.port)

    def client(self, client_id="feeder", version=5):
        c = Client(self.port, version=version)
        c.connect(client_id)
        return c


def feed(client, numbers, topic="wp/n", qos=1, window=50):
    """Publishes each number; returns when the last is acknowledged."""
    open_ids = set()
    for n in numbers:
        id = next(client.ids)
        client.send(publish(topic, str(n), qos, id if qos else 0, version=client.version))
        if qos:
            open_ids.add(id)
        while len(open_ids) >= window:
            open_ids.remove(client.expect(PUBACK).id)
    while open_ids:
        open_ids.remove(client.expect(PUBACK).id)


class Reader:
    """A subscriber at the upstream whose session outlives the upstream's restarts."""

    def __init__(self, port, filter="sites/n"):
        self.port, self.filter, self.numbers = port, filter, []
        self.connect()

    def connect(self):
        self.client = Client(self.port, version=4)
        if not self.client.connect("reader", clean=False).session_present:
            self.client.subscribe(self.filter, qos=1)

    def read(self, last, seconds=30):
        """Reads until the number `last`, then a little longer; all numbers in the order of their first coming."""
        def one():
            p = self.client.recv(seconds)
            self.numbers.append(int(p.payload))
            if p.qos:
                self.client.send(bytes([PUBACK << 4, 2]) + p.id.to_bytes(2, "big"))
            return self.numbers[-1] == last
        while not one():
            pass
        return list(dict.fromkeys(self.numbers))

    def duplicates(self):
        return len(self.numbers) - len(set(self.numbers))


def retained(port, topic):
    """The retained message of a topic, or None."""
    with Client(port) as c:
        c.connect("asks")
        c.subscribe(topic)
        try:
            return c.recv(1).payload.decode()
        except Exception:
            return None


def wait_for_retained(port, topic, payload, seconds=15):
    wait_for(lambda: retained(port, topic) == payload, seconds, "%s = %s" % (topic, payload))
