"""Does the gateway stay as it is when it is told to reload a hundred times in a row?

Each reload changes one of two buses, some come before the one before has ended. Afterwards every device has its values,
the numbering of none has a hole, the client is still connected, and memory and descriptors are as few as after the
first ones. (A build with address sanitizer also fails at its end when something was lost.)
"""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
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
        self.file = self.w.write("site.yaml", CONFIG.format(folder=self.w.folder, odd="odd" if n % 2 else "even",
                                                            unit=2 if n % 20 == 10 else 1, **self.ports))

    def hang_up(self):
        self.gateway.process.send_signal(signal.SIGHUP)

    def reloads(self):
        return self.gateway.log().count("info: reload: ") - self.gateway.log().count("another one is under way")

    def size(self):
        """Resident KiB, threads, descriptors."""
        proc = "/proc/%d/" % self.gateway.process.pid
        status = dict(line.split(":", 1) for line in open(proc + "status"))
        return int(status["VmRSS"].split()[0]), int(status["Threads"]), len(os.listdir(proc + "fd"))


def main():
    with Workplace() as w:
        plant = Plant(w)
        sizes = {}
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
