#!/usr/bin/python3
"""Does the gateway publish what each shipped template's device holds, and ask it for nothing it does not have?

One foreign slave plays all devices, one unit id each, from the register images in tests/images. It refuses each
register that is not in an image, but for the gaps a template says may be read.
"""
import os
import pathlib
import re
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]
TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
CONFIG = """
gateway: {id: g, data_dir: %s/data}
broker: {listeners: [{port: %d}]}
buses:
  - name: net
    type: modbus-tcp
    host: 127.0.0.1
    port: %d
    timeout: 3s
    publish: values
    devices:
"""


def image(name):
    held = {}
    for line in (TOP / "tests/images" / (name + ".image")).read_text().splitlines():
        found = re.match(r"(\w+) 0x(\w+): (.*)", line)
        if found:
            table, address = found[1], int(found[2], 16)
            for i, register in enumerate(found[3].split()):
                held[table, address + i] = int(register, 16)
    return held


def expected(name):
    """tag -> "value unit", or "!reason unit". Tags with an expression have a file of their own."""
    lines = (TOP / "tests/images" / (name + ".expect")).read_text().splitlines()
    if "expression:" in (TOP / "conf/templates" / (name + ".yaml")).read_text():
        lines += (TOP / "tests/images" / (name + ".derived")).read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines if not line.startswith(("#", "requests ")))


class Devices(threading.Thread):
    def __init__(self, names):
        super().__init__(daemon=True)
        self.images = {unit: image(name) for unit, name in enumerate(names, 1)}
        self.with_gaps = {unit for unit, name in enumerate(names, 1)
                          if re.search(r"^max_gap: [1-9]", (TOP / "conf/templates" / (name + ".yaml")).read_text(), re.M)}
        self.refused, self.asked = [], set()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.start()

    def run(self):
        while True:
            connection, _ = self.server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        stream = connection.makefile("rb")
        while True:
            head = stream.read(7)
            if len(head) < 7:
                return
            number, _, length, unit = struct.unpack(">HHHB", head)
            answer = self.read_held(unit, stream.read(length - 1))
            connection.sendall(struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer)

    def read_held(self, unit, pdu):
        function, address, count = struct.unpack(">BHH", pdu)
        held = [self.images[unit].get((TABLES[function], a)) for a in range(address, address + count)]
        ends_held = held[0] is not None and held[-1] is not None
        self.asked.add(unit)
        if not ends_held or (None in held and unit not in self.with_gaps):
            self.refused.append((unit, TABLES[function], address, count))
            return bytes([function | 0x80, 2])
        values = [v or 0 for v in held]
        if function in (1, 2):
            data = bytes(sum(v << i for i, v in enumerate(values[at:at + 8])) for at in range(0, count, 8))
        else:
            data = struct.pack(">%dH" % count, *values)
        return bytes([function, len(data)]) + data


def fits(payload, line):
    if line.startswith("!"):
        return payload == ""
    return line == payload or line.startswith(payload + " ") and payload != ""


def compare(watcher, name):
    wrong = []
    for tag, line in expected(name).items():
        payload = watcher.latest.get("wp/g/d/%s/v/%s" % (name, tag))
        if payload is None or not fits(payload.decode(), line):
            wrong.append("%s: %s is %r, not %s" % (name, tag, payload, line))
    return wrong


def main():
    names = sorted(p.stem for p in (TOP / "conf/templates").glob("*.yaml")
                   if not re.search("^type: serial", p.read_text(), re.M))
    slave = Devices(names)
    with Workplace() as w:
        port = free_port()
        text = CONFIG % (w.folder, port, slave.port)
        text += "".join("      - {name: %s, template: %s, unit: %d}\n" % (n, n, i) for i, n in enumerate(names, 1))
        os.symlink(TOP / "conf/templates", w.path("templates"))
        gateway = w.start([WIREPOST, "run", "-c", w.write("main.yaml", text)], port=port)
        watcher = Watcher(port, "wp/g/d/#")
        try:
            wait_for(lambda: not any(compare(watcher, n) for n in names), 60, "all values")
        except AssertionError:
            print("\n".join(sum((compare(watcher, n) for n in names), [])[:40]))
        wrong = sum((compare(watcher, n) for n in names), [])
        watcher.done = True
        gateway.stop()
    tags = sum(len(expected(n)) for n in names)
    print("%d templates, %d tags: %d wrong; %d requests refused %s" %
          (len(names), tags, len(wrong), len(slave.refused), slave.refused[:5]))
    assert len(slave.asked) == len(names) and not wrong and not slave.refused


if __name__ == "__main__":
    main()
