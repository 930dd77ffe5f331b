"""Does what `wirepost check` forecasts for an overloaded line really happen?

Tags of three periods on a line as slow as its baud rate, which would need half as much again: each has to come every so
often as forecast, the fast ones not at the slow ones' cost nor the other way round.
"""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import Buses
from programs import WIREPOST, Workplace, wait_for

SECONDS = 40
TOLERANCE = 0.2  # the simulator and the bus share their machine with others
CLASSES = {"fast": ("200ms", 5, 1), "usual": ("1s", 10, 10), "slow": ("3s", 20, 30)}  # period, requests, registers
CONFIG = """
gateway: {id: test}
buses:
  - name: line
    type: modbus-rtu
    port: {device: FOLDER/line, baud: 9600}
    devices:"""


def device(name, unit, period, requests, registers):
    tags = ["{name: t%d, table: input, address: %d, type: string, length: %d}" % (n, n * 200, registers) for n in range(requests)]
    return "\n      - {name: %s, unit: %d, poll: %s, tags: [%s]}" % (name, unit, period, ", ".join(tags))


def main():
    with Workplace() as w:
        config = w.write("bus.yaml", CONFIG.replace("FOLDER", w.folder) + "".join(
            device(name, unit + 1, *what) for unit, (name, what) in enumerate(CLASSES.items())))
        checked = subprocess.run([WIREPOST, "check", "-c", config], capture_output=True, text=True, timeout=30).stdout
        print(checked, end="")
        load = int(re.search(r"bus line: (\d+) %", checked).group(1)) / 100
        assert load > 1.5 and "tags polled every 200ms to 3s will come every" in checked
        w.start([WIREPOST, "simulate", "--pace", config], ready="ready")
        buses = Buses(w, config)

        def counts():
            lines = buses.lines()
            return {name: sum(line.startswith(name + " ") for line in lines) / CLASSES[name][1] for name in CLASSES}

        wait_for(lambda: all(counts().values()), 30, "a reading of each")
        time.sleep(5)
        before, begin = counts(), time.monotonic()
        time.sleep(SECONDS)
        after, took = counts(), time.monotonic() - begin
        for name, (period, _, _) in CLASSES.items():
            forecast = load * (0.2 if period == "200ms" else int(period[:-1]))
            every = took / (after[name] - before[name])
            print("%s: polled every %s, forecast %.2f s, came every %.2f s" % (name, period, forecast, every))
            assert abs(every - forecast) <= TOLERANCE * forecast
        buses.stop()


main()
