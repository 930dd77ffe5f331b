"""The buses of a configuration, run alone by watch_buses: what they read, by device and tag.

    with Workplace() as w:
        buses = Buses(w, w.write("a.yaml", text))
        buses.wait("tank", "level", "42")       # "!timeout" for a bad one
        buses.health("tank"), buses.state("line")
"""
import os
import pty
import select
import subprocess
import sys
import threading
import time
import tty

from programs import Program, wait_for

WATCH_BUSES = os.environ.get("WATCH_BUSES", os.path.join(os.path.dirname(__file__), "../../../build/asan/tests/watch_buses"))


class Buses:
    def __init__(self, workplace, config):
        self.program = workplace.start([WATCH_BUSES, config], stdin=subprocess.PIPE)

    def lines(self):
        return [line for line in self.program.log().splitlines() if line]

    def readings(self, device, tag):
        """All values of a tag so far."""
        words = [line.split() for line in self.lines()]
        return [w[2] for w in words if len(w) == 3 and w[:2] == [device, tag]]

    def latest(self, device, tag):
        return (self.readings(device, tag) or [None])[-1]

    def wait(self, device, tag, value, seconds=15):
        wait_for(lambda: self.latest(device, tag) == value, seconds,
                 "%s %s to be %s" % (device, tag, value))

    def health(self, device):
        """Its last state: up, quarantined, ...; None before the first."""
        found = [line.split()[2] for line in self.lines() if line.startswith("health %s " % device)]
        return (found or [None])[-1]

    def state(self, bus):
        """Its last state and reason, as in "absent cannot open ..."."""
        found = [line.split(" ", 2)[2] for line in self.lines() if line.startswith("bus %s " % bus)]
        return (found or [None])[-1]

    def stop(self):
        self.program.stop()


class NullModem:
    """Two serial ports, .a and .b; what is written to one can be read from the other."""

    def __init__(self):
        self.masters, self.slaves = zip(*(pty.openpty() for _ in range(2)))
        for slave in self.slaves:
            tty.setraw(slave)
        self.a, self.b = (os.ttyname(slave) for slave in self.slaves)
        threading.Thread(target=self.carry, daemon=True).start()

    def carry(self):
        other = dict(zip(self.masters, reversed(self.masters)))
        while True:
            for fd in select.select(self.masters, [], [])[0]:
                os.write(other[fd], os.read(fd, 1024))


def control(path, line):
    """One command to a simulator; its answer."""
    import socket
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(path)
        s.sendall(line.encode() + b"\n")
        return s.makefile().readline().strip()
