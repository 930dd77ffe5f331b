#!/usr/bin/python3
"""Does a bus show what went over its line, and count what went wrong by kind, with latency and the last error?

A slave answers well, refuses, is silent, sends noise, returns the request (echo), answers as another unit,
damages its answer and answers late, each so many times. The last frames must show each of that with its bytes and
verdict, as a technician reads them; the bus's and the device's counters must tell the kinds apart.
"""
import json
import os
import re
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import Buses
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for
from register_slave import RegisterSlave, crc

TIMEOUT = 0.2
CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
broker:
  sys_interval: 1s
  listeners: [{{port: {port}}}]
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {device}, baud: 115200}}
    timeout: 200ms
    retries: 0
    devices:
      - name: meter
        unit: 1
        fail_count: 100
        poll: 100ms
        tags:
          - {{name: a, table: holding, address: 10, type: u16}}
          - {{name: b, table: holding, address: 11, type: u16}}
      - {{name: other, unit: 2, poll: 100ms, tags: [{{name: a, table: input, address: 0, type: u16}}]}}
"""
TRICKS = ["refuse", "silent", "noise", "echo", "foreign", "damaged", "late"]
EACH = 3


class Slave(RegisterSlave):
    """Well, then each trick EACH times with good answers between, then well."""

    def __init__(self):
        super().__init__()
        self.begin([])

    def begin(self, tricks):
        self.script = [trick for name in tricks for trick in [name, "well"] * EACH]
        self.done = not self.script

    def answer(self, unit, function, address, count):
        if unit != 1:
            return [5] * count
        trick = self.script.pop(0) if self.script else "well"
        self.done = not self.script
        good = crc(struct.pack(">BBB%dH" % count, unit, function, 2 * count, *range(address, address + count)))
        request = crc(struct.pack(">BBHH", unit, function, address, count))
        time.sleep(0.005)
        if trick == "late":
            time.sleep(TIMEOUT + 0.06)
        return {"refuse": 4, "silent": None, "noise": b"\xf7\x00\xf7" + good, "echo": request + good,
                "foreign": crc(b"\x09" + good[1:-2]), "damaged": good[:-1] + bytes([good[-1] ^ 1])}.get(trick, good)


# Without its time: the request is no longer among the last frames.
FRAME = re.compile(r"^frame line \d\d:\d\d:\d\d\.\d{3} (?:> [0-9A-F ]+|< [0-9A-F ]+ (?:ok|exception \d+|of another unit|late|"
                   r"damaged|noise|echo|not what was asked)(?: [\d.]+ ms)?|! timeout(?: \d+ ms)?)$")


def ask_for_frames(buses):
    buses.program.process.stdin.write(b"f")
    buses.program.process.stdin.flush()
    time.sleep(0.5)
    return [line for line in buses.lines() if line.startswith("frame ")]


def the_last_frames_are_shown(w):
    slave = Slave()
    slave.start()
    buses = Buses(w, w.write("frames.yaml", CONFIG.format(folder=w.folder, port=free_port(), device=slave.device)))
    buses.wait("meter", "a", "10")
    for trick, shown in (("refuse", r"< 01 83 04 [0-9A-F ]{5} exception 4 [\d.]+ ms"), ("silent", r"! timeout 2\d\d ms"),
                         ("noise", r"< F7 00 F7 noise"), ("echo", r"< 01 03 00 0A 00 02 [0-9A-F ]{5} echo"),
                         ("foreign", r"< 09 03 04 00 0A 00 0B [0-9A-F ]{5} of another unit [\d.]+ ms"),
                         ("damaged", r"< 01 03 04 00 0A 00 0B [0-9A-F ]{5} damaged [\d.]+ ms"),
                         ("late", r"< 01 03 04 00 0A 00 0B [0-9A-F ]{5} late [\d.]+ ms")):
        slave.begin([trick])
        wait_for(lambda: slave.done, 30, trick)
        frames = wait_for(lambda: [f for f in ask_for_frames(buses) if re.search(shown + "$", f)], 10, "%s: %s" % (trick, shown))
        print(frames[-1])
    frames = ask_for_frames(buses)
    assert all(FRAME.match(f) for f in frames), [f for f in frames if not FRAME.match(f)]
    assert any(re.search(r"> 01 03 00 0A 00 02", f) for f in frames) and any(re.search(r" ok [\d.]+ ms$", f) for f in frames)
    buses.stop()


def faults_are_counted_by_kind(w):
    slave = Slave()
    slave.start()
    port = free_port()
    config = w.write("site.yaml", CONFIG.format(folder=w.folder, port=port, device=slave.device))
    gateway = w.start([WIREPOST, "run", "-c", config], port=port)
    watcher, line = Watcher(port, "wp/#"), Watcher(port, "$SYS/wirepost/bus/#")

    def bus():
        return (line.json("$SYS/wirepost/bus/line") or [{}])[-1]

    watcher.wait("wp/site/d/meter/v/a", "10")
    slave.begin(TRICKS)
    wait_for(lambda: slave.done, 60, "all tricks")
    wait_for(lambda: bus().get("late_answers", 0) > 0, 15, "the bus's counters")
    time.sleep(1.5)
    b = bus()
    print(json.dumps(b))
    assert b["exception_codes"] == {"4": EACH}, b
    assert b["noise"] >= EACH and b["echoes"] == EACH and b["foreign"] == EACH, b
    assert b["crc_errors"] == EACH, b
    assert 0 < b["late_answers"] <= EACH, b  # the first makes the time-out longer
    assert b["timeouts"] >= EACH + 1, b
    assert 0 < b["latency"]["p50"] <= b["latency"]["p95"] <= b["latency"]["max"], b
    assert b["last_error"]["device"] == "meter" and b["last_error"]["text"] == "timeout: holding 10 to 11", b
    assert abs(b["last_error"]["ts"] / 1000 - time.time()) < 60, b
    gateway.stop()
    status = watcher.json("wp/site/d/meter/status")[-1]
    print(json.dumps(status))
    assert {"latency", "last_error", "exception_codes", "foreign", "noise", "echoes", "timeouts"} <= set(status), status
    assert status["latency"]["p50"] > 4, status
    assert watcher.json("wp/site/d/other/status")[-1]["last_error"] is None


with Workplace() as w:
    for test in the_last_frames_are_shown, faults_are_counted_by_kind:
        test(w)
        print("ok: " + test.__name__.replace("_", " "), flush=True)
