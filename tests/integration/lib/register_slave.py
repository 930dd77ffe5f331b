"""Modbus RTU slaves on a pseudo terminal that count and log what they are asked.

    class Meter(RegisterSlave):
        def answer(self, unit, function, address, count):
            return [7] * count          # registers, an exception code (an int), None for silence, or bytes as they are

    meter = Meter(); meter.start()      # meter.device is the port
    meter.asked                         # (time, unit, function, address, count) of each request
"""
import os
import pty
import struct
import threading
import time
import tty

from rtu import crc


class RegisterSlave(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.device = os.ttyname(self.slave)
        self.asked = []

    def answer(self, unit, function, address, count):
        raise NotImplementedError

    def write(self, unit, function, frame):
        """A request that is no read; the answer as for answer()."""
        return None

    def request(self):
        """One whole request: reads and single writes have eight bytes, other writes say their length."""
        frame = b""
        while True:
            frame += os.read(self.master, 256)
            while len(frame) >= 8:
                size = 9 + frame[6] if frame[1] in (15, 16) else 8
                if len(frame) >= size and crc(frame[:size - 2]) == frame[:size]:
                    return frame[:size]
                if len(frame) < size:
                    break
                frame = frame[1:]

    def run(self):
        while True:
            try:
                frame = self.request()
            except OSError:
                return
            unit, function, address, count = struct.unpack(">BBHH", frame[:6])
            if function in (5, 6, 15, 16):
                result = self.write(unit, function, frame)
            else:
                self.asked.append((time.monotonic(), unit, function, address, count))
                result = self.answer(unit, function, address, count)
            if isinstance(result, list):
                result = crc(struct.pack(">BBB%dH" % len(result), unit, function, 2 * len(result), *result))
            elif isinstance(result, int):
                result = crc(bytes([unit, function | 0x80, result]))
            if result:
                os.write(self.master, result)
