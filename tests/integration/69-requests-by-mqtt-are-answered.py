"""Are requests by MQTT answered, at the response topic they name, and are dangerous ones for those who may?

    wp/<gw>/request/<name> -> wp/<gw>/response/<name>, or an MQTT 5 response topic with its correlation data
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from mqtt import PUBACK, PUBLISH, Client, Timeout
from programs import WIREPOST, Workplace, free_port
from pty_slave import PtySlave, Unit

CONFIG = """
gateway: {{id: test, data_dir: {folder}/data{more}}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {device}, baud: 19200}}
    timeout: 200ms
    devices: [{{name: meter, unit: 5, tags: [{{name: x, table: holding, address: 0, type: u16}}]}}]
"""
FINAL = ("done", "failed", "cancelled")


class Asker:
    def __init__(self, port):
        self.ears = Client(port, 5)
        self.ears.connect("listener")
        self.ears.subscribe("wp/test/response/#", "mine/#", qos=1)
        self.client = Client(port, 5)
        self.client.connect("asker")

    def hear(self, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                p = self.ears.recv(1)
            except Timeout:
                continue
            if p.type == PUBLISH:
                if p.qos:
                    self.ears.ack(PUBACK, p.id)
                return p
        raise AssertionError("no answer")

    def last(self, seconds=20):
        while True:
            p = self.hear(seconds)
            answer = json.loads(p.payload)
            if answer["status"] in FINAL:
                return p, answer

    def ask(self, name, body=None, **options):
        payload = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self.client.publish("wp/test/request/" + name, payload, qos=1, **options)
        p, answer = self.last()
        if "response_topic" not in options:
            assert p.topic == "wp/test/response/" + name, p.topic
        return p, answer


def reads(asker):
    _, got = asker.ask("read", {"id": "r1", "device": "meter", "table": "holding", "address": 0, "count": 2})
    assert got["status"] == "done" and got["id"] == "r1" and got["values"] == [7, 8], got
    p, got = asker.ask("read", {"device": "meter", "table": "holding", "address": 1},
                       response_topic="mine/answers", correlation_data=b"\x01\x02")
    assert p.topic == "mine/answers" and got["values"] == [8], (p.topic, got)
    assert p.props["correlation_data"] == b"\x01\x02", p.props
    for body, code in ((b"hello", "bad_request"), (b"[]", "bad_request"), ({"device": "metre", "table": "coil"}, "no_such_device")):
        _, got = asker.ask("read", body)
        assert got["status"] == "failed" and got["code"] == code, got
    _, got = asker.ask("raed", {"id": 1})
    assert got["code"] == "no_such_request" and "did you mean 'read'?" in got["error"], got
    _, got = asker.ask("read", {"device": "meter", "table": "holding"}, retain=True)
    assert got["code"] == "retained", got
    print("reads: answered, with response topic and correlation data")


def others(asker):
    _, got = asker.ask("check")
    assert got["status"] == "done" and isinstance(got["report"], list), got
    _, got = asker.ask("log", {"level": "debug"})
    assert got["status"] == "done", got
    _, got = asker.ask("frames", {"bus": "line"})
    assert got["status"] == "done" and got["frames"], got
    print("frames: %d, the last: %s" % (len(got["frames"]), got["frames"][-1]))
    _, got = asker.ask("frames", {"bus": "lime"})
    assert got["code"] == "no_such_bus", got
    _, got = asker.ask("reload")
    assert got["status"] == "done", got


def may_not(asker, slave):
    for name, body in (("scan", {"bus": "line"}), ("write", {"device": "meter", "table": "holding", "address": 0, "values": [1]})):
        _, got = asker.ask(name, body)
        assert got["code"] == "not_allowed" and "remote_commissioning" in got["error"], got
    assert slave.units[5].holding[0] == 7
    print("scan and write: %s" % got["error"])


def may(asker, slave):
    _, got = asker.ask("write", {"device": "meter", "table": "holding", "address": 0, "values": [9], "verify": True})
    assert got["status"] == "done" and got["result"] == "verified" and got["old"] == [7], got
    assert slave.units[5].holding[0] == 9

    def audited():
        _, got = asker.ask("audit", {"device": "meter"})
        assert got["status"] == "done", got
        return got["writes"]
    end = time.monotonic() + 15
    while not audited() and time.monotonic() < end:
        time.sleep(0.1)
    entry = audited()[0]
    print("audit: %s" % entry)
    assert (entry["who"], entry["tag"], entry["value"], entry["from"], entry["result"]) == \
        ("asker", "holding 0", "[9]", "[7]", "verified"), entry

    asker.client.publish("wp/test/request/scan", json.dumps({"id": 3, "bus": "line", "units": "5", "match": False}).encode(), qos=1)
    seen = []
    while not seen or seen[-1]["status"] not in FINAL:
        seen.append(json.loads(asker.hear().payload))
    assert [e["status"] for e in seen if e["status"] != "progress"] == ["accepted", "unit", "done"], seen
    assert seen[-1]["units"][0]["device"] == "meter" and all(e["id"] == 3 for e in seen), seen

    asker.client.publish("wp/test/request/scan", b'{"id": 4, "bus": "line"}', qos=1)
    assert json.loads(asker.hear().payload)["status"] == "accepted"
    asker.client.publish("wp/test/request/cancel", b'{"id": 4}', qos=1)
    _, got = asker.last()
    assert got["status"] == "cancelled" and got["id"] == 4, got


def main():
    with Workplace() as w, PtySlave({5: Unit(holding={0: 7, 1: 8})}, baud=19200) as slave:
        for more, part in (("", may_not), (", remote_commissioning: true", may)):
            port = free_port()
            config = w.write("a.yaml", CONFIG.format(folder=w.folder, port=port, device=slave.path, more=more))
            gateway = w.start([WIREPOST, "run", "-c", config], ready="line: up")
            asker = Asker(port)
            if not more:
                reads(asker)
                others(asker)
            part(asker, slave)
            gateway.stop()


main()
