"""Does the simulator serve a template, play what it is told to, and suffer each fault?

A raw master of this test looks at the very bytes on the line: an echo, noise,
half an answer, another unit's name, a hole, device identification, masked
writes; a script plays commands at their times, a CSV file moves the tags.
"""
import os
import re
import select
import socket
import subprocess
import sys
import termios
import time
import tty

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import control
from programs import WIREPOST, Workplace, free_port, wait_for
from rtu import crc

TEMPLATE = """
name: Level transmitter
source: this test
max_gap: 2
tags:
  - {name: level, table: holding, address: 0, type: s16, scale: 0.1, unit: m}
  - {name: mode, table: holding, address: 1, type: u16}
  - {name: far, table: holding, address: 10, type: u16}
  - {name: pump, table: coil, address: 0}
"""


class Master:
    """Asks on a line; all bytes that come within the time."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)

    def ask(self, pdu, unit=1, seconds=0.3):
        termios.tcflush(self.fd, termios.TCIFLUSH)
        os.write(self.fd, crc(bytes([unit]) + bytes(pdu)))
        got, end = b"", time.monotonic() + seconds
        while select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
            got += os.read(self.fd, 600)
        return got


READ = [3, 0, 0, 0, 2]


def look_at_faults(say, line):
    whole = line.ask(READ)
    assert whole == crc(b"\x01\x03\x04\x00\x7b\x00\x07"), whole.hex()

    say("fault meter echo")
    got = line.ask(READ)
    assert got == crc(b"\x01" + bytes(READ)) + whole, got.hex()
    say("fault meter truncated")
    assert line.ask(READ) == whole[:5]
    say("fault meter unit 9")
    assert line.ask(READ) == crc(b"\x09\x03\x04\x00\x7b\x00\x07")
    say("fault meter crc")
    got = line.ask(READ)
    assert len(got) == len(whole) and got != whole
    say("fault meter exception 4")
    assert line.ask(READ) == crc(b"\x01\x83\x04")
    say("fault meter silent")
    assert line.ask(READ) == b""
    say("fault meter noise")
    noisy = [line.ask(READ, seconds=0.1) for _ in range(10)]
    assert all(whole in got for got in noisy) and any(got != whole for got in noisy)
    say("fault meter late 400")
    assert line.ask(READ) == b""
    wait_for(lambda: line.ask(READ) == whole, 5, "the line to be well after one late answer")
    say("fault meter silent 50%")
    answered = [line.ask(READ, seconds=0.05) == whole for _ in range(40)]
    assert 5 < sum(answered) < 35, answered
    say("fault meter off")
    assert line.ask(READ) == whole


def look_at_functions(say, line):
    assert line.ask([3, 0, 2, 0, 9]) == crc(b"\x01\x83\x02"), "registers that no tag has"
    say("hole meter holding 1 1")
    assert line.ask(READ) == crc(b"\x01\x83\x02")
    assert line.ask([3, 0, 0, 0, 1]) == crc(b"\x01\x03\x02\x00\x7b")
    say("hole meter off")
    assert line.ask([22, 0, 1, 0x00, 0xFE, 0x01, 0x00]) == crc(bytes([1, 22, 0, 1, 0x00, 0xFE, 0x01, 0x00]))
    assert say("get meter mode") == str((7 & 0xFE) | 0x100)
    got = line.ask([23, 0, 0, 0, 1, 0, 1, 0, 1, 2, 0, 7])
    assert got == crc(b"\x01\x17\x02\x00\x7b") and say("get meter mode") == "7", got.hex()
    got = line.ask([43, 14, 1, 0])
    assert got == crc(got[:-2]) and got[1:3] == b"\x2b\x0e" and b"wirepost" in got and b"meter" in got, got
    assert line.ask([0x42]) == crc(b"\x01\xc2\x01"), "a function nobody knows"


def look_at_a_template(w):
    template = w.write("meter.yaml", TEMPLATE)
    simulator = w.start([WIREPOST, "simulate", template, "--at", w.path("line"), "--control", w.path("control")], ready="ready")

    def say(command):
        answer = control(w.path("control"), command)
        assert not answer.startswith("error"), "%s: %s" % (command, answer)
        return answer

    say("set meter level 12.3")
    say("set meter mode 7")
    line = Master(w.path("line"))
    look_at_faults(say, line)
    look_at_functions(say, line)

    say("play meter level ramp 0 100 2s")
    seen = {say("get meter level") for _ in range(20) if not time.sleep(0.05)}
    assert len(seen) > 5, seen
    w.write("values.csv", "time,level,pump\n0,1.5,true\n0.5,2.5,false\n1,1.5,true\n")
    say("replay meter " + w.path("values.csv"))
    for level, pump in (("2.5", "false"), ("1.5", "true"), ("2.5", "false")):
        wait_for(lambda: (say("get meter level"), say("get meter pump")) == (level, pump), 5, "the replay to show " + level)
    w.write("values.csv", "time,lever\n")
    answer = control(w.path("control"), "replay meter " + w.path("values.csv"))
    assert "line 1: there is no tag 'lever'" in answer, answer
    simulator.stop()


def look_at_rtu_over_tcp(w):
    port = free_port()
    simulator = w.start([WIREPOST, "simulate", w.path("meter.yaml"), "--at", "127.0.0.1:%d" % port, "--rtu-tcp", "--control",
                         w.path("control")], ready="ready", port=port)
    control(w.path("control"), "set meter level 12.3")
    control(w.path("control"), "set meter mode 7")
    whole, request = crc(b"\x01\x03\x04\x00\x7b\x00\x07"), crc(b"\x01" + bytes(READ))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        def receive(count):
            got = b""
            while len(got) < count:
                got += s.recv(600)
            return got
        s.sendall(request + request)
        assert receive(2 * len(whole)) == whole + whole
        s.sendall(request[:3])
        time.sleep(0.5)
        s.sendall(request)
        assert receive(len(whole)) == whole, "half a frame, then a whole one"
        control(w.path("control"), "fault meter echo")
        s.sendall(request)
        assert receive(len(whole) + len(request)) == request + whole
    simulator.stop()


def look_at_a_script(w):
    script = w.write("script", "# a script\n0s set meter mode 1\n0.5s set meter mode 2\n1s set meter mode 3\n1.5s repeat\n")
    port = free_port()
    simulator = w.start([WIREPOST, "simulate", w.path("meter.yaml"), "--at", "127.0.0.1:%d" % port, "--unit", "5", "--script",
                         script, "--control", w.path("control")], ready="ready", port=port)
    for mode in "123123":
        wait_for(lambda: control(w.path("control"), "get meter mode") == mode, 5, "mode " + mode)
    simulator.stop()
    for text, problem in (("5s fault meter off\n3s freeze\n", "script:2: this time is before"),
                          ("soon freeze\n", "script:1: a line begins with a time"), ("0s set x y 1\n", "script:1: error: no such device")):
        w.write("script", text)
        p = subprocess.run([WIREPOST, "simulate", w.path("meter.yaml"), "--at", w.path("other"), "--script", script],
                           capture_output=True, text=True, timeout=20)
        assert p.returncode == 1 and problem in p.stderr, p.stderr


def look_at_usage(w):
    for args, problem in (([w.path("meter.yaml")], "is a template: --at"),
                          ([w.write("plain.yaml", "gateway: {id: x}\n"), "--at", w.path("z")], "is no template"),
                          ([w.path("meter.yaml"), "--at", w.path("z"), "--unit", "300"], "unit")):
        p = subprocess.run([WIREPOST, "simulate", *args], capture_output=True, text=True, timeout=20)
        assert p.returncode == 1 and re.search(problem, p.stderr), p.stderr


with Workplace() as w:
    look_at_a_template(w)
    look_at_rtu_over_tcp(w)
    look_at_a_script(w)
    look_at_usage(w)
    print("every fault, play, replay, script and function as told")
