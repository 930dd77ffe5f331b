"""Does a slave that misbehaves at random ever get a wrong value read?

Every register holds its own address, and all requests have the same shape, so
that any answer taken for another's shows. The slave answers late (up to
almost three time-outs), damages, cuts short, answers as another unit, with
another function, twice, or adds noise; over TCP also with old numbers, in
pieces, or hangs up. Bad readings are fine, wrong ones are not, and in the end all are good.
"""
import os
import pty
import random
import socket
import struct
import sys
import threading
import time
import tty

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import Buses
from programs import Workplace, wait_for
from rtu import crc

TIMEOUT = 0.1
SECONDS = 15
ADDRESSES = list(range(100, 600, 50))
CONFIG = """
gateway: {{id: test}}
buses:
  - name: line
    type: {type}
    timeout: %dms
    retries: 1
    devices:
      - name: slave
        unit: 1
        poll: 100ms
        tags: [%s]
""" % (TIMEOUT * 1000, ", ".join("{{name: r%d, table: holding, address: %d, type: u16}}" % (a, a) for a in ADDRESSES))


def answer(request):
    """PDU to PDU, with the unit before it."""
    unit, function, address, count = struct.unpack(">BBHH", request)
    return struct.pack(">BBB", unit, function, 2 * count) + struct.pack(">%dH" % count, *range(address, address + count))


class Slave(threading.Thread):
    def __init__(self, seed):
        super().__init__(daemon=True)
        self.random, self.well, self.counts, self.rest = random.Random(seed), False, {}, 0
        self.only = None

    def choose(self, tricks):
        """Mostly well: a slave that always misbehaves is soon asked no more."""
        trick = self.random.choice(tricks) if not self.well and self.rest == 0 and self.random.random() < 0.4 else "well"
        self.rest = 4 if trick == "late" else max(0, self.rest - 1)
        if self.only:
            return self.only
        self.counts[trick] = self.counts.get(trick, 0) + 1
        return trick

    def spoil(self, trick, unit_and_pdu):
        if trick == "late":
            time.sleep(TIMEOUT * self.random.uniform(0.8, 2.9))
        if trick == "other unit":
            return bytes([9]) + unit_and_pdu[1:]
        if trick == "other function":
            return unit_and_pdu[:1] + b"\x04" + unit_and_pdu[2:]
        if trick == "longer":
            return unit_and_pdu[:2] + b"\x04" + unit_and_pdu[3:] + b"\x12\x34"
        return unit_and_pdu


COMMON = ["late", "late", "other unit", "other function", "longer", "silent"]


class SerialSlave(Slave):
    def __init__(self, seed):
        super().__init__(seed)
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.where = "modbus-rtu\n    port: {device: %s, baud: 115200}" % os.ttyname(self.slave)

    def run(self):
        while True:
            request = b""
            while len(request) < 8:
                request += os.read(self.master, 8 - len(request))
            if crc(request[:6]) != request:
                continue
            trick = self.choose(COMMON + ["damaged", "short", "twice", "noise"])
            frame = crc(self.spoil(trick, answer(request[:6])))
            if trick == "silent":
                continue
            if trick == "damaged":
                at = self.random.randrange(len(frame))
                frame = frame[:at] + bytes([frame[at] ^ 1 << self.random.randrange(8)]) + frame[at + 1:]
            if trick == "short":
                frame = frame[:self.random.randrange(1, len(frame))]
            if trick == "noise":
                frame = self.random.randbytes(self.random.randrange(1, 9)) + frame
            os.write(self.master, frame * 2 if trick == "twice" else frame)


class TcpSlave(Slave):
    def __init__(self, seed):
        super().__init__(seed)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.where = "modbus-tcp\n    host: 127.0.0.1\n    port: %d" % self.server.getsockname()[1]

    def run(self):
        while True:
            connection, _ = self.server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                try:
                    while self.serve(connection):
                        pass
                except OSError:
                    pass

    def serve(self, connection):
        request = connection.recv(12, socket.MSG_WAITALL)
        if len(request) < 12:
            return False
        trick = self.choose(COMMON + ["old number", "pieces", "hang up", "cut", "protocol", "length", "twice"])
        number = struct.unpack(">H", request[:2])[0]
        body = self.spoil(trick, answer(request[6:]))
        if trick == "silent":
            return True
        if trick == "hang up":
            return False
        if trick == "old number":
            number -= self.random.randrange(1, 4)
        frame = struct.pack(">HHH", number & 0xFFFF, trick == "protocol", len(body) + (trick == "length")) + body
        if trick == "cut":
            connection.sendall(frame[:self.random.randrange(1, len(frame))])
            return False
        for at in range(0, len(frame), 3 if trick == "pieces" else len(frame)):
            connection.sendall(frame[at:at + (3 if trick == "pieces" else len(frame))])
            time.sleep(0.002 if trick == "pieces" else 0)
        if trick == "twice":
            connection.sendall(frame)
        return True


def check(w, slave, name):
    slave.start()
    buses = Buses(w, w.write(name + ".yaml", CONFIG.format(type=slave.where)))
    time.sleep(SECONDS)
    slave.well = True
    for address in ADDRESSES:
        buses.wait("slave", "r%d" % address, str(address))
    time.sleep(1)
    wait_for(lambda: all(buses.latest("slave", "r%d" % a) == str(a) for a in ADDRESSES), 15, "all to be good")
    good = bad = 0
    for address in ADDRESSES:
        for value in buses.readings("slave", "r%d" % address):
            assert value.startswith("!") or value == str(address), (address, value)
            good, bad = good + (value[0] != "!"), bad + (value[0] == "!")
    slave.only = "hang up" if name == "tcp" else "silent"
    wait_for(lambda: buses.health("slave") == "quarantined" and "its only device" in buses.state("line"), 20,
             "a slave that never answers to be quarantined")
    buses.stop()
    print("%s: %d good, %d bad, none wrong; the slave was %s" % (name, good, bad, slave.counts))
    assert good > 50 and sum(count for trick, count in slave.counts.items() if trick != "well") > 15


def main():
    seed = int(os.environ.get("SEED", time.time()))
    print("seed %d" % seed)
    with Workplace() as w:
        check(w, SerialSlave(seed), "serial")
        check(w, TcpSlave(seed), "tcp")


main()
