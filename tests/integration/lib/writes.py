"""What a requester of writes sees: publishes to `set` topics and gathers the results by id.

    with Requester(port, "g") as r:
        r.ask("press", {"level": 3.5}, id="a7")      # JSON; more keywords: expires_ms, verify
        r.outcome("press", "a7")                     # ["accepted", "written"], once it is final
        r.results["a7"]                              # the documents
"""
import json
import time

from mqtt import PUBACK, PUBLISH, Client, Timeout

FINAL = {"verified", "rejected", "expired", "failed"}


class Requester:
    def __init__(self, port, gateway, name="requester", **connect):
        self.gateway, self.results, self.other, self.newest = gateway, {}, [], None
        self.client = Client(port)
        self.client.connect(name, keepalive=0, **connect)
        self.client.subscribe("wp/%s/d/+/result" % gateway, "reply/#", qos=1)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.client.kill()

    def topic(self, rest):
        return "wp/%s/d/%s" % (self.gateway, rest)

    def send(self, topic, payload, **options):
        """QoS 1; what comes before the acknowledgement is kept."""
        from mqtt import publish
        id = next(self.client.ids)
        payload = payload if isinstance(payload, bytes) else payload.encode()
        self.client.send(publish(topic, payload, 1, id, version=5, **options))
        while True:
            p = self.client.recv(10)
            if p.type == PUBACK and p.id == id:
                return p
            self.take(p)

    def ask(self, device, values, id=None, **more):
        options = {k: more.pop(k) for k in ("response_topic", "correlation_data", "message_expiry", "retain") if k in more}
        document = dict(more, v=values)
        if id is not None:
            document["id"] = id
        return self.send(self.topic(device + "/set"), json.dumps(document), **options)

    def set(self, device, tag, value, **options):
        return self.send(self.topic("%s/v/%s/set" % (device, tag)), value, **options)

    def take(self, p):
        if p.type != PUBLISH:
            return
        if p.qos == 1:
            self.client.ack(PUBACK, p.id)
        if p.topic.startswith("wp/"):
            document = json.loads(p.payload)
            self.results.setdefault(document["id"], []).append(document)
            self.newest = document["id"]
        else:
            self.other.append(p)

    def receive(self, seconds):
        try:
            self.take(self.client.recv(seconds))
        except Timeout:
            pass

    def statuses(self, id):
        return [d["status"] if d["code"] is None else "%s %s" % (d["status"], d["code"]) for d in self.results.get(id, [])]

    def wait(self, id, last, seconds=15):
        """Until a result of this status has come; all of them."""
        end = time.monotonic() + seconds
        while not any(d["status"] == last for d in self.results.get(id, [])):
            assert time.monotonic() < end, "waited for %s of %s, got %s" % (last, id, self.statuses(id))
            self.receive(0.2)
        return self.statuses(id)

    def quiet(self, seconds=0.3):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.receive(max(0.01, end - time.monotonic()))
