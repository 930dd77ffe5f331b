"""A whole gateway for tests: simulated slaves on a pty and on TCP, wirepost run, and a local client that remembers.

    with Workplace() as w:
        site = Site(w)             # ports and files; site.config() is the YAML
        site.start_simulator(); site.start_gateway()
        c = site.watch("wp/#")     # a Watcher: latest payload by topic, all messages in order and when they came
        site.control("set tank level 42")
"""
import json
import os
import socket
import threading
import time

from mqtt import PUBACK, PUBLISH, Client, Closed, Timeout
from programs import WIREPOST, free_port, wait_for


class Watcher(threading.Thread):
    """Subscribes and keeps all it is sent. Connects again by itself when the broker was away."""

    def __init__(self, port, filter, qos=1, version=5):
        super().__init__(daemon=True)
        self.port, self.filter, self.qos, self.version = port, filter, qos, version
        self.messages, self.times, self.latest, self.done = [], [], {}, False
        self.subscribed, self.connections = threading.Event(), 0
        self.start()

    def run(self):
        while not self.done:
            try:
                with Client(self.port, self.version) as c:
                    c.connect("watcher-%d" % id(self), keepalive=0)
                    c.subscribe(self.filter, qos=self.qos)
                    self.connections += 1
                    self.subscribed.set()
                    self.receive(c)
            except (OSError, Closed, Timeout):
                time.sleep(0.1)

    def receive(self, c):
        while not self.done:
            try:
                p = c.recv(0.5)
            except Timeout:
                continue
            if p.type != PUBLISH:
                continue
            self.times.append(time.time())
            self.messages.append((p.topic, p.payload))
            self.latest[p.topic] = p.payload
            if p.qos == 1:
                c.ack(PUBACK, p.id)

    def wait(self, topic, payload, seconds=15):
        """payload: bytes or text to be equal to, or a function of the payload."""
        want = payload.encode() if isinstance(payload, str) else payload
        test = want if callable(want) else (lambda got: got == want)
        wait_for(lambda: topic in self.latest and test(self.latest[topic]), seconds,
                 "%s to be %r, it is %r" % (topic, payload, self.latest.get(topic)))

    def json(self, topic):
        return [json.loads(p) for t, p in list(self.messages) if t == topic]


CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
broker:
  sys_interval: 1s
  listeners: [{{port: {port}}}]
web:
  listen: {{port: {web_port}}}
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {folder}/line, baud: 115200}}
    timeout: 200ms
    devices:
      - name: meter
        template: eastron-sdm120
        unit: 1
      - name: tank
        unit: 2
        tags:
          - {{name: level, table: holding, address: 0, type: u16, poll: 200ms, unit: mm}}
          - {{name: temp, table: input, address: 5, type: s16, scale: 0.1, poll: 200ms}}
          - {{name: total, table: holding, address: 10, type: u32, poll: 200ms}}
          - {{name: swapped, table: holding, address: 12, type: s32, word_order: little, poll: 200ms}}
          - {{name: flow, table: input, address: 20, type: f32, poll: 200ms}}
          - {{name: pump, table: coil, address: 3, type: bool, poll: 200ms}}
          - {{name: door, table: discrete, address: 7, type: bool, poll: 200ms}}
  - name: plc
    type: modbus-tcp
    host: 127.0.0.1
    port: {plc_port}
    timeout: 300ms
    devices:
      - name: press
        unit: 1
        tags:
          - {{name: force, table: holding, address: 100, type: f32, poll: 200ms}}
          - {{name: strokes, table: input, address: 4, type: u32, poll: 200ms}}
{bridges}
"""

BRIDGE = """
bridges:
  - name: up
    url: mqtt://127.0.0.1:{port}
    protocol: {protocol}
    client_id: site
    backoff: {{min: 200ms, max: 1s}}
    topics: [{{direction: out, filter: "wp/site/#", qos: 1, prefix: {{local: "", remote: "far/"}}}}]
"""


class Site:
    def __init__(self, workplace, config=CONFIG):
        self.w, self.template = workplace, config
        self.port, self.web_port, self.plc_port, self.upstream_port = (free_port() for _ in range(4))
        self.simulator = self.gateway = None
        os.symlink(os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../conf/templates")),
                   workplace.path("templates"))
        self.config(bridge=None)

    def config(self, bridge):
        """Writes the configuration; bridge: None, 4 or 5 (the MQTT version spoken upstream)."""
        bridges = BRIDGE.format(port=self.upstream_port, protocol={4: "311", 5: "5"}[bridge]) if bridge else ""
        text = self.template.format(folder=self.w.folder, port=self.port, web_port=self.web_port,
                                    plc_port=self.plc_port, bridges=bridges)
        self.file = self.w.write("site.yaml", text)
        return self.file

    def start_simulator(self):
        self.simulator = self.w.start([WIREPOST, "simulate", "--control", self.w.path("control"), "-c", self.file],
                                      port=self.plc_port)
        wait_for(lambda: self.control("get tank level"), 10, "the simulator's control socket")

    def start_gateway(self):
        self.gateway = self.w.start([WIREPOST, "run", "-c", self.file], port=self.port)

    def control(self, line):
        """One command to the simulator; its one line of answer."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(5)
                s.connect(self.w.path("control"))
                s.sendall(line.encode() + b"\n")
                return s.makefile().readline().strip()
        except OSError:
            return ""

    def watch(self, filter, port=None, **options):
        return Watcher(port or self.port, filter, **options)
