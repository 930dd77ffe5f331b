"""A Modbus slave that can be written to, writes down what it is asked, and does with some addresses what a test says.

    slave = TcpSlave()                 # slave.port
    slave = RtuSlave()                 # slave.device, a pty
    slave.registers[5], slave.coils[3]
    slave.odd[31] = slave.refuse       # writes to this address; or silent, ignore, slow
    slave.requests, slave.times        # (unit, PDU) in order, reads too, and when each came
    slave.delay = lambda: 0.01         # before each answer
"""
import os
import pty
import socket
import struct
import threading
import time
import tty

from faulty_slave import crc


class Slave(threading.Thread):
    def __init__(self, units=(1,)):
        super().__init__(daemon=True)
        self.units, self.odd, self.delay, self.slowness = units, {}, lambda: 0, 0.5
        self.requests, self.times = [], []
        self.registers, self.coils = [0] * 256, [0] * 256
        self.open()
        self.start()

    def respond(self, unit, pdu):
        """The answer's PDU, or None."""
        self.times.append(time.monotonic())
        self.requests.append((unit, pdu))
        if unit not in self.units:
            if unit == 0:
                self.answer(pdu)
            return None
        answer = self.answer(pdu)
        time.sleep(self.delay())
        return answer

    def written(self):
        """The requests that were no reads."""
        return [pdu for _, pdu in list(self.requests) if pdu[0] not in (1, 2, 3, 4)]

    def answer(self, pdu):
        function, address = pdu[0], struct.unpack(">H", pdu[1:3])[0] if len(pdu) >= 3 else 0
        if function in (1, 2):
            return self.read_bits(pdu)
        if function in (3, 4):
            return self.read(pdu, address, struct.unpack(">H", pdu[3:5])[0])
        odd = self.odd.get(address)
        return odd(pdu) if odd else self.write(pdu, address)

    def read_bits(self, pdu):
        _, address, count = struct.unpack(">BHH", pdu)
        data = bytearray((count + 7) // 8)
        for i in range(count):
            data[i // 8] |= self.coils[address + i] << i % 8
        return bytes([pdu[0], len(data)]) + data

    def read(self, pdu, address, count):
        return bytes([pdu[0], 2 * count]) + struct.pack(">%dH" % count, *self.registers[address:address + count])

    def write(self, pdu, address):
        if pdu[0] == 5:
            self.coils[address] = {b"\xff\0": 1, b"\0\0": 0, b"\x55\0": 1 - self.coils[address]}[pdu[3:5]]
            return pdu
        if pdu[0] == 6:
            self.registers[address] = struct.unpack(">H", pdu[3:5])[0]
            return pdu
        if pdu[0] == 15:
            for i in range(struct.unpack(">H", pdu[3:5])[0]):
                self.coils[address + i] = pdu[6 + i // 8] >> i % 8 & 1
            return pdu[:5]
        if pdu[0] == 16:
            count = struct.unpack(">H", pdu[3:5])[0]
            self.registers[address:address + count] = struct.unpack(">%dH" % count, pdu[6:])
            return pdu[:5]
        if pdu[0] == 22:
            keep, put = struct.unpack(">HH", pdu[3:7])
            self.registers[address] = self.registers[address] & keep | put & ~keep
            return pdu
        if pdu[0] == 23:
            _, count, to, written = struct.unpack(">HHHH", pdu[1:9])
            self.registers[to:to + written] = struct.unpack(">%dH" % written, pdu[10:])
            return self.read(pdu, address, count)
        if pdu[0] == 0x42:
            self.registers[40:42] = [0, 0]
            return pdu
        return bytes([pdu[0] | 0x80, 1])

    def refuse(self, pdu):
        return bytes([pdu[0] | 0x80, 4])

    def silent(self, pdu):
        return None

    def ignore(self, pdu):
        return pdu[:5]

    def slow(self, pdu):
        time.sleep(self.slowness)
        return self.write(pdu, struct.unpack(">H", pdu[1:3])[0])


class TcpSlave(Slave):
    def open(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]

    def run(self):
        while True:
            connection, _ = self.server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        stream = connection.makefile("rb")
        try:
            while True:
                number, _, length, unit = struct.unpack(">HHHB", stream.read(7))
                answer = self.respond(unit, stream.read(length - 1))
                if answer:
                    connection.sendall(struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer)
        except (OSError, struct.error):  # the client has gone
            connection.close()


class RtuSlave(Slave):
    @staticmethod
    def length(data):
        """Of the request that begins the data, so far as it can be known."""
        if len(data) < 2 or data[1] <= 6:
            return 8
        if data[1] in (15, 16):
            return 9 + data[6] if len(data) > 6 else 9
        return {22: 10, 0x42: 4}[data[1]]

    def open(self):
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.device, self.slave = os.ttyname(slave), slave  # open, so that the line does not hang up

    def run(self):
        data = b""
        while True:
            data += os.read(self.master, 256)
            n = self.length(data)
            if len(data) < n or crc(data[:n - 2]) != data[:n]:
                continue
            frame, data = data[:n], data[n:]
            answer = self.respond(frame[0], frame[1:-2])
            if answer:
                os.write(self.master, crc(frame[:1] + answer))
