#!/usr/bin/python3
"""Is everything read that a device has, when it refuses a whole request for one register that it has not?

A slave refuses some registers (exception 2), and any request over them. The gateway must find them with
few requests, read all others, say exception:2 of the tags there, and know them after a restart without asking. Another
template of the same tags forgets them. Of a slave that refuses everything nothing is learnt. Others on the line are not delayed.
The same over Modbus TCP with several requests in flight, whose plan changes beneath them.
"""
import contextlib
import os
import re
import socket
import sqlite3
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import Buses
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for
from register_slave import RegisterSlave

COUNT = 64
HOLES = {7, 40, 41}
TEMPLATE = "name: %s\nmax_gap: 8\ntags:\n" + "".join(
    "  - {name: r%d, table: holding, address: %d, type: u16}\n" % (a, a) for a in range(COUNT))
CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
broker:
  sys_interval: 1s
  listeners: [{{port: {port}}}]
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {device}, baud: 115200}}
    timeout: 300ms
    poll: 200ms
    devices:
      - {{name: holey, unit: 1, template: {template}}}
      - {{name: well, unit: 2, poll: 50ms, tags: [{{name: a, table: holding, address: 0, type: u16}}]}}
      - name: refusing
        unit: 3
        tags: [{{name: a, table: holding, address: 0, type: u16}}, {{name: b, table: holding, address: 1, type: u16}}]
      - name: gap
        unit: 4
        max_gap: 10
        tags: [{{name: a, table: holding, address: 0, type: u16}}, {{name: b, table: holding, address: 9, type: u16}}]
"""


class Slave(RegisterSlave):
    refusals = 0

    def answer(self, unit, function, address, count):
        wanted = set(range(address, address + count))
        if (unit == 1 and wanted & HOLES) or unit == 3 or (unit == 4 and 5 in wanted):
            self.refusals += unit == 1
            return 2
        return [1000 + a for a in range(address, address + count)]

    def asked_of(self, unit):
        return [(address, count) for _, asked, _, address, count in list(self.asked) if asked == unit]


def start(w, slave, template="first"):
    os.makedirs(w.path("templates"), exist_ok=True)
    for name in "first", "second":
        w.write("templates/%s.yaml" % name, TEMPLATE % name)
    port = free_port()
    config = w.write("site.yaml", CONFIG.format(folder=w.folder, port=port, device=slave.device, template=template))
    gateway = w.start([WIREPOST, "run", "-c", config], port=port)
    return gateway, Watcher(port, "wp/#")


def rows(w, device):
    with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % w.path("data/wirepost.db"), uri=True)) as db:
        return db.execute("SELECT first, behind, seam, code FROM hole WHERE device = ? ORDER BY first", (device,)).fetchall()


def value(watcher, device, tag):
    return watcher.latest.get("wp/site/d/%s/v/%s" % (device, tag))


def all_is_read(watcher):
    return all(value(watcher, "holey", "r%d" % a) == (b"" if a in HOLES else b"%d" % (1000 + a)) for a in range(COUNT))


def reasons(watcher):
    q = {}
    for message in watcher.json("wp/site/d/holey/json"):
        q.update(message["q"])
    return q


def longest_wait(slave, unit):
    times = [t for t, asked, *_ in list(slave.asked) if asked == unit]
    return max(b - a for a, b in zip(times, times[1:]))


def no_request_goes_beyond_a_block(w, _):
    good = os.path.join(os.path.dirname(__file__), "../config/good/blocks.yaml")
    out = subprocess.run([WIREPOST, "check", "-c", good, "--plan"], capture_output=True, text=True, timeout=30).stdout
    print(out, end="")
    assert "    blocks: holding 0 to 9, holding 10 to 65535, discrete 7 to 7\n" in out
    assert re.search(r"^    holding +8 to 9 ", out, re.M) and re.search(r"^    holding +10 to 11 ", out, re.M)


def holes_are_found(w, slave):
    gateway, watcher = start(w, slave)
    wait_for(lambda: all_is_read(watcher), 30, "all but the holes to be read")
    wait_for(lambda: set(slave.asked_of(1)[-4:]) == {(0, 7), (8, 32), (42, 22)}, 10, "three requests to be left")
    wait_for(lambda: set(slave.asked_of(4)[-2:]) == {(0, 1), (9, 1)}, 10, "the gap not to be read over")
    assert {"r7": "exception:2", "r40": "exception:2", "r41": "exception:2"} == reasons(watcher), reasons(watcher)
    asked = slave.refusals
    print("%d of %d requests refused for %d holes in %d registers" % (asked, len(slave.asked_of(1)), len(HOLES), COUNT))
    assert asked <= 3 * 2 * 6 + 6, asked
    wait_for(lambda: b"exception:2" in (watcher.latest.get("wp/site/d/refusing/json") or b""), 10, "the refusing one")
    assert {(a, c) for a, c in slave.asked_of(3)[-5:]} == {(0, 2)}, "a device that refuses everything is asked as before"
    print("longest wait of another device polled every 50 ms: %.0f ms" % (longest_wait(slave, 2) * 1000))
    watcher.done = True
    gateway.stop()
    assert rows(w, "holey") == [(7, 8, 0, 2), (40, 41, 0, 2), (41, 42, 0, 2)], rows(w, "holey")
    assert rows(w, "refusing") == [], rows(w, "refusing")
    assert rows(w, "gap") == [(1, 9, 1, 2)], rows(w, "gap")


def holes_are_known_after_a_restart(w, slave):
    slave.refusals = 0
    before = len(slave.asked)
    gateway, watcher = start(w, slave)
    wait_for(lambda: all_is_read(watcher), 30, "all but the holes to be read")
    wait_for(lambda: len(slave.asked) > before + 50, 30, "some polls")
    assert slave.refusals == 0, slave.refusals
    watcher.done = True
    gateway.kill()


def another_template_forgets_them(w, slave):
    slave.refusals = 0
    gateway, watcher = start(w, slave, "second")
    wait_for(lambda: all_is_read(watcher), 30, "all but the holes to be read")
    assert slave.refusals > 3, slave.refusals
    watcher.done = True
    gateway.stop()


TCP_CONFIG = """
gateway: {{id: test}}
buses:
  - name: net
    type: modbus-tcp
    host: 127.0.0.1
    port: {port}
    max_outstanding: 8
    poll: 20ms
    devices:
      - {{name: before, unit: 2, tags: [{{name: a, table: holding, address: 5, type: u16}}]}}
      - {{name: holey, unit: 1, template: first}}
      - {{name: behind, unit: 3, tags: [{{name: a, table: holding, address: 6, type: u16}}, {{name: b, table: holding, address: 60, type: u16}}]}}
"""


class TcpSlave(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.asked = set()

    def run(self):
        connection, _ = self.server.accept()
        while True:
            request = connection.recv(12, socket.MSG_WAITALL)
            if len(request) < 12:
                return
            number, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", request)
            wanted = range(address, address + count)
            body = bytes([unit, function | 0x80, 2])
            if unit != 1 or not HOLES & set(wanted):
                body = struct.pack(">BBB%dH" % count, unit, function, 2 * count, *(1000 + a for a in wanted))
            if unit == 1:
                self.asked.add((address, count))
            connection.sendall(struct.pack(">HHH", number, 0, len(body)) + body)


def holes_are_found_with_requests_in_flight(w, _):
    slave = TcpSlave()
    slave.start()
    buses = Buses(w, w.write("tcp.yaml", TCP_CONFIG.format(port=slave.server.getsockname()[1])))
    for address in range(COUNT):
        buses.wait("holey", "r%d" % address, "!exception:2" if address in HOLES else str(1000 + address))

    def settled():
        slave.asked = set()
        threading.Event().wait(0.3)
        return slave.asked == {(0, 7), (8, 32), (42, 22)}
    wait_for(settled, 15, "three requests to be left")
    for device, tag, address in ("before", "a", 5), ("behind", "a", 6), ("behind", "b", 60):
        assert set(buses.readings(device, tag)) == {str(1000 + address)}, set(buses.readings(device, tag))
    buses.stop()


def main():
    with Workplace() as w:
        slave = Slave()
        slave.start()
        for test in (no_request_goes_beyond_a_block, holes_are_found, holes_are_known_after_a_restart,
                     another_template_forgets_them, holes_are_found_with_requests_in_flight):
            test(w, slave)
            print("ok: " + test.__name__.replace("_", " "), flush=True)


main()
