"""Are writes on a serial line as they should be?

A function of one byte that resets a counter; unit 0, to which nobody answers and for which nobody waits; and a slave
that answers late again and again: bits are changed in a register which is read before, and none beside them may
change, nor may any late answer become a value.
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for
from writable_slave import RtuSlave
from writes import Requester

CONFIG = """
gateway: {{id: g, data_dir: {folder}/data}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {device}, baud: 115200}}
    timeout: 50ms
    retries: 2
    fail_count: 1000
    devices:
      - name: meter
        unit: 1
        poll: 100ms
        tags:
          - {{name: energy, table: holding, address: 40, type: u32}}
          - {{name: a, table: holding, address: 60, type: u16, poll: 50ms}}
          - {{name: b, table: holding, address: 70, type: u16, poll: 50ms}}
          - {{name: flag, table: holding, address: 80, bit: 5, write: true}}
          - {{name: sure, table: holding, address: 90, type: u16, write: {{verify: true}}}}
        actions: [{{name: reset_energy, pdu: "42"}}]
      - name: everybody
        unit: 0
        tags: [{{name: clock, table: holding, address: 100, type: u32, write: true}}]
"""
WRITES = 40


def main():
    slave = RtuSlave()
    slave.registers[40], slave.registers[60], slave.registers[70], slave.registers[80] = 1, 6060, 7070, 0xA55A & ~0x20
    with Workplace() as w:
        port = free_port()
        gateway = w.start([WIREPOST, "run", "-c", w.write("g.yaml", CONFIG.format(
            folder=w.folder, port=port, device=slave.device))], port=port)
        watcher = Watcher(port, "wp/g/d/meter/v/+")
        watcher.wait("wp/g/d/meter/v/energy", "65536")
        with Requester(port, "g") as r:
            r.send(r.topic("meter/action/reset_energy/set"), "1")
            watcher.wait("wp/g/d/meter/v/energy", "0")
            wait_for(lambda: r.newest or r.receive(0.1), 10, "the reset's first result")
            r.wait(r.newest, "written")
            print("function 0x42: %s" % r.statuses(r.newest))

            started = time.monotonic()
            r.ask("everybody", {"clock": 65538}, id="clock")
            print("unit 0: %s in %.0f ms" % (r.wait("clock", "written"), 1000 * (time.monotonic() - started)))
            assert slave.registers[100:102] == [1, 2]
            assert [u for u, pdu in slave.requests if u == 0] == [0]

            slave.delay = lambda: random.uniform(0.055, 0.12) if random.random() < 0.15 else 0
            outcomes = {}
            for n in range(WRITES):
                r.ask("meter", {"flag": n % 2 == 0, "sure": n}, id=n, expires_ms=10000)
                wait_for(lambda: r.statuses(n)[-1:] and r.statuses(n)[-1].split()[0] in ("verified", "failed") or r.receive(0.1), 30, "a result")
                outcomes[r.statuses(n)[-1]] = outcomes.get(r.statuses(n)[-1], 0) + 1
                assert slave.registers[80] & ~0x20 == 0xA55A & ~0x20, "other bits were changed: %x" % slave.registers[80]
                if r.statuses(n)[-1] == "verified":
                    assert slave.registers[80] >> 5 & 1 == (n % 2 == 0) and slave.registers[90] == n
            slave.delay = lambda: 0
            print("%d writes to a slave that answers late: %s" % (WRITES, outcomes))
            assert outcomes.get("verified", 0) > WRITES / 2
        for tag, only in ("a", {b"6060", b""}), ("b", {b"7070", b""}):
            seen = {payload for topic, payload in watcher.messages if topic.endswith("/" + tag)}
            assert seen <= only, (tag, seen)
        gateway.stop()


main()
