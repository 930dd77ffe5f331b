"""Does every reading reach the upstream, in order, when the upstream was away, and when wirepost was killed meanwhile?

Ten tags at 10 Hz, the upstream is mosquitto. First it is stopped for a while and
started again: every seq of every device has to arrive, in order. Then the same
with wirepost killed by SIGKILL in the middle of the outage: what is missing may
be at most what was read in the last 2 s before the kill.
OUTAGE_SECONDS sets the length of the outages (default 8).
"""
import json
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Site
from programs import Workplace, free_port, wait_for

OUTAGE = float(os.environ.get("OUTAGE_SECONDS", "8"))
LINGER = 2.0

CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
broker:
  listeners: [{{port: {port}}}]
web:
  enabled: false
buses:
  - name: plc
    type: modbus-tcp
    host: 127.0.0.1
    port: {plc_port}
    devices:
""" + "".join("""
      - name: {name}
        unit: {unit}
        tags:
""".replace("{name}", n).replace("{unit}", str(u)) + "".join(
    "          - {{name: t%d, table: holding, address: %d, type: u32, poll: 100ms}}\n" % (i, 2 * i) for i in range(5))
    for n, u in (("tank", 1), ("press", 2))) + """
{bridges}
"""


class Upstream:
    """mosquitto, and everything that has reached it: (device, seq, ts) in the order of arrival. The bridge comes in
    through a relay that starts once the watcher has subscribed, so that nothing arrives unseen."""

    def __init__(self, site):
        self.site, self.arrived, self.own_port = site, [], free_port()

    def start(self):
        self.broker = self.site.w.start_mosquitto(self.own_port, "max_queued_messages 0\n")
        self.watcher = self.site.watch("far/wp/site/d/+/json", port=self.own_port)
        assert self.watcher.subscribed.wait(10)
        self.relay = self.site.w.start(["socat", "TCP-LISTEN:%d,bind=127.0.0.1,fork,reuseaddr" % self.site.upstream_port,
                                        "TCP:127.0.0.1:%d" % self.own_port], start_new_session=True)

    def collect(self):
        got = []
        for topic, payload in list(self.watcher.messages):
            message = json.loads(payload)
            got.append((topic.split("/")[4], message["seq"], message["ts"]))
        return self.arrived + got

    def stop(self):
        """The cable first: what mosquitto has acknowledged, its watcher has to see."""
        os.killpg(self.relay.process.pid, signal.SIGKILL)
        time.sleep(0.5)
        self.arrived = self.collect()
        self.watcher.done = True
        self.broker.stop(status=None)


def in_order(arrived):
    """First arrivals only: QoS 1 may repeat, but never reorder what it repeats."""
    by_device = {}
    for device, seq, ts in arrived:
        seqs = by_device.setdefault(device, [])
        if seq not in {s for s, t in seqs}:
            assert not seqs or seq > seqs[-1][0], "%s: seq %d arrived after %d" % (device, seq, seqs[-1][0])
            seqs.append((seq, ts))
    return by_device


def seqs_made(local):
    """{device: {seq: ts}}"""
    made = {}
    for topic, payload in list(local.messages):
        message = json.loads(payload)
        made.setdefault(topic.split("/")[3], {})[message["seq"]] = message["ts"]
    return made


def run(protocol):
    with Workplace() as w:
        site = Site(w, CONFIG)
        site.config(bridge=protocol)
        site.start_simulator()
        up = Upstream(site)
        up.start()
        site.start_gateway()
        local = site.watch("wp/site/d/+/json")
        wait_for(lambda: len(up.collect()) > 20, 20, "readings at the upstream")

        up.stop()
        time.sleep(OUTAGE)
        up.start()
        wait_for(lambda: len(up.collect()) > len(up.arrived) + OUTAGE * 10, 20, "the backlog to arrive")
        time.sleep(1)
        made = seqs_made(local)
        site.gateway.stop()
        time.sleep(1)
        arrived = in_order(up.collect())
        for device, seqs in made.items():
            missing = set(seqs) - {s for s, t in arrived[device]}
            print("outage: %s made %d, arrived %d, missing %s" % (device, len(seqs), len(arrived[device]), sorted(missing)[:9]))
            # the last of each could still be on its way when the gateway was told to stop; the next run brings them
            assert not missing or min(missing) > max(seqs) - 3, missing

        site.start_gateway()
        local = site.watch("wp/site/d/+/json")
        wait_for(lambda: len(seqs_made(local).get("tank", ())) > 20, 20, "readings after the restart")
        up.stop()
        time.sleep(OUTAGE / 2)
        made = seqs_made(local)
        killed = time.time() * 1000
        site.gateway.kill()
        site.start_gateway()
        local_after = site.watch("wp/site/d/+/json")
        time.sleep(OUTAGE / 2)
        up.start()
        wait_for(lambda: len(up.collect()) > len(up.arrived) + OUTAGE * 5, 20, "the backlog to arrive")
        time.sleep(1)
        made_after = seqs_made(local_after)
        site.gateway.stop()
        time.sleep(1)
        arrived = in_order(up.collect())
        for device, seqs in made.items():
            missing = sorted(set(seqs) - {s for s, t in arrived[device]})
            oldest = max([killed - seqs[s] for s in missing], default=0) / 1000
            print("killed: %s made %d before and %d after, missing %d, the oldest %.2f s before the kill" % (
                device, len(seqs), len(made_after[device]), len(missing), oldest))
            # the kill came a little after the clock was read
            assert oldest <= LINGER + 0.1, "lost what was older than the linger: %.2f s" % oldest
            twice = set(seqs) & set(made_after[device])
            assert not twice, "a seq was used twice: %s" % sorted(twice)
            gaps = [b - a - 1 for (a, s), (b, t) in zip(arrived[device], arrived[device][1:]) if b != a + 1]
            print("  gaps in what arrived: %s" % gaps)
            assert sum(gaps) <= 10 * (2 * LINGER + 1), gaps
        closing = re.findall(r"bridge up: held.*", site.gateway.log())
        print("closing counters:", closing)
        assert closing and re.search(r"held 0,", closing[-1]), closing


for version in (4, 5):
    print("MQTT %s upstream" % {4: "3.1.1", 5: "5"}[version])
    run(version)
