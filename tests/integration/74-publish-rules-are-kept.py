"""Does a value go out when its rules say, and only then?

Deadbands, publish_on, min_interval, max_interval and `publish` of a device, with
slaves that hold what they are told to. Whatever happens, a json message says of
a tag what its value topic says, and seq misses no number.
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Site
from programs import Workplace, wait_for

CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
broker:
  listeners: [{{port: {port}}}]
buses:
  - name: plc
    type: modbus-tcp
    host: 127.0.0.1
    port: {plc_port}
    timeout: 300ms
    poll: 100ms
    devices:
      - name: tank
        unit: 1
        deadband: 5
        tags:
          - {{name: level, table: holding, address: 0, type: u16}}
          - {{name: share, table: holding, address: 1, type: s16, deadband: 10%}}
          - {{name: free, table: holding, address: 2, type: u16, deadband: 0}}
          - {{name: pump, table: coil, address: 0}}
      - name: beat
        unit: 2
        tags:
          - {{name: again, table: holding, address: 0, type: u16, max_interval: 1s}}
          - {{name: each, table: holding, address: 1, type: u16, publish_on: always}}
      - {{name: slow, unit: 3, min_interval: 1s, tags: [{{name: v, table: holding, address: 0, type: u16}}]}}
      - {{name: late, unit: 4, min_interval: 1500ms, tags: [{{name: v, table: holding, address: 0, type: u16, poll: 1s}}]}}
      - name: calm
        unit: 5
        min_interval: 30s
        deadband: 1000
        stale_after: 300ms
        tags: [{{name: v, table: holding, address: 0, type: u16}}]
      - {{name: plain, unit: 6, publish: values, tags: [{{name: v, table: holding, address: 0, type: u16}}]}}
      - {{name: terse, unit: 7, publish: json, tags: [{{name: v, table: holding, address: 0, type: u16}}]}}
{bridges}
"""
TAGS = (("tank", "level"), ("tank", "share"), ("tank", "free"), ("tank", "pump"), ("beat", "again"), ("beat", "each"),
        ("slow", "v"), ("late", "v"), ("calm", "v"), ("plain", "v"), ("terse", "v"))


class Rules:
    def __init__(self, site):
        self.site = site
        for device, tag in TAGS:
            self.set(device, tag, 1 if tag == "pump" else 100)
        site.start_gateway()
        self.watcher = site.watch("wp/#")
        for device, tag in TAGS:
            if device != "terse":
                self.wait(device, tag, "true" if tag == "pump" else "100")
        wait_for(lambda: self.json("terse"), 15, "json of terse")

    def set(self, device, tag, value):
        answer = self.site.control("set %s %s %s" % (device, tag, value))
        assert answer == "ok", answer

    def wait(self, device, tag, value, seconds=15):
        self.watcher.wait("wp/site/d/%s/v/%s" % (device, tag), value, seconds)

    def values(self, device, tag):
        """[(when it came, text)]"""
        topic = "wp/site/d/%s/v/%s" % (device, tag)
        return [(when, payload.decode()) for when, (t, payload) in zip(self.watcher.times, list(self.watcher.messages))
                if t == topic]

    def json(self, device):
        return self.watcher.json("wp/site/d/%s/json" % device)

    def steps(self, device, tag, values):
        """Which of the values, each held for a while, were published."""
        before = len(self.values(device, tag))
        for value in values:
            self.set(device, tag, value)
            time.sleep(0.4)
        return [text for when, text in self.values(device, tag)[before:]]


def deadbands(r):
    got = r.steps("tank", "level", (103, 105, 106, 101, 100, 112))
    print("deadband 5, from 100:", got)
    assert got == ["106", "100", "112"], got
    got = r.steps("tank", "share", (110, 111, 121, 123, 0, 1, -1))
    print("deadband 10 %, from 100:", got)
    assert got == ["111", "123", "0", "1", "-1"], got
    got = r.steps("tank", "free", (101, 102, 102, 101))
    assert got == ["101", "102", "101"], got
    got = r.steps("tank", "pump", (0, 1))
    print("a bool below a deadband:", got)
    assert got == ["false", "true"], got


def paces(r):
    time.sleep(4)
    for tag, low, high in (("again", 0.9, 1.3), ("each", 0.01, 0.5)):
        times = [when for when, text in r.values("beat", tag)][-4:]
        gaps = [b - a for a, b in zip(times, times[1:])]
        print("beat/%s, unchanged, comes every %s s" % (tag, ["%.2f" % g for g in gaps]))
        assert len(gaps) == 3 and low < sum(gaps) / 3 < high, gaps


def intervals(r):
    for value in range(101, 161):
        r.set("slow", "v", value)
        time.sleep(0.05)
    r.wait("slow", "v", "160", 3)
    got = r.values("slow", "v")
    gaps = [b - a for (a, s), (b, t) in zip(got, got[1:])]
    print("min_interval 1 s: 60 values in 3 s became %s" % [text for when, text in got])
    assert 3 <= len(gaps) <= 6 and all(g > 0.8 for g in gaps), gaps
    wait_for(lambda: len(r.json("slow")) >= len(got), 5, "json of slow")
    samples = [m["ts"] for m in r.json("slow")]
    assert samples == sorted(samples) and len(samples) == len(got), samples

    r.set("late", "v", 101)
    r.wait("late", "v", "101")
    r.set("late", "v", 102)
    r.wait("late", "v", "102")
    (first, _), (second, _) = r.values("late", "v")[-2:]
    wait_for(lambda: r.json("late")[-1]["v"]["v"] == 102, 5, "json of late")
    age = second - r.json("late")[-1]["ts"] / 1000
    print("read between: came %.2f s after the value before, %.2f s old" % (second - first, age))
    assert 1.4 < second - first < 1.9 and 0.2 < age < 0.9


def bad_and_good(r):
    r.set("calm", "v", 5000)
    time.sleep(0.5)
    assert r.values("calm", "v")[-1][1] == "100"
    begin = time.time()
    assert r.site.control("fault calm exception 2") == "ok"
    r.wait("calm", "v", "", 5)
    assert r.site.control("fault calm off") == "ok"
    r.wait("calm", "v", "5000", 5)
    print("bad and good again %.2f s later, with a min_interval of 30 s" % (time.time() - begin))


def forms(r):
    for value in (7, 8):
        r.set("plain", "v", value)
        r.set("terse", "v", value)
        r.wait("plain", "v", str(value))
        wait_for(lambda: r.json("terse")[-1]["v"]["v"] == value, 5, "json of terse")
    assert not r.json("plain") and not r.values("terse", "v")


def json_says_what_the_values_say(r):
    latest, seqs, compared = {}, {}, 0
    for topic, payload in list(r.watcher.messages):
        parts = topic.split("/")
        if parts[-2] == "v":
            latest[parts[3], parts[5]] = payload.decode()
        if parts[-1] != "json":
            continue
        message = json.loads(payload)
        seqs.setdefault(parts[3], []).append(message["seq"])
        for tag, value in message["v"].items():
            text = "" if value is None else json.dumps(value)
            assert parts[3] == "terse" or latest[parts[3], tag] == text, (topic, payload, latest)
            compared += 1
    for device, numbers in seqs.items():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), (device, numbers)
    print("%d values in json messages, all as on their topics; seq of %d devices without a gap" % (compared, len(seqs)))


def main():
    with Workplace() as w:
        site = Site(w, CONFIG)
        site.start_simulator()
        r = Rules(site)
        for part in (deadbands, paces, intervals, bad_and_good, forms, json_says_what_the_values_say):
            part(r)
        site.gateway.stop()
        site.simulator.stop()
        assert "Sanitizer" not in site.gateway.log() + site.simulator.log()


main()
