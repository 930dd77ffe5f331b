"""Is a value ever published that the slave did not hold at that address?

Two slaves on one line, whose registers hold unit, address and a number that rises with each
request. Over 1 000 reads each: answers now and then after their time-out (up to eight of them, one or four
in a row; the slave then answers what it was asked meanwhile, or has not heard it), noise, frames of another unit, truncated and
damaged frames, an adapter that hears itself, and all of it together.
"""
import os
import pty
import queue
import random
import struct
import sys
import threading
import time
import tty

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import Buses
from programs import Workplace, wait_for
from rtu import crc

TIMEOUT = 0.04
READS = 1000
UNITS = (1, 2)
ADDRESSES = list(range(100, 600, 50))
STAGES = (("nothing",), ("late",), ("noise",), ("other unit",), ("truncated",), ("damaged",), ("echo",), ("late", "echo"),
          ("late", "noise", "other unit", "truncated", "damaged", "echo"))
TAG = "{name: r%d, table: holding, address: %d, type: u64}"
CONFIG = """
gateway: {id: test}
buses:
  - name: line
    type: modbus-rtu
    port: {device: PORT, baud: 115200}
    timeout: %dms
    poll: 10ms
    devices:
""" % (TIMEOUT * 1000) + "\n".join(
    "      - {name: u%d, unit: %d, tags: [%s]}" % (u, u, ", ".join(TAG % (a, a) for a in ADDRESSES)) for u in UNITS)


class Line(threading.Thread):
    def __init__(self, seed):
        super().__init__(daemon=True)
        self.random = random.Random(seed)
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.port, self.faults, self.number, self.lock = os.ttyname(self.slave), (), 0, threading.Lock()
        self.asked = {unit: queue.Queue() for unit in UNITS}
        self.counts = {}
        for unit in UNITS:
            threading.Thread(target=self.answer, args=(unit,), daemon=True).start()

    def run(self):
        buffer = b""
        while True:
            buffer += os.read(self.master, 256)
            while len(buffer) >= 8:
                frame = buffer[:8]
                if crc(frame[:6]) != frame:
                    buffer = buffer[1:]
                    continue
                buffer = buffer[8:]
                if "echo" in self.faults:
                    self.send(frame)
                self.asked[frame[0]].put(frame)

    def send(self, data):
        with self.lock:
            os.write(self.master, data)

    def value(self, unit, address, count):
        """The registers of an address: unit, address, the number. A part of them for a part of the request."""
        return struct.pack(">HHI", unit, address, self.number)[:count * 2].ljust(count * 2, b"\0")

    def answer(self, unit):
        asked, slow, late = self.asked[unit], 0, 0
        while True:
            frame = asked.get()
            _, function, address, count = struct.unpack(">BBHH", frame[:6])
            with self.lock:
                self.number += 1
                body = bytes([unit, function, count * 2]) + self.value(unit, address, count)
                fault = self.random.choice(self.faults) if self.faults and self.random.random() < 0.04 else None
                if fault == "late":
                    slow, late = self.random.choice((1, 4)), self.random.uniform(1.02, 8)
                if slow > 0:
                    fault, slow = "late", slow - 1
                self.counts[fault] = self.counts.get(fault, 0) + 1
                deaf = self.random.random() < 0.5
                noise = self.random.randbytes(self.random.randrange(1, 20))
            answer = crc(body)
            if fault == "late":
                time.sleep(late * TIMEOUT)
                while deaf and slow == 0 and not asked.empty():
                    asked.get()
            if fault == "noise":
                answer = noise + answer
            if fault == "other unit":
                answer = crc(bytes([3 - unit]) + body[1:]) + (answer if deaf else b"")
            if fault == "truncated":
                answer = answer[:1 + len(noise) % (len(answer) - 1)]
            if fault == "damaged":
                at = len(noise) % len(answer)
                answer = answer[:at] + bytes([answer[at] ^ 0x10]) + answer[at + 1:]
            self.send(answer)


def judge(buses, slaves):
    """Good and bad readings; each good one must be of its unit, its address, and no older than the one before."""
    good = bad = 0
    last = {}
    lines = buses.lines()
    highest = slaves.number
    for line in lines:
        words = line.split()
        if len(words) != 3 or words[0][0] != "u" or words[1][0] != "r":
            continue
        if words[2][0] == "!":
            bad += 1
            continue
        unit, address, number = struct.unpack(">HHI", int(words[2]).to_bytes(8, "big"))
        assert (unit, address) == (int(words[0][1:]), int(words[1][1:])), line
        assert last.get(words[0], 0) < number <= highest, (line, number, last, highest)
        last[words[0]] = number
        good += 1
    return good, bad


def main():
    seed = int(os.environ.get("SEED", time.time()))
    print("seed %d" % seed)
    with Workplace() as w:
        line = Line(seed)
        line.start()
        buses = Buses(w, w.write("bus.yaml", CONFIG.replace("PORT", line.port)))
        for stage in STAGES:
            before, begin = line.number, time.monotonic()
            good_before, bad_before = judge(buses, line)
            line.faults = () if stage == ("nothing",) else stage
            wait_for(lambda: line.number >= before + READS, 90, "%d reads with %s" % (READS, stage))
            good, bad = judge(buses, line)
            print("%s: %d reads in %.1f s, %d good, %d bad, none wrong"
                  % (", ".join(stage), line.number - before, time.monotonic() - begin, good - good_before, bad - bad_before), flush=True)
            assert good - good_before > READS // 2, line.counts
        line.faults = ()
        print("answers by fault: %s" % line.counts)
        wait_for(lambda: all(buses.health("u%d" % u) in ("up", "slow") for u in UNITS), 20, "both to be well")
        buses.stop()


main()
