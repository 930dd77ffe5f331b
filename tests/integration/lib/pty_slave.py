"""A Modbus slave of several units on a pty, which hears only who speaks at its speed.

    with PtySlave({3: Unit(holding={0: 7})}, baud=19200) as slave:
        slave.path          # the port
        slave.asked         # [(time, unit, function, address, count)] of every request at its speed
        slave.units[3].holding[0] = 8

A pty carries no bits, but its settings: what is written at another speed is thrown away here. Parity is not
carried (the kernel drops it).
"""
import fcntl
import os
import pty
import select
import struct
import threading
import time
import tty

from rtu import checksum as crc

TCGETS2 = 0x802c542a        # asm-generic/ioctls.h: the speed as a number
BITS, REGISTERS = {1: "coils", 2: "discrete"}, {3: "holding", 4: "input"}


def speed_of(fd):
    return struct.unpack("4I 20s 2I", fcntl.ioctl(fd, TCGETS2, bytes(44)))[-1]


class Unit:
    """Tables as dictionaries; an address that is not there is refused. identity: [(id, bytes)]. baud: its own speed."""

    def __init__(self, holding=None, input=None, coils=None, discrete=None, identity=None, delay=0, stuck=False, baud=None):
        self.holding, self.input, self.coils, self.discrete = holding or {}, input or {}, coils or {}, discrete or {}
        self.identity, self.delay, self.stuck = identity, delay, stuck
        self.baud = baud

    def answer(self, pdu):
        function = pdu[0]
        if function == 0x2b and self.identity:
            objects = b"".join(bytes([i, len(text)]) + text for i, text in self.identity)
            return bytes([0x2b, 0x0e, 1, 1, 0, 0, len(self.identity)]) + objects
        if function not in (1, 2, 3, 4, 5, 6, 15, 16):
            return bytes([function | 0x80, 1])
        address, count = struct.unpack(">HH", pdu[1:5])
        try:
            if function <= 4:
                return self.read(function, address, count)
            return self.write(function, address, count, pdu)
        except KeyError:
            return bytes([function | 0x80, 2])

    def read(self, function, address, count):
        table = getattr(self, BITS.get(function) or REGISTERS[function])
        values = [table[address + i] for i in range(count)]
        if function in REGISTERS:
            data = struct.pack(">%dH" % count, *values)
        else:
            data = sum(bool(v) << i for i, v in enumerate(values)).to_bytes((count + 7) // 8, "little")
        return bytes([function, len(data)]) + data

    def write(self, function, address, count, pdu):
        if function == 5:
            new = {address: count == 0xff00}
        elif function == 6:
            new = {address: count}
        elif function == 15:
            bits = int.from_bytes(pdu[6:], "little")
            new = {address + i: bits >> i & 1 for i in range(count)}
        else:
            new = {address + i: v for i, v in enumerate(struct.unpack(">%dH" % count, pdu[6:]))}
        table = self.coils if function in (5, 15) else self.holding
        for key in new:
            table[key]      # KeyError: refused
        if not self.stuck:
            table.update(new)
        return pdu[:5]


class PtySlave(threading.Thread):
    def __init__(self, units, baud=9600):
        super().__init__(daemon=True)
        self.units, self.baud, self.asked, self.foreign, self.done = units, baud, [], 0, False
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done = True
        self.join(5)
        os.close(self.master)
        os.close(self.slave)

    def run(self):
        frame = b""
        while not self.done:
            if not select.select([self.master], [], [], 0.1 if not frame else 0.005)[0]:
                frame = b""         # a pause ends whatever came
                continue
            frame += os.read(self.master, 512)
            if len(frame) >= 4 and crc(frame[:-2]) == frame[-2:]:
                self.obey(frame[0], frame[1:-2], speed_of(self.slave))
                frame = b""

    def obey(self, unit, pdu, speed):
        if speed != (unit in self.units and self.units[unit].baud or self.baud):
            self.foreign += 1
            return
        address, count = struct.unpack(">HH", pdu[1:5]) if len(pdu) >= 5 else (0, 0)
        self.asked.append((time.time(), unit, pdu[0], address, count))
        if unit not in self.units:
            return
        reply = bytes([unit]) + self.units[unit].answer(pdu)
        time.sleep(self.units[unit].delay)
        os.write(self.master, reply + crc(reply))
