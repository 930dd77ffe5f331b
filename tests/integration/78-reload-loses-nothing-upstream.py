#!/usr/bin/python3
"""Does every message reach an upstream when the bridge to it is changed, removed and added again by reloads?

Numbers are published all the while. The bridge is changed while it is online, and while its upstream is away: to
another filter, to another upstream, to none and back to one. Its backlog goes where it then leads to.
"""
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.bridges import Gateway, Reader, feed, wait_for_retained
from lib.programs import Workplace, free_port

PERSISTENT = "persistence true\npersistence_location %s/\nmax_queued_messages 0\n"


class Feeder(threading.Thread):
    """Publishes numbers until it is stopped; one client, which must never lose its connection."""

    def __init__(self, gateway):
        super().__init__(daemon=True)
        self.gateway, self.count, self.done, self.error = gateway, 0, False, None
        self.start()

    def run(self):
        try:
            with self.gateway.client() as c:
                while not self.done:
                    feed(c, range(self.count, self.count + 10))
                    self.count += 10
                    time.sleep(0.02)
        except Exception as e:
            self.error = e

    def stop(self):
        self.done = True
        self.join(30)
        assert self.error is None and not self.is_alive(), self.error
        return self.count


class Plant:
    def __init__(self, w):
        self.w, self.ports = w, [free_port(), free_port()]
        self.gateway = Gateway(w, self.ports[0])
        self.text = open(self.gateway.config).read()

    def start_upstream(self, which):
        folder = self.w.path("up%d" % which)
        if not os.path.isdir(folder):
            os.mkdir(folder)
            os.chmod(folder, 0o777)
        return self.w.start_mosquitto(self.ports[which], PERSISTENT % folder, name="up%d" % which)

    def reload(self, text, said):
        with open(self.gateway.config, "w") as f:
            f.write(text)
        before = len(self.gateway.program.log())
        self.gateway.program.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 20
        while said not in self.gateway.program.log()[before:]:
            assert time.monotonic() < end, (said, self.gateway.program.log()[before:])
            time.sleep(0.02)
        print([line for line in self.gateway.program.log()[before:].splitlines() if "reload: " in line][-1])


def main():
    with Workplace() as w:
        plant = Plant(w)
        up = plant.start_upstream(1)
        second = Reader(plant.ports[1])  # its session is there before anything comes
        up.stop()
        up = plant.start_upstream(0)
        reader = Reader(plant.ports[0])
        plant.gateway.program.wait_for_log("bridge cloud: connected to")

        feeder = Feeder(plant.gateway)
        time.sleep(0.5)
        more = plant.text.replace('filter: "wp/n", qos: 1,', 'filter: "wp/+", qos: 1,')
        plant.reload(more, "reload: 1 bridge restarted (cloud)")
        plant.gateway.program.wait_for_log("(?s)connected to.*connected to")
        time.sleep(0.5)
        plant.reload(plant.text, "reload: 1 bridge restarted (cloud)")
        count = feeder.stop()
        got = reader.read(count - 1, 40)
        assert got == list(range(count)), (count, [n for n in range(count) if n not in got][:20])
        print("changed twice while online: %d numbers in order, none missing, %d twice" % (count, reader.duplicates()))

        # The upstream goes; what is owed follows the bridge to another one, which comes later.
        up.stop()
        plant.gateway.program.wait_for_log("bridge cloud: lost")
        feeder = Feeder(plant.gateway)
        time.sleep(1)
        elsewhere = plant.text.replace(":%d" % plant.ports[0], ":%d" % plant.ports[1])
        assert elsewhere != plant.text
        plant.reload(elsewhere, "reload: 1 bridge restarted (cloud)")
        plant.reload(elsewhere + "log: {level: debug}\n", "reload: 1 bridge unchanged, 1 key added (log.level)")
        time.sleep(0.5)
        up = plant.start_upstream(1)
        second.connect()
        count = feeder.stop()
        got = second.read(count - 1, 40)
        first = got[0]
        assert got == list(range(first, count)), (first, count, got[:20])
        assert first == 0, "the other upstream's backlog begins with %d" % first
        print("moved during an outage: %d numbers in order, none missing, %d twice" % (count, second.duplicates()))
        wait_for_retained(plant.ports[1], "sites/gw/state", "online")

        # Removed with messages owed, and added again.
        up.stop()
        with plant.gateway.client("owner") as c:
            feed(c, range(count, count + 100))
        plant.reload(elsewhere[:elsewhere.index("bridges:")], "reload: 1 bridge removed (cloud)")
        plant.gateway.program.wait_for_log("bridge cloud: removed, the 100 messages it owes stay on disk")
        plant.reload(elsewhere, "reload: 1 bridge added (cloud)")
        up = plant.start_upstream(1)
        second.connect()
        got = second.read(count + 99, 40)
        assert got[-100:] == list(range(count, count + 100)), got[-120:]
        print("removed and added again: 100 owed messages arrived")
        plant.gateway.program.stop()
        up.stop()


if __name__ == "__main__":
    main()
