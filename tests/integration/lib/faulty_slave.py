"""A Modbus RTU or ASCII slave that answers wrongly now and then, on a pty or behind TCP.

    slave = FaultySlave("late", every=20, timeout=0.05)
    slave.serve_pty()  or  slave.serve_tcp()      # -> the bus' "type: ..." lines for a configuration
    slave.requests, slave.faults
    slave.unplug()                                # a pty is no more

Unit 1; every holding register holds its own address, so that any answer taken for another's shows.
"""
import os
import pty
import random
import select
import socket
import struct
import threading
import time
import tty

from rtu import crc


def lrc(frame):
    """The same as a frame of Modbus ASCII."""
    return b":" + (frame + bytes([-sum(frame) & 0xFF])).hex().upper().encode() + b"\r\n"


def answer(request):
    """To a read of holding registers; both without the checksum."""
    unit, function, address, count = struct.unpack(">BBHH", request)
    return struct.pack(">BBB", unit, function, 2 * count) + struct.pack(">%dH" % count, *range(address, address + count))


class FaultySlave(threading.Thread):
    """Without a fault it is a good slave."""

    def __init__(self, fault=None, every=20, timeout=0.05, seed=1, ascii=False):
        super().__init__(daemon=True)
        self.frame_of, self.take = (lrc, self.take_ascii) if ascii else (crc, self.take_rtu)
        self.fault, self.every, self.timeout, self.random = fault, every, timeout, random.Random(seed)
        self.requests = self.faults = 0
        self.write = self.read = None

    def serve_pty(self):
        master, slave = pty.openpty()
        tty.setraw(slave)
        self.device, self.slave = os.ttyname(slave), slave  # open, so that the line does not hang up
        end, self.plug = os.pipe()

        def read():
            ready = select.select([master, end], [], [])[0]
            return b"" if end in ready else os.read(master, 256)

        def run():
            self.serve()
            for fd in master, slave, end, self.plug:
                os.close(fd)
        self.write, self.read, self.run = lambda data: os.write(master, data), read, run
        self.start()
        return "type: %s\n    port: {device: %s, baud: 115200}" % (
            "modbus-ascii" if self.frame_of is lrc else "modbus-rtu", self.device)

    def unplug(self):
        os.write(self.plug, b"x")
        self.join()

    def serve_tcp(self):
        server = socket.create_server(("127.0.0.1", 0))

        def accept():
            while True:
                connection, _ = server.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.write, self.read = connection.sendall, lambda: connection.recv(256)
                try:
                    self.serve()
                except OSError:
                    pass
                connection.close()
        self.run = accept
        self.start()
        return "type: modbus-rtu-tcp\n    host: 127.0.0.1\n    port: %d\n    baud: 115200" % server.getsockname()[1]

    def serve(self):
        request = b""
        while True:
            data = self.read()
            if not data:
                return
            request = self.take(request + data)

    def take_rtu(self, request):
        """Answers whole requests; what is left."""
        while len(request) >= 8:
            if crc(request[:6]) != request[:8]:
                request = request[1:]
                continue
            if request[0] == 1:
                self.respond(request[:6])
            request = request[8:]
        return request

    def take_ascii(self, request):
        while b"\r\n" in request:
            line, request = request.split(b"\r\n", 1)
            unit_and_pdu = bytes.fromhex(line[1:-2].decode())
            assert lrc(unit_and_pdu) == line + b"\r\n", line
            if unit_and_pdu[0] == 1:
                self.respond(unit_and_pdu)
        return request

    def respond(self, request):
        self.requests += 1
        right = self.frame_of(answer(request))
        faulty = self.fault is not None and self.requests % self.every == 0
        self.faults += faulty
        self.write(getattr(self, self.fault)(request, right) if faulty else right)

    def late(self, request, right):
        time.sleep(self.timeout * self.random.uniform(1.02, 1.9))
        return right

    def echo(self, request, right):
        return self.frame_of(request) + (right if self.random.random() < 0.5 else b"")

    def noise(self, request, right):
        noise = self.random.randbytes(self.random.randrange(1, 12))
        return self.random.choice([noise + right, right + noise, noise])

    def unit(self, request, right):
        return self.frame_of(bytes([self.random.choice([0, 2, 9, 129])]) + answer(request)[1:])

    def truncated(self, request, right):
        return right[:self.random.randrange(1, len(right))]
