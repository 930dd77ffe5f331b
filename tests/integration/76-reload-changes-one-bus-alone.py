"""Does a reload of one bus leave the others polling and every client connected?

A line that waits for a silent slave is changed while another bus polls five times a second: that one's readings show no
hole, the clients stay, new tags come, what removed ones left is cleared. Configurations that are wrong,
or change what needs a restart, change nothing and say why. Ports come and go without the clients of others noticing.
"""
import json
import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from bridges import retained
from mqtt import DISCONNECT, Client, publish
from programs import WIREPOST, Workplace, free_port, wait_for, wait_for_port
from gateway import Watcher

PERIOD_MS = 200
HEAD = "gateway: {{id: {id}, data_dir: {folder}/data}}\nbroker: {{sys_interval: 1s, listeners: [{listeners}]}}\n"
STEADY = """
  - name: steady
    type: modbus-tcp
    host: 127.0.0.1
    port: {steady}
    devices:
      - name: clock
        unit: 1
        tags: [{{name: beat, table: holding, address: 0, type: u16, poll: %dms, publish_on: always}}]
""" % PERIOD_MS
LINE = """
  - name: line
    type: modbus-rtu
    port: {{device: {folder}/line, baud: 115200}}
    timeout: 2s
    retries: 0
    devices:
"""
METER = """
      - name: meter
        unit: 1
        tags:
          - {{name: volts, table: holding, address: 0, type: u16, poll: 200ms}}
"""
TAG = "          - {{name: %s, table: holding, address: %d, type: u16, poll: 200ms}}\n"
DEVICE = "      - {{name: %s, unit: %d, tags: [{{name: %s, table: holding, address: 0, type: u16, poll: 200ms}}]}}\n"
TANK, PUMP = DEVICE % ("tank", 2, "level"), DEVICE % ("pump", 3, "speed")
OLD_LINE = LINE + METER + TAG % ("amps", 1) + TANK
NEW_LINE = LINE + METER + TAG % ("watts", 2) + PUMP
WHOLE_LINE = LINE + METER + TAG % ("amps", 1) + TAG % ("watts", 2) + TANK + PUMP
PLC = """
  - name: plc
    type: modbus-tcp
    host: 127.0.0.1
    port: {plc}
    devices: [{{name: press, unit: 1, tags: [{{name: force, table: holding, address: 0, type: u16, poll: 200ms}}]}}]
"""


class Plant:
    def __init__(self, w):
        self.w = w
        self.ports = {name: free_port() for name in ("main", "second", "steady", "plc", "web")}
        self.start_slaves("quick", [STEADY, PLC], "steady")
        self.line = self.start_slaves("line-slaves", [WHOLE_LINE])
        self.write([STEADY, OLD_LINE])
        self.gateway = w.start([WIREPOST, "run", "-c", self.file], port=self.ports["main"])
        self.watcher = Watcher(self.ports["main"], "wp/#")
        self.watcher.wait("wp/site/d/clock/v/beat", bool)
        for topic in ("meter/v/volts", "meter/v/amps", "tank/v/level"):
            self.watcher.wait("wp/site/d/" + topic, bool)

    def text(self, template, id="site", listeners=None):
        listeners = listeners or "{port: %d}" % self.ports["main"]
        return template.format(folder=self.w.folder, id=id, listeners=listeners, **self.ports)

    def start_slaves(self, name, buses, port=None):
        file = self.w.write(name + ".yaml", self.text(HEAD + "buses:" + "".join(buses)))
        return self.w.start([WIREPOST, "simulate", "-c", file], port=port and self.ports[port])

    def write(self, buses, more="", **head):
        self.file = self.w.write("site.yaml", self.text(HEAD, **head) + self.text("buses:" + "".join(buses)) +
                                 self.text(more))

    def reload(self, said, seconds=15):
        """Returns what it says it did; `said` is a pattern of that."""
        before = len(self.gateway.log())
        self.gateway.process.send_signal(signal.SIGHUP)
        wait_for(lambda: said in self.gateway.log()[before:], seconds, "%r in the log" % said)
        return [line for line in self.gateway.log()[before:].splitlines() if "reload: " in line]

    def clock(self):
        return self.watcher.json("wp/site/d/clock/json")

    def check_steady(self, since, what):
        """The readings of the other bus from the number `since`: none is missing, none was late."""
        wait_for(lambda: self.clock()[-1]["seq"] >= since + 10, 30, "ten readings of the other bus")
        got = [m for m in self.clock() if m["seq"] >= since]
        seqs = [m["seq"] for m in got]
        assert seqs == list(range(since, since + len(seqs))), seqs
        holes = [b["ts"] - a["ts"] for a, b in zip(got, got[1:])]
        print("%s: %d readings of the other bus, longest time between two %d ms (period %d)"
              % (what, len(got), max(holes), PERIOD_MS))
        assert max(holes) < 4 * PERIOD_MS, holes
        assert self.watcher.connections == 1
        assert self.gateway.log().count("steady: up") == 1, "the other bus was begun anew"

    def next_seq(self):
        count = len(self.clock())
        wait_for(lambda: len(self.clock()) > count, 15, "a reading of the other bus")
        return self.clock()[-1]["seq"]


def one_bus(plant):
    since = plant.next_seq()
    plant.line.pause()  # its thread now waits for two seconds at a time
    time.sleep(0.5)
    plant.write([STEADY, NEW_LINE, PLC])
    began = time.monotonic()
    said = plant.reload("reload: 1 bus restarted (line), 1 bus added (plc), 1 bus unchanged")
    print("\n".join(said), "\n(after %.1f s)" % (time.monotonic() - began))
    plant.line.resume()
    for topic in ("meter/v/volts", "meter/v/watts", "press/v/force"):
        plant.watcher.wait("wp/site/d/" + topic, bool)
    plant.check_steady(since, "changing a bus whose slave is silent")
    devices = json.loads(retained(plant.ports["main"], "wp/site/devices"))
    assert sorted(devices) == ["clock", "meter", "press", "pump"], devices
    assert sorted(devices["meter"]["tags"]) == ["volts", "watts"], devices
    with Client(plant.ports["main"]) as c:
        c.connect("late")
        c.subscribe("wp/site/d/#")
        left, p = [], c.recv(5)
        while p.retain:
            left.append(p.topic)
            p = c.recv(5)
    print("retained now:", len(left), "topics")
    assert "wp/site/d/meter/v/watts" in left
    assert not [t for t in left if "/tank/" in t or t.endswith("/amps")], left
    for topic in ("tank/v/level", "tank/json", "tank/status", "tank/availability", "meter/v/amps"):
        assert plant.watcher.latest["wp/site/d/" + topic] == b"", topic


def numbering_goes_on(plant):
    seqs = [m["seq"] for m in plant.watcher.json("wp/site/d/meter/json")]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), seqs


def wrong_files(plant):
    since = plant.next_seq()
    plant.write([STEADY, NEW_LINE, PLC], more="log: {{level: loud}}\nbridgs: []\n")
    said = plant.reload("nothing was changed")
    print("\n".join(said))
    assert any("site.yaml:%d:" % line in entry for entry in said for line in range(1, 99) if "loud" in entry), said
    assert any("bridges" in entry for entry in said), said
    plant.write([STEADY, OLD_LINE], id="other")
    print("\n".join(plant.reload("reload: refused, a change of gateway.id needs a restart")))
    plant.file = plant.w.write("site.yaml", open(plant.file).read().replace("id: other", "id: site")
                               .replace("/data}", "/elsewhere}"))
    print("\n".join(plant.reload("reload: refused, a change of gateway.data_dir needs a restart")))
    plant.write([STEADY, NEW_LINE, PLC])
    assert "nothing has changed" not in plant.gateway.log()
    plant.reload("3 buses unchanged")
    plant.check_steady(since, "wrong configurations")


def ports(plant):
    since = plant.next_seq()
    both = "{port: %(main)d}, {port: %(second)d}" % plant.ports
    plant.write([STEADY, NEW_LINE, PLC], listeners=both, more="web: {{listen: {{port: {web}}}}}\nlog: {{level: debug}}\n")
    print("\n".join(plant.reload("3 buses unchanged")))
    with Client(plant.ports["second"]) as c:
        c.connect("second")
        wait_for_port(plant.ports["web"])
        # Somebody else has one of the ports: all or nothing.
        plant.write([STEADY, PLC], listeners="{port: %(second)d}, {port: %(plc)d}" % plant.ports)
        print("\n".join(plant.reload("reload: nothing was changed (Address already in use)")))
        for port in ("main", "second"):
            Client(plant.ports[port]).connect("still")
        c.subscribe("wp/site/state")
        assert c.recv(5).payload == b"online"
        plant.write([STEADY, NEW_LINE, PLC])
        plant.reload("3 buses unchanged")
        try:
            Client(plant.ports["second"])
            raise AssertionError("the removed listener still listens")
        except ConnectionRefusedError:
            pass
        assert c.expect(DISCONNECT).reason == 0x98  # whoever came through it must go, and is told
    try:
        Client(plant.ports["web"])
        raise AssertionError("the web port is still there")
    except ConnectionRefusedError:
        pass
    plant.check_steady(since, "ports that come and go")


def asked_by_a_program(plant):
    def ask():
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(plant.w.path("data/control.sock"))
            s.sendall(b'{"request":"reload","id":1}\n')
            return json.loads(s.makefile().readline())
    plant.write([STEADY, NEW_LINE], more="log: {{level: loud}}\n")
    answer = ask()
    print("asked by a program:", answer)
    assert answer["status"] == "failed" and "site.yaml:" in str(answer) and "'loud'" in str(answer), answer
    plant.write([STEADY, NEW_LINE])
    assert ask()["status"] == "done"
    wait_for(lambda: "1 bus removed (plc), 2 buses unchanged" in plant.gateway.log(), 15, "the bus to go")
    plant.watcher.wait("wp/site/d/press/v/force", "")


def asked_by_mqtt(plant):
    """While the broker routes the request, which must not be what it changes."""
    def ask():
        with Client(plant.ports["main"]) as c:
            c.connect("asker")
            c.subscribe("wp/site/response/reload")
            c.send(publish("wp/site/request/reload", "{}"))
            return json.loads(c.recv(10).payload)
    bridge = "bridges: [{{name: up, url: 'mqtt://127.0.0.1:{web}', topics: [{{filter: '#', qos: 1}}]}}]\n"
    plant.write([STEADY, NEW_LINE], more=bridge)
    answer = ask()
    print("asked by MQTT:", answer)
    assert answer["status"] == "done", answer
    wait_for(lambda: "2 buses unchanged, 1 bridge added (up)" in plant.gateway.log(), 15, "the bridge")
    plant.write([STEADY, NEW_LINE])
    assert ask()["status"] == "done"
    wait_for(lambda: "2 buses unchanged, 1 bridge removed (up)" in plant.gateway.log(), 15, "the bridge to go")


def main():
    with Workplace() as w:
        plant = Plant(w)
        one_bus(plant)
        numbering_goes_on(plant)
        wrong_files(plant)
        ports(plant)
        asked_by_a_program(plant)
        asked_by_mqtt(plant)
        plant.gateway.stop()


main()
