"""What does a gateway say of the time while its clock is wrong, and when it has been set?

The wall clock of a machine without a battery is played by a preloaded library: years behind at the start, set later.
Readings carry the time since the boot until then. What an upstream was still owed gets its true time when it is sent:
after the clock was set, and also after a restart that followed.
"""
import json
import os
import re
import subprocess
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from bridges import retained
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for

LIB = os.environ.get("OTHER_CLOCK_LIB", os.path.join(os.path.dirname(__file__), "../../build/tests/libother_clock.so"))
YEARS = -7 * 365 * 86400
CONFIG = """
gateway: {{id: site, data_dir: {folder}/data{clock}}}
broker: {{sys_interval: 1s, listeners: [{{port: {port}}}]}}
buses:
  - name: line
    type: modbus-tcp
    host: 127.0.0.1
    port: {slave}
    devices:
      - name: tank
        unit: 1
        tags: [{{name: level, table: holding, address: 0, type: u16, poll: 200ms, publish_on: always}}]
bridges:
  - name: up
    url: mqtt://127.0.0.1:{upstream}
    client_id: site
    backoff: {{min: 200ms, max: 500ms}}
    topics: [{{filter: "wp/site/d/+/json", qos: 1, prefix: {{remote: "far/"}}}}, {{filter: "wp/site/clock", qos: 1, prefix: {{remote: "far/"}}}}]
    store: {{linger: 200ms, max_age: 1h}}
"""


class Site:
    def __init__(self, w):
        self.w, self.ports = w, {name: free_port() for name in ("port", "slave", "upstream")}
        self.off, self.boot = w.write("off", "0"), w.path("boot")
        self.reboot()
        self.write()
        w.start([WIREPOST, "simulate", "-c", self.file], port=self.ports["slave"])

    def write(self, clock=""):
        self.file = self.w.write("site.yaml", CONFIG.format(folder=self.w.folder, clock=clock, **self.ports))

    def start(self):
        """A sanitizer's library has to be the first one."""
        needed = re.findall(r"(\S*lib[at]san\S*) \(", subprocess.run(["ldd", WIREPOST], capture_output=True, text=True).stdout)
        env = dict(os.environ, LD_PRELOAD=" ".join(needed + [LIB]), OTHER_CLOCK=self.off,
                   OTHER_BOOT=self.boot)
        self.gateway = self.w.start([WIREPOST, "run", "-c", self.file], port=self.ports["port"], env=env)
        self.watcher = Watcher(self.ports["port"], "wp/#")

    def reboot(self):
        """For what the gateway sees of it: the kernel has another boot id."""
        self.w.write("boot", str(uuid.uuid4()) + "\n")

    def start_upstream(self):
        """And somebody who has subscribed there before the gateway comes."""
        self.gateway.pause()
        broker = self.w.start_mosquitto(self.ports["upstream"])
        far = Watcher(self.ports["upstream"], "far/#")
        assert far.subscribed.wait(15)
        self.gateway.resume()
        return broker, far

    def set(self, seconds):
        with open(self.off + ".new", "w") as f:
            f.write(str(seconds))
        os.rename(self.off + ".new", self.off)

    def readings(self):
        return self.watcher.json("wp/site/d/tank/json")

    def wait_for_readings(self, count):
        before = len(self.readings())
        wait_for(lambda: len(self.readings()) >= before + count, 20, "%d readings" % count)
        return self.readings()[before:before + count]

    def clock(self):
        return json.loads(self.watcher.latest["wp/site/clock"])

    def stop(self):
        self.gateway.stop()
        self.watcher.done = True


def true_time(mono_ms):
    """What the machine's own clock said then."""
    return time.time() * 1000 - time.clock_gettime(time.CLOCK_BOOTTIME) * 1000 + mono_ms


def not_known_yet(site):
    site.set(YEARS)
    site.start()
    early = site.wait_for_readings(5)
    assert all(m["ts"] is None and m["clock"] == "uncertain" for m in early), early
    assert site.clock() == {"trusted": False, "boot": early[0]["boot"], "offset": None}, site.clock()
    assert json.loads(site.watcher.latest["wp/site/info"])["started"] is None
    for status in ("wp/site/d/tank/status", "$SYS/wirepost/bus/line"):
        assert json.loads(retained(site.ports["port"], status))["since"] is None, status
    assert "the clock may be wrong" in site.gateway.log()
    print("years behind:", json.dumps(early[-1]))
    return early


def set_right(site, early):
    site.set(0)
    site.watcher.wait("wp/site/clock", lambda p: json.loads(p)["trusted"])
    late = site.wait_for_readings(3)
    assert all(abs(m["ts"] - time.time() * 1000) < 20000 and "clock" not in m for m in late), late
    assert abs(site.clock()["offset"] - true_time(0)) < 1000, site.clock()
    print("set:", json.dumps(late[-1]), json.dumps(site.clock()))
    assert json.loads(site.watcher.latest["wp/site/info"])["started"] < early[0]["mono"] + site.clock()["offset"] + 1000
    for status in ("wp/site/d/tank/status", "$SYS/wirepost/bus/line"):
        since = json.loads(retained(site.ports["port"], status))["since"]
        assert abs(since - time.time() * 1000) < 60000, (status, since)
    seqs = [m["seq"] for m in site.readings()]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


def upstream(site, monos, what):
    """All that was owed comes in order, each reading with the time that it was taken at."""
    broker, far = site.start_upstream()
    got = lambda: far.json("far/wp/site/d/tank/json")
    last = max(monos)
    wait_for(lambda: got() and got()[-1]["seq"] > last, 30, "the backlog")
    by_seq = {m["seq"]: m for m in got() if m["seq"] in monos}
    far.done = True
    wrong = [m for m in by_seq.values() if m["ts"] is None or abs(m["ts"] - true_time(monos[m["seq"]])) > 1000]
    print("%s: %d of %d readings from before the clock was set came, %d with a wrong time"
          % (what, len(by_seq), len(monos), len(wrong)))
    assert not wrong and len(by_seq) == len(monos), (wrong[:3], sorted(monos), sorted(by_seq))
    times = [m["ts"] for m in got()]
    assert times == sorted(times), times
    broker.stop()


def main():
    with Workplace() as w:
        site = Site(w)
        early = not_known_yet(site)
        set_right(site, early)
        upstream(site, {m["seq"]: m["mono"] for m in early}, "owed until the clock was set")
        site.stop()
        site.reboot()

        # A power cut after the clock was set, with the upstream away: the next boot knows this one's time.
        early = not_known_yet(site)
        set_right(site, early)
        time.sleep(1)
        site.gateway.kill()
        site.reboot()
        site.watcher.done = True
        site.start()
        site.wait_for_readings(1)
        upstream(site, {m["seq"]: m["mono"] for m in early}, "owed over a power cut")
        site.stop()

        # A clock that jumps two hours ahead makes nothing two hours old: max_age is one.
        site.set(0)
        site.start()
        owed = {m["seq"]: m["ts"] for m in site.wait_for_readings(5)}
        site.set(7200)
        site.wait_for_readings(2)
        broker, far = site.start_upstream()
        got = lambda: {m["seq"]: m["ts"] for m in far.json("far/wp/site/d/tank/json")}
        wait_for(lambda: max(got(), default=0) > max(owed), 30, "the backlog")
        assert {seq: got().get(seq) for seq in owed} == owed, (owed, got())
        print("two hours ahead at once: %d of %d owed readings came" % (len(owed), len(owed)))
        far.done = True
        site.stop()
        broker.stop()

        site.write(clock=", clock: {trust: always}")
        site.set(YEARS)
        site.start()
        assert all(abs(m["ts"] - (time.time() + YEARS) * 1000) < 20000 for m in site.wait_for_readings(2))
        print("trust: always, years behind:", json.dumps(site.readings()[-1]))
        site.stop()


main()
