"""Does a bus tell its own fault from a device's, and a slow device from a dead one?

Three devices on a line. One silent: that device is quarantined, the bus stays up. All silent: the bus is at
fault and says what to check; when one answers again all are asked at once. All damaged: it says that. The adapter
gone: absent. A device that answers after one and a half of its time-outs is slow: it keeps being read, and after
a time without being late it is well again.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import Buses, control
from programs import WIREPOST, Workplace, wait_for

DEVICE = """
      - {name: d%d, unit: %d, tags: [{name: v, table: input, address: 0, type: u16}]}"""
CONFIG = """
gateway: {id: test}
buses:
  - name: line
    type: modbus-rtu
    port: {device: FOLDER/line, baud: 115200}
    timeout: 200ms
    poll: 200ms
    fail_time: 2s
    devices:""" + "".join(DEVICE % (n, n + 1) for n in range(3))
ALL = range(3)


def main():
    with Workplace() as w:
        config = w.write("bus.yaml", CONFIG.replace("FOLDER", w.folder))
        simulator = w.start([WIREPOST, "simulate", "--control", w.path("control"), config], ready="ready")
        buses = Buses(w, config)

        def fault(devices, what):
            for n in devices:
                assert control(w.path("control"), "fault d%d %s" % (n, what)) == "ok"

        def wait_health(devices, state, seconds=30):
            wait_for(lambda: all(buses.health("d%d" % n) == state for n in devices), seconds,
                     "%s to be %s, not %s" % (list(devices), state, [buses.health("d%d" % n) for n in devices]))

        def wait_state(text, seconds=30):
            begin = time.monotonic()
            wait_for(lambda: text in (buses.state("line") or ""), seconds, "the bus to be %r" % text)
            print("%4.1f s: %s" % (time.monotonic() - begin, buses.state("line")), flush=True)

        wait_health(ALL, "up")
        fault([1], "delay 300")
        wait_health([1], "slow")
        slow_since = time.monotonic()
        before = len(buses.readings("d1", "v"))
        wait_for(lambda: [v for v in buses.readings("d1", "v")[before:] if v[0] != "!"][5:], 15, "a slow device to be read")
        fault([1], "off")

        fault([0], "silent")
        wait_health([0], "quarantined")
        assert buses.state("line") == "up", buses.state("line")
        fault([1, 2], "silent")
        wait_state("fault all 3 devices fell silent: check cable")
        wait_health(ALL, "quarantined")
        time.sleep(5)  # probes are rare by now
        fault(ALL, "off")
        begin = time.monotonic()
        wait_for(lambda: buses.state("line") == "up", 15, "the bus to be up")
        first = time.monotonic()
        wait_for(lambda: all(buses.health("d%d" % n) in ("up", "slow") for n in ALL), 15, "all to be back")
        print("up %.1f s after the fault, all devices %.1f s later" % (first - begin, time.monotonic() - first))

        fault(ALL, "crc")
        wait_state("fault only damaged answers of 3 devices: check baud rate")
        fault(ALL, "off")
        wait_state("up", 15)

        wait_for(lambda: buses.health("d1") == "up", 100, "a device in time to be well")
        print("slow for %.0f s" % (time.monotonic() - slow_since))
        simulator.stop()
        wait_state("absent cannot open")
        buses.stop()


main()
