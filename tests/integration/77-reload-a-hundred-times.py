"""Does the gateway stay as it is when it is told to reload a hundred times in a row?

Each reload changes one of two buses, some come before the one before has ended; writes go on all the while. Afterwards every device has its values,
the numbering of none has a hole, the client is still connected, and memory and descriptors are as few as after the
first ones. (A build with address sanitizer also fails at its end when something was lost.)
"""
import collections
import json
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from mqtt import Client, Timeout, publish
from programs import WIREPOST, Workplace, free_port, wait_for

CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
broker: {{sys_interval: 1s, listeners: [{{port: {port}}}]}}
buses:
  - name: a
    type: modbus-tcp
    host: 127.0.0.1
    port: {a}
    devices:
      - name: one
        unit: 1
        tags:
          - {{name: v, table: holding, address: 0, type: u16, poll: 100ms, publish_on: always}}
          - {{name: set, table: holding, address: 9, type: u16, poll: 100ms, write: true}}
          - {{name: {odd}, table: holding, address: 7, type: u16, poll: 100ms}}
  - name: b
    type: modbus-tcp
    host: 127.0.0.1
    port: {b}
    devices:
      - name: two
        unit: {unit}
        tags: [{{name: v, table: holding, address: 0, type: u16, poll: 100ms, publish_on: always}}]
"""
RELOADS = 100


class Plant:
    def __init__(self, w):
        self.w, self.ports = w, {name: free_port() for name in ("port", "a", "b")}
        self.write(0)
        w.start([WIREPOST, "simulate", "-c", self.file], port=self.ports["a"])
        self.gateway = w.start([WIREPOST, "run", "-c", self.file], port=self.ports["port"])
        self.watcher = Watcher(self.ports["port"], "wp/#")
        for device in ("one", "two"):
            self.watcher.wait("wp/site/d/%s/v/v" % device, bool)

    def write(self, n):
        """Every reload changes bus a, every tenth bus b too. Unit 2 answers nobody."""
        new = self.w.write("new.yaml", CONFIG.format(folder=self.w.folder, odd="odd" if n % 2 else "even",
                                                     unit=2 if n % 20 == 10 else 1, **self.ports))
        self.file = self.w.path("site.yaml")
        os.rename(new, self.file)  # never a half of it

    def hang_up(self):
        self.gateway.process.send_signal(signal.SIGHUP)

    def reloads(self):
        return self.gateway.log().count("info: reload: ") - self.gateway.log().count("another one is under way")

    def size(self):
        """Resident KiB, threads, descriptors."""
        proc = "/proc/%d/" % self.gateway.process.pid
        status = dict(line.split(":", 1) for line in open(proc + "status"))
        return int(status["VmRSS"].split()[0]), int(status["Threads"]), len(os.listdir(proc + "fd"))


class Writer(threading.Thread):
    """Writes to a device of the bus that changes all the time. Each request must have an end."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.asked, self.ends, self.done, self.error = port, 0, {}, False, None
        self.start()

    def run(self):
        try:
            with Client(self.port) as c:
                c.connect("writer")
                c.subscribe("wp/site/d/one/result")
                while not self.done or len(self.ends) < self.asked:
                    if not self.done:
                        c.send(publish("wp/site/d/one/set", json.dumps(
                            {"id": str(self.asked), "v": {"set": self.asked}, "expires_ms": 2000})))
                        self.asked += 1
                    self.take(c)
        except Exception as e:
            self.error = e

    def take(self, c):
        end = time.monotonic() + (10 if self.done else 0.02)
        while time.monotonic() < end and not (self.done and len(self.ends) == self.asked):
            try:
                result = json.loads(c.recv(0.02).payload)
            except Timeout:
                continue
            if result["status"] != "accepted":
                self.ends[result["id"]] = result["status"] + " " + (result.get("code") or "")
        assert not self.done or len(self.ends) == self.asked, "%d of %d have an end" % (len(self.ends), self.asked)

    def finish(self):
        self.done = True
        self.join(30)
        assert self.error is None and not self.is_alive(), self.error
        print("%d writes meanwhile: %s" % (self.asked, dict(collections.Counter(self.ends.values()))))
        assert set(self.ends) == {str(n) for n in range(self.asked)}


def main():
    with Workplace() as w:
        plant = Plant(w)
        sizes = {}
        writer = Writer(plant.ports["port"])
        for n in range(1, RELOADS + 1):
            plant.write(n)
            before = plant.reloads()
            plant.hang_up()
            if n % 4 == 0:  # at once, and a third that changes the first's mind
                plant.hang_up()
                plant.write(n + 1)
                plant.hang_up()
                plant.write(n)
                plant.hang_up()
            wait_for(lambda: plant.reloads() > before, 20, "reload %d" % n)
            if n in (20, RELOADS):
                time.sleep(1)
                sizes[n] = plant.size()
                print("after %3d reloads: %d KiB, %d threads, %d descriptors" % ((n,) + sizes[n]))
        writer.finish()
        for device in ("one", "two"):
            count = len(plant.watcher.json("wp/site/d/%s/json" % device))
            wait_for(lambda: len(plant.watcher.json("wp/site/d/%s/json" % device)) > count + 3, 20, "readings of " + device)
            seqs = [m["seq"] for m in plant.watcher.json("wp/site/d/%s/json" % device)]
            assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), (device, seqs)
            print("device %s: %d messages, every number once" % (device, len(seqs)))
        plant.watcher.wait("wp/site/d/one/v/even", bool)
        assert plant.watcher.latest["wp/site/d/one/v/odd"] == b""
        assert plant.watcher.connections == 1
        assert sizes[RELOADS][1:] == sizes[20][1:], sizes
        plant.gateway.stop()


main()
