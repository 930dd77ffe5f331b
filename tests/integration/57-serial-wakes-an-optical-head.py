"""Is a meter with an optical head asked at 300 baud, acknowledged, and heard at the speed it names?

A meter on a pty that checks each step and the speed of the line; heads that return what they send; a meter that does not wake,
says nonsense, or sends a telegram with a wrong check character.
"""
import json
import os
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for
from serials import SerialLine

CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: meter
    type: serial
    template: iec62056-21
    port: {{device: {folder}/head}}
    request: {{every: 200ms}}
    timeout: 2s
    stale_after: 5s
"""
SPEEDS = {termios.B300: 300, termios.B9600: 9600}


def telegram(energy, damage=0):
    body = b"0.0.0(12345678)\r\n1.8.0(%s*kWh)\r\n!\r\n\x03" % energy
    check = damage
    for byte in body:
        check ^= byte
    return b"\x02" + body + bytes([check])


class Meter:
    def __init__(self, line):
        self.line, self.steps, self.name = line, [], b"/ISK5\\2MT382-1000\r\n"
        self.energy, self.damage, self.echo = b"000123.45", 0, b""
        self.waiting = b""
        line.answer(self.answer)

    def speed(self):
        return SPEEDS.get(termios.tcgetattr(self.line.slave)[5])

    def answer(self, asked):
        self.waiting += asked
        if self.waiting == b"/?!\r\n":
            self.steps.append(("asked", self.speed()))
            self.waiting = b""
            return self.echo + self.name
        if self.waiting == b"\x06050\r\n":
            self.waiting = b""
            wait_for(lambda: self.speed() == 9600, 5, "9600 baud")
            self.steps.append(("acknowledged", self.speed()))
            return telegram(self.energy, self.damage)
        return None


def main():
    with Workplace() as w:
        port = free_port()
        os.symlink(os.path.abspath(os.path.join(os.path.dirname(__file__), "../../conf/templates")), w.path("templates"))
        meter = Meter(SerialLine(w.path("head")))
        gateway = w.start([WIREPOST, "run", "-c", w.write("a.yaml", CONFIG.format(folder=w.folder, port=port))], port=port)
        c = Watcher(port, "#")
        topic = "wp/site/d/meter/v/energy_import"
        c.wait(topic, "123.45")
        assert meter.steps[:3] == [("asked", 300), ("acknowledged", 9600), ("asked", 300)] or \
            meter.steps[:2] == [("asked", 300), ("acknowledged", 9600)], meter.steps
        print("asked at 300 baud, read at 9600: 123.45 kWh")

        meter.echo, meter.energy = b"/?!\r\n", b"000123.46"
        c.wait(topic, "123.46")
        print("a head that returns what it sends: 123.46 kWh")

        meter.damage, meter.energy = 1, b"999999.99"
        c.wait(topic, "", 30)
        wait_for(lambda: any(m["q"].get("energy_import") == "crc" for m in c.json("wp/site/d/meter/json")), 10, "reason crc")
        meter.damage, meter.energy = 0, b"000123.47"
        c.wait(topic, "123.47", 30)
        meter.name = b"nonsense\r\n"
        c.wait(topic, "", 30)
        meter.name = b"/ISK5\\2MT382-1000\r\n"
        c.wait(topic, "123.47", 30)
        assert not any(b"999999" in p for t, p in c.messages), "a damaged telegram was believed"
        print("nothing believed of damaged telegrams and of nonsense; well again after each")
        meter.line.answer(None)
        begin = time.monotonic()
        gateway.stop()
        print("stopped in %.1f s while it waited" % (time.monotonic() - begin))


main()
