"""Do several requests in flight keep to their bound and each get its own answer?

A Modbus TCP server answers in any order; some answers are late, lost, doubled, another
unit's or another function's, and now and then it hangs up. Every register holds unit and
address. The server sees how many requests wait for it: never more than max_outstanding,
never two of the device that wants a pause between its requests. One unit never answers and is set aside; its
probes, one at a time, go between the others' requests. So is one whose requests make the peer hang up. Last, the rate through a network of 2 ms is
printed for one and for 16 in flight.
"""
import os
import random
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import Buses
from programs import WIREPOST, Workplace, free_port, wait_for
from slow_relay import SlowRelay

TIMEOUT = 0.2
MOST = 6
UNITS = [1, 2, 3, 9]
PAUSING = 9
DEAD = 50
TRICKS = ["late", "lost", "twice", "unit", "function", "number", "hang up"]
ADDRESSES = range(0, 600, 50)
BUS = """
gateway: {{id: test}}
buses:
  - name: net
    type: modbus-tcp
    host: 127.0.0.1
    port: {port}
    timeout: {timeout}
    retries: {retries}
    max_outstanding: {most}
    devices:
"""
DEVICE = """
      - {{name: u{unit}, unit: {unit}, poll: {poll}, {extra} tags: [{tags}]}}
"""


def tags(addresses):
    return ", ".join("{name: r%d, table: holding, address: %d, type: u16}" % (a, a) for a in addresses)


class Server:
    def __init__(self, seed):
        self.random, self.well, self.counts = random.Random(seed), False, {}
        self.lock, self.waiting, self.most, self.most_pausing, self.unheard = threading.Lock(), [], 0, 0, 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            connection, _ = self.server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.waiting = []
            try:
                while self.serve(connection):
                    pass
            except OSError:
                pass
            connection.close()

    def serve(self, connection):
        request = connection.recv(12, socket.MSG_WAITALL)
        if len(request) < 12:
            return False
        number, unit = request[:2], request[6]
        if unit == DEAD:
            self.unheard += 1
            return True
        with self.lock:
            # Those that have waited long may have been given up by the gateway, which sent them some time ago. It
            # waits longer for the pausing device, whose requests are all answered.
            old = time.monotonic() - 0.5 * TIMEOUT
            self.waiting = [w for w in self.waiting if w[2] > old or w[1] == PAUSING] + [(number, unit, time.monotonic())]
            self.most = max(self.most, len(self.waiting))
            self.most_pausing = max(self.most_pausing, sum(w[1] == PAUSING for w in self.waiting))
        trick = "well" if self.well or self.random.random() < 0.9 else self.random.choice(
            ["unit", "function", "twice"] if unit == PAUSING else TRICKS)
        self.counts[trick] = self.counts.get(trick, 0) + 1
        delay = TIMEOUT * (self.random.uniform(1.2, 2) if trick == "late" else self.random.uniform(0, 0.3))
        threading.Timer(delay, self.answer, (connection, request, trick)).start()
        return trick != "hang up"

    def answer(self, connection, request, trick):
        number, (unit, function, address, count) = request[:2], struct.unpack(">BBHH", request[6:])
        with self.lock:
            self.waiting = [w for w in self.waiting if w[0] != number]
            if trick == "lost":
                return
            if trick == "unit":
                unit = unit % 9 + 1
            if trick == "function":
                function = 4
            if trick == "number":
                number = struct.pack(">H", (struct.unpack(">H", number)[0] - 1000) & 0xFFFF)
            values = [request[6] << 12 | address + i for i in range(count)]
            pdu = struct.pack(">BBB%dH" % count, unit, function, 2 * count, *values)
            frame = number + struct.pack(">HH", 0, len(pdu)) + pdu
            try:
                connection.sendall(frame * 2 if trick == "twice" else frame)
            except OSError:
                pass


def check_answers(w, seed):
    server = Server(seed)
    config = BUS.format(port=server.port, timeout="%dms" % (TIMEOUT * 1000), retries=1, most=MOST) + "".join(
        DEVICE.format(unit=u, poll="50ms", extra="min_request_gap: 5ms, timeout: 2s," if u == PAUSING else "", tags=tags(ADDRESSES))
        for u in UNITS + [DEAD])
    buses = Buses(w, w.write("bus.yaml", config))
    wait_for(lambda: server.counts.get("well", 0) > 1100, 90, "many requests to be answered")
    wait_for(lambda: buses.health("u%d" % DEAD) == "quarantined", 20, "the dead unit to be set aside")
    server.well, probes = True, server.unheard
    wait_for(lambda: all(buses.latest("u%d" % u, "r%d" % a) == str(u << 12 | a) for u in UNITS for a in ADDRESSES), 20,
             "all to be good")
    wait_for(lambda: server.unheard > probes, 20, "a probe among the others' requests")
    buses.stop()
    good = bad = 0
    for u in UNITS:
        for a in ADDRESSES:
            for value in buses.readings("u%d" % u, "r%d" % a):
                assert value[0] == "!" or value == str(u << 12 | a), (u, a, value)
                good, bad = good + (value[0] != "!"), bad + (value[0] == "!")
    print("%d good, %d bad, none wrong; at most %d in flight, %d of the pausing device; the server was %s"
          % (good, bad, server.most, server.most_pausing, server.counts))
    assert 3 <= server.most <= MOST and server.most_pausing == 1
    assert good > 1000


def rate(w, relay, most):
    device = DEVICE.format(unit=1, poll="10ms", extra="max_count: 1,", tags=tags(range(64)))
    buses = Buses(w, w.write("rate.yaml", BUS.format(port=relay, timeout="2s", retries=1, most=most) + device))
    wait_for(lambda: buses.latest("u1", "r63"), 15, "the last register")
    before, start = len(buses.lines()), time.monotonic()
    time.sleep(3)
    lines, took = len(buses.lines()), time.monotonic() - start
    buses.stop()
    return (lines - before) / took


def check_rate(w):
    port = free_port()
    device = DEVICE.format(unit=1, poll="1s", extra="max_count: 1,", tags=tags(range(64)))
    config = w.write("slave.yaml", BUS.format(port=port, timeout="2s", retries=1, most=1) + device)
    w.start([WIREPOST, "simulate", config], port=port)
    relay = SlowRelay(port, 0.001)
    one, many = rate(w, relay.port, 1), rate(w, relay.port, 16)
    print("through 2 ms: %.0f reads/s with one in flight, %.0f with 16: %.1f times" % (one, many, many / one))
    assert many > 2 * one


def serve_until_unit_five(c):
    """Answers each request with 7, and hangs up on unit 5."""
    with c:
        while True:
            f = c.recv(12, socket.MSG_WAITALL)
            if len(f) < 12 or f[6] == 5:
                return
            c.sendall(f[:4] + b"\0\5" + f[6:8] + b"\2\0\7")


def check_who_makes_it_hang_up(w):
    """A peer that hangs up on one unit's requests: that one is set aside, and the others are read as before."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            threading.Thread(target=serve_until_unit_five, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    devices = "".join(DEVICE.format(unit=u, poll="100ms", extra="", tags=tags([0])) for u in (1, 5))
    buses = Buses(w, w.write("hang.yaml", BUS.format(port=listener.getsockname()[1], timeout="300ms", retries=1, most=4) + devices))
    wait_for(lambda: buses.health("u5") == "quarantined", 30, "the unit that makes the peer hang up to be set aside")
    before, start = len(buses.readings("u1", "r0")), time.monotonic()
    time.sleep(5)
    rate = (len(buses.readings("u1", "r0")) - before) / (time.monotonic() - start)
    print("beside a unit that makes the peer hang up: %.1f reads/s of 10" % rate)
    assert rate > 5
    buses.stop()


def main():
    seed = int(os.environ.get("SEED", time.time()))
    print("seed %d" % seed)
    with Workplace() as w:
        check_answers(w, seed)
        check_who_makes_it_hang_up(w)
        check_rate(w)


main()
