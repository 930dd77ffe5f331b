"""What do dead devices cost on a 9600 baud line, and how soon is one that returns noticed?

Ten devices on one line as slow as its baud rate; five fall silent. The five others keep at
least 90 % of their polls, all dead ones together take at most 5 % of the line once they are
quarantined, one that answers again is read within 60 s, and within 25 s when it was the only one.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import Buses, control
from programs import WIREPOST, Workplace, wait_for

DEVICES = 10
DEAD = range(5)
DEVICE = """
      - {name: d%d, unit: %d, tags: [{name: v, table: input, address: 0, type: f32}, {name: w, table: input, address: 9, type: u16}]}"""
CONFIG = """
gateway: {id: test}
buses:
  - name: line
    type: modbus-rtu
    port: {device: FOLDER/line, baud: 9600}
    timeout: 300ms
    poll: 500ms
    max_gap: 20
    devices:""" + "".join(DEVICE % (n, n + 1) for n in range(DEVICES))


class Line:
    def __init__(self, w, config):
        self.w, self.buses = w, Buses(w, config)

    def fault(self, device, what):
        assert control(self.w.path("control"), "fault d%d %s" % (device, what)) == "ok"

    def good(self, device):
        return sum(value[0] != "!" for value in self.buses.readings("d%d" % device, "v"))

    def probe_seconds(self):
        """Time spent on asking quarantined devices, so far."""
        def stats():
            return [line.split() for line in self.buses.lines() if line.startswith("stats line ")]
        before = len(stats())
        self.buses.program.process.stdin.write(b"\n")
        self.buses.program.process.stdin.flush()
        words = wait_for(lambda: stats()[before:], 5, "the figures of the line")[0]
        return int(words[words.index("probe_us") + 1]) / 1e6

    def measure(self, seconds):
        """Good readings a second of the five that stay well, and the share of the line that probes take."""
        before, probes, begin = sum(self.good(n) for n in range(DEVICES) if n not in DEAD), self.probe_seconds(), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - begin
        return (sum(self.good(n) for n in range(DEVICES) if n not in DEAD) - before) / took, (self.probe_seconds() - probes) / took

    def wait_health(self, devices, state, seconds):
        wait_for(lambda: all(self.buses.health("d%d" % n) == state for n in devices), seconds, "%s to be %s" % (list(devices), state))

    def revive(self, device):
        """Seconds until a device that answers again is read."""
        before, begin = self.good(device), time.monotonic()
        self.fault(device, "off")
        wait_for(lambda: self.good(device) > before, 70, "d%d to be read again" % device)
        return time.monotonic() - begin


def main():
    with Workplace() as w:
        config = w.write("bus.yaml", CONFIG.replace("FOLDER", w.folder))
        w.start([WIREPOST, "simulate", "--pace", "--control", w.path("control"), config], ready="ready")
        line = Line(w, config)
        line.wait_health(range(DEVICES), "up", 15)
        well, _ = line.measure(10)
        for n in DEAD:
            line.fault(n, "silent")
        line.wait_health(DEAD, "quarantined", 40)
        with_dead, share = line.measure(20)
        print("five devices: %.2f readings/s, with five others dead %.2f (%.0f %%); the dead took %.1f %% of the line"
              % (well, with_dead, 100 * with_dead / well, 100 * share))
        assert with_dead >= 0.9 * well
        assert 0 < share <= 0.05
        assert line.buses.state("line") == "up"

        took = line.revive(0)
        print("one of five is read %.1f s after it answers again" % took)
        assert took <= 60
        for n in DEAD:
            line.fault(n, "off")
        line.wait_health(DEAD, "up", 70)

        line.fault(3, "silent")
        line.wait_health([3], "quarantined", 20)
        time.sleep(12)  # probes are rare by now
        took = line.revive(3)
        print("the only dead one is read %.1f s after it answers again" % took)
        assert took <= 25
        line.buses.stop()


main()
