"""Does polling resume by itself within 2 s when an adapter is plugged in again?

The port is a name under serial/by-id. Its pty goes away, name and all, and another one
of another number comes under the same name: soon, in the middle of
requests, or after so long that no device counts as alive.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import Buses
from faulty_slave import FaultySlave
from programs import Workplace, wait_for

CONFIG = """
gateway: {{id: test}}
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {device}, baud: 115200}}
    timeout: 100ms
    poll: 100ms
    fail_time: 1s
    devices:
      - {{name: tank, unit: 1, tags: [{{name: level, table: holding, address: 42, type: u16}}]}}
"""
AWAY = [0.1, 0.5, 1, 3, 8]  # seconds


def main():
    with Workplace() as w:
        device = w.path("serial/by-id/usb-FTDI_FT232R_A10K3V-if00-port0")
        os.makedirs(os.path.dirname(device))
        buses = Buses(w, w.write("bus.yaml", CONFIG.format(device=device)))

        def good():
            return buses.readings("tank", "level").count("42")

        def plug():
            slave = FaultySlave()
            slave.serve_pty()
            os.symlink(slave.device, device)
            return slave, time.monotonic(), good()

        wait_for(lambda: (buses.state("line") or "").startswith("absent"), 15, "the line to be absent")
        slave, began, before = plug()
        for away in AWAY + [None]:
            wait_for(lambda: good() > before, 15, "a value")
            took = time.monotonic() - began
            print("first value %.2f s after the adapter came" % took)
            assert took < 2
            wait_for(lambda: buses.state("line") == "up", 5, "the line to be up")
            if away is None:
                break
            os.unlink(device)
            slave.unplug()
            if away >= 0.5:
                wait_for(lambda: buses.state("line").startswith("absent cannot open"), 5, "the line to be absent")
                assert buses.latest("tank", "level")[0] == "!", buses.latest("tank", "level")
            time.sleep(away)
            slave, began, before = plug()
        buses.stop()


main()
