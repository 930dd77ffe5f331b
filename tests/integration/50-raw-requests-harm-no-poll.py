"""Does a person's read of a polled device ever show in a tag, or a poll in what the person is shown?

One serial slave that answers late again and again, polled at one address and read by hand at another, the same
number of registers: nothing in the answers tells which is which. And while it goes on: how many polls are left.
"""
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for
from writable_slave import RtuSlave

CONFIG = """
gateway: {{id: g, data_dir: {folder}/data}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {device}, baud: 115200}}
    timeout: 50ms
    fail_count: 1000
    devices:
      - {{name: meter, unit: 1, poll: 50ms, publish_on: always, tags: [{{name: a, table: holding, address: 60, type: u16}}]}}
"""


def registers(line):
    """Whatever numbers of four digits are in a line of JSON."""
    return {int(n) for n in json.dumps(json.loads(line)).replace('"', " ").replace(",", " ").replace("]", " ")
            .replace("[", " ").replace("}", " ").split() if n in ("6060", "7070")}


def main():
    slave = RtuSlave()
    slave.registers[60], slave.registers[70] = 6060, 7070
    with Workplace() as w:
        port = free_port()
        config = w.write("g.yaml", CONFIG.format(folder=w.folder, port=port, device=slave.device))
        gateway = w.start([WIREPOST, "run", "-c", config], port=port)
        watcher = Watcher(port, "wp/g/d/meter/v/a")
        watcher.wait("wp/g/d/meter/v/a", "6060")
        slave.delay = lambda: random.uniform(0.055, 0.1) if random.random() < 0.2 else 0
        reader = w.start([WIREPOST, "read", "-c", config, "meter", "holding", "70", "1", "--watch=30ms", "--timeout", "50ms",
                          "--json"])
        wait_for(lambda: reader.log().count('"done"') >= 120 or not reader.running(), 60, "120 reads")
        reader.kill()
        shown = [registers(line) for line in reader.log().splitlines() if line.startswith("{") and line.endswith("}")]
        slave.delay = lambda: 0
        time.sleep(0.3)
        gateway.stop()
        polled = [payload for _, payload in watcher.messages]
        print("%d reads by hand, %d values published, %d requests to the slave" % (len(shown), len(polled), len(slave.requests)))
        assert len(shown) >= 120 and all(seen <= {7070} for seen in shown), [s for s in shown if not s <= {7070}]
        assert set(polled) <= {b"6060", b""}, set(polled)


main()
