#!/usr/bin/python3
"""Is what a device is to be set to written before its first poll, and again whenever it comes back?

A slave that forgets when it is switched off is set up at the start, then switched off until it is quarantined, and on
again. Another refuses one of its setup writes: the rest is written, it is polled all the same, and its status says so.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for
from register_slave import RegisterSlave

CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
broker:
  listeners: [{{port: {port}}}]
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {device}, baud: 115200}}
    timeout: 100ms
    poll: 100ms
    fail_time: 500ms
    devices:
      - name: forgetful
        unit: 1
        actions: [{{name: unlock, pdu: "06 0009 1234"}}]
        setup: [{{action: unlock}}, {{tag: mode, value: fast, verify: true}}, {{tag: limit, value: 12.5}}]
        tags:
          - {{name: mode, table: holding, address: 0, type: u16, enum: {{0: slow, 3: fast}}}}
          - {{name: limit, table: holding, address: 1, type: f32}}
      - name: stubborn
        unit: 2
        setup: [{{tag: a, value: 1}}, {{tag: b, value: 2}}]
        tags:
          - {{name: a, table: holding, address: 0, type: u16}}
          - {{name: b, table: holding, address: 1, type: u16}}
"""


class Slave(RegisterSlave):
    """History: what each unit was told and asked, in order."""

    def __init__(self):
        super().__init__()
        self.registers, self.history, self.is_on = {}, [], True

    def switch(self, on):
        self.is_on = on
        self.registers = {}
        if not on:
            self.history = []

    def answer(self, unit, function, address, count):
        if unit == 1 and not self.is_on:
            return None
        self.history.append((unit, "read", address))
        return [self.registers.get((unit, a), 0) for a in range(address, address + count)]

    def write(self, unit, function, frame):
        address = frame[2] << 8 | frame[3]
        if unit == 1 and not self.is_on:
            return None
        self.history.append((unit, "write", address))
        if unit == 2 and address == 0:
            return 3
        values = frame[7:-2] if function == 16 else frame[4:6]
        for i in range(0, len(values), 2):
            self.registers[unit, address + i // 2] = values[i] << 8 | values[i + 1]
        return frame if function == 6 else crc_of(frame)


def crc_of(frame):
    from register_slave import crc
    return crc(frame[:6])


def of_unit(slave, unit):
    return [event[1:] for event in list(slave.history) if event[0] == unit]


def status(watcher, device):
    return (watcher.json("wp/site/d/%s/status" % device) or [{}])[-1]


FIRST = [("write", 9), ("write", 0), ("write", 1)]


def check_set_up(slave, watcher):
    wait_for(lambda: ("read", 0) in of_unit(slave, 1)[4:], 15, "the device to be polled")
    events = of_unit(slave, 1)
    print("first of all: %s" % events[:6])
    writes = [event for event in events[:5] if event[0] == "write"]
    assert [event for event in events if event[0] == "write"] == FIRST, events
    assert writes == FIRST, "polled before it was set up: %s" % events
    watcher.wait("wp/site/d/forgetful/v/mode", "fast")
    watcher.wait("wp/site/d/forgetful/v/limit", "12.5")
    wait_for(lambda: status(watcher, "forgetful").get("setup") == "done", 10, "its status to say so")


def main():
    with Workplace() as w:
        slave = Slave()
        slave.start()
        port = free_port()
        config = w.write("site.yaml", CONFIG.format(folder=w.folder, port=port, device=slave.device))
        gateway = w.start([WIREPOST, "run", "-c", config], port=port)
        watcher = Watcher(port, "wp/#")

        check_set_up(slave, watcher)
        print("ok: written before the first poll")

        wait_for(lambda: status(watcher, "stubborn").get("setup") == "failed", 10, "a refusal to be told")
        assert status(watcher, "stubborn")["last_error"]["text"] == "setup of a: exception:3", status(watcher, "stubborn")
        watcher.wait("wp/site/d/stubborn/v/b", "2")
        assert [e for e in of_unit(slave, 2) if e[0] == "write"] == [("write", 0), ("write", 1)], of_unit(slave, 2)
        print("ok: a refused one keeps nothing else from being done")

        slave.switch(False)
        wait_for(lambda: status(watcher, "forgetful").get("state") == "quarantined", 20, "its quarantine")
        slave.switch(True)
        slave.history.clear()
        wait_for(lambda: ("write", 1) in of_unit(slave, 1), 20, "it to be set up again")
        events = of_unit(slave, 1)
        print("on its return: %s" % events[:6])
        assert [e for e in events if e[0] == "write"][:3] == FIRST, events
        assert slave.registers[1, 0] == 3, slave.registers
        wait_for(lambda: status(watcher, "forgetful").get("setup") == "done", 10, "its status to say so")
        print("ok: written again when the device came back")
        watcher.done = True
        gateway.stop()


main()
