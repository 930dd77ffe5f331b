"""Does a tag get its failsafe value when writes cease, over a restart too, and is every write in the audit?

Nobody has written: nothing happens. Writes go on: nothing happens. They cease: the value is written once, as
"failsafe". The device is away then: it is tried until it succeeds. The gateway is killed in between: the time runs
anew from the start. A bounded audit keeps the newest rows.
"""
import contextlib
import os
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for
from writable_slave import TcpSlave
from writes import Requester

CONFIG = """
gateway: {{id: g, data_dir: {folder}/data, audit_rows: {rows}}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: net
    type: modbus-tcp
    host: 127.0.0.1
    port: {slave}
    timeout: 200ms
    retries: 0
    fail_time: 0
    fail_count: 1
    devices:
      - name: fan
        unit: 1
        poll: 100ms
        tags:
          - {{name: speed, table: holding, address: 0, type: u16, write: {{max: 100, failsafe: {{value: 20, after: 1s}}}}}}
          - {{name: idle, table: holding, address: 1, type: u16, write: {{failsafe: {{value: 7, after: 1s}}}}}}
          - {{name: other, table: holding, address: 2, type: u16, write: true}}
"""


def audit(w):
    with contextlib.closing(sqlite3.connect(w.path("data/wirepost.db"))) as db:
        return db.execute("SELECT who, device, tag, value, before, result, code FROM audit ORDER BY id").fetchall()


def main():
    slave = TcpSlave()
    with Workplace() as w:
        port = free_port()

        def start(rows=100):
            config = w.write("g.yaml", CONFIG.format(folder=w.folder, port=port, slave=slave.port, rows=rows))
            gateway = w.start([WIREPOST, "run", "-c", config], port=port)
            Watcher(port, "wp/g/#").wait("wp/g/d/fan/availability", "online")
            return gateway

        gateway = start()
        with Requester(port, "g") as r:
            for n in range(6):
                r.ask("fan", {"speed": 50 + n}, id="on-%d" % n)
                r.wait("on-%d" % n, "written")
                time.sleep(0.4)
            assert len(slave.written()) == 6, "the failsafe value came although writes went on"
            wait_for(lambda: slave.registers[0] == 20 or r.receive(0.05), 15, "the failsafe value")
            r.quiet(2.5)
            assert len(slave.written()) == 7 and slave.registers[1] == 0, slave.written()
            print("writes cease: %s" % [d["status"] for d in r.results[r.newest]])

            r.ask("fan", {"speed": 60}, id="again")
            r.wait("again", "written")
            slave.units = ()
            r.quiet(3)
            assert slave.registers[0] == 60
            slave.units = (1,)
            wait_for(lambda: slave.registers[0] == 20 or r.receive(0.05), 30, "the failsafe value once the device is back")
            print("device away meanwhile: written once it is back")
            slave.odd[0] = slave.slow
            r.ask("fan", {"speed": 65}, id="unheard")
            r.wait("unheard", "failed")
            wait_for(lambda: slave.registers[0] == 65, 5, "the slave to do what it answered too late")
            del slave.odd[0]
            wait_for(lambda: slave.registers[0] == 20 or r.receive(0.05), 15, "the failsafe value after an answer that was lost")
            print("answer lost: written all the same")
            r.ask("fan", {"speed": 101, "other": 1}, id="bad")
            r.wait("bad", "rejected")
            r.ask("fan", {"other": 3}, id="other")
            r.wait("other", "written")
            slave.odd[0] = slave.slow
            r.ask("fan", {"speed": 71}, id="unheard-last")
            r.wait("unheard-last", "failed")
            wait_for(lambda: slave.registers[0] == 71, 5, "the slave to do what it answered too late")
            del slave.odd[0]
        gateway.kill()
        time.sleep(1.5)
        assert slave.registers[0] == 71
        gateway = start()
        wait_for(lambda: slave.registers[0] == 20, 15, "the failsafe value of a write before the kill")
        print("killed meanwhile: written after the start")
        time.sleep(0.3)
        gateway.stop()
        before = len(slave.written())
        gateway = start()
        time.sleep(2)
        assert len(slave.written()) == before, "the failsafe value was written again after a clean stop"
        gateway.stop()

        rows = audit(w)
        for row in rows:
            print("  %-10s %-4s %-6s %-4s from %-3s %s %s" % row)
        assert rows[0] == ("requester", "fan", "speed", "50", "0", "written", "")
        assert [row[3] for row in rows if row[0] == "failsafe" and row[5] == "written"] == ["20"] * 4
        for tag, value in ("speed", "101"), ("other", "1"):
            assert ("requester", "fan", tag, value, "", "rejected", "out_of_range") in rows

        gateway = start(rows=5)
        with Requester(port, "g") as r:
            for n in range(8):
                r.ask("fan", {"other": n}, id="o%d" % n)
                r.wait("o%d" % n, "written")
            r.quiet(0.3)
        gateway.stop()
        assert [row[3] for row in audit(w)] == ["3", "4", "5", "6", "7"], audit(w)


main()
