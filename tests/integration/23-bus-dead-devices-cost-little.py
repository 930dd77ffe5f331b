"""Do dead devices leave the others their bus, and come back when they can?

Ten devices on one line; five fall silent. The five others keep at least 90 %
of their readings, the dead are quarantined, and answer again within 30 s of
being well. A device that refuses or answers late is not dead.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import Buses, control
from programs import WIREPOST, Workplace, wait_for

DEVICES = 10
DEAD = range(5)
SECONDS = 10
DEVICE = """
      - {name: d%d, unit: %d, poll: 100ms, tags: [{name: v, table: input, address: 0, type: f32}]}"""
CONFIG = """
gateway: {id: test}
buses:
  - name: line
    type: modbus-rtu
    port: {device: FOLDER/line, baud: 115200}
    timeout: 300ms
    devices:""" + "".join(DEVICE % (n, n + 1) for n in range(DEVICES))


def main():
    with Workplace() as w:
        config = w.write("bus.yaml", CONFIG.replace("FOLDER", w.folder))
        w.start([WIREPOST, "simulate", "--control", w.path("control"), config], ready="ready")
        buses = Buses(w, config)

        def fault(device, what):
            assert control(w.path("control"), "fault d%d %s" % (device, what)) == "ok"

        def readings(seconds=SECONDS):
            """Good readings of the five that stay well, in so many seconds."""
            count = lambda: sum(len(buses.readings("d%d" % n, "v")) for n in range(DEVICES) if n not in DEAD)
            before = count()
            time.sleep(seconds)
            return count() - before

        wait_for(lambda: all(buses.health("d%d" % n) == "up" for n in range(DEVICES)), 15, "all to be up")
        well = readings()
        for n in DEAD:
            fault(n, "silent")
        wait_for(lambda: all(buses.health("d%d" % n) == "quarantined" for n in DEAD), 40, "the dead to be quarantined")
        with_dead = readings()
        print("readings of five devices in %d s: %d, with five others dead %d" % (SECONDS, well, with_dead))
        assert with_dead >= 0.9 * well
        assert buses.state("line") == "up"

        begin = time.monotonic()
        for n in DEAD:
            fault(n, "off")
        wait_for(lambda: all(buses.health("d%d" % n) == "up" for n in DEAD), 30, "the dead to be up")
        print("all back after %.1f s" % (time.monotonic() - begin))

        fault(0, "exception 4")
        buses.wait("d0", "v", "!exception:4")
        fault(1, "delay 150")
        time.sleep(7)
        assert buses.health("d0") == "up" and buses.health("d1") == "up"
        buses.stop()


LONG = """
gateway: {id: test}
buses:
  - name: long
    type: modbus-rtu
    port: {device: FOLDER/long, baud: 115200}
    timeout: 1s
    devices:
      - name: dying
        unit: 1
        poll: 100ms
        tags: [{name: v, table: input, address: 0, type: u16}, {name: w, table: input, address: 300, type: u16}]
      - {name: well, unit: 2, poll: 100ms, tags: [{name: v, table: input, address: 0, type: u16}]}
"""


def check_long_timeouts():
    """A value goes stale after 3 s: no longer may a device that dies keep the other waiting."""
    with Workplace() as w:
        config = w.write("long.yaml", LONG.replace("FOLDER", w.folder))
        w.start([WIREPOST, "simulate", "--control", w.path("control"), config], ready="ready")
        buses = Buses(w, config)
        wait_for(lambda: buses.health("dying") == buses.health("well") == "up", 15, "both to be up")
        assert control(w.path("control"), "fault dying silent") == "ok"
        longest, before, since = 0, 0, time.monotonic()
        while buses.health("dying") != "quarantined":
            count, now = len(buses.readings("well", "v")), time.monotonic()
            longest = max(longest, now - since)
            if count != before:
                before, since = count, now
            assert longest < 3, "no reading of the healthy device for 3 s"
            time.sleep(0.05)
        print("time-outs of 1 s: the healthy device waited %.1f s at most" % longest)
        buses.stop()


main()
check_long_timeouts()
