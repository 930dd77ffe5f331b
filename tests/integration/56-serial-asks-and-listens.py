"""Is a serial device asked and listened to as configured, and never believed wrongly?

A scale that answers on a pty and one behind a serial device server; a device with two questions, whose answers come late, damaged,
cut short or unasked; silence, and the return after it; an adapter that is pulled out.
"""
import json
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for
from serials import SerialLine

CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
broker: {{sys_interval: 1s, listeners: [{{port: {port}}}]}}
buses:
  - name: scale
    type: serial
    port: {{device: {folder}/scale, baud: 9600}}
    frame: {{delimiter: "\\r\\n"}}
    request: {{send: 'W\\r\\n', every: 100ms}}
    timeout: 200ms
    fail_time: 1s
    stale_after: 1s
    match: '^(?<stable>ST|US),(?<weight>[-+ ]*[0-9.]+)\\s*kg'
    tags:
      - {{name: stable, enum: {{ST: stable, US: moving}}}}
      - {{name: weight, unit: kg, range: [-10, 60]}}
  - name: power
    type: serial
    device: supply
    port: {{device: {folder}/power, baud: 9600}}
    frame: {{delimiter: "\\n"}}
    timeout: 200ms
    stale_after: 2s
    messages:
      - {{request: {{send: "VOLT?\\n", every: 100ms}}, match: '^(?<voltage>[-+0-9.E]+)$'}}
      - {{request: {{send: "CURR?\\n", every: 100ms}}, match: '^(?<current>[-+0-9.E]+)$'}}
      - {{match: '^ALARM (?<alarm>.*)'}}
  - name: far
    type: serial
    host: 127.0.0.1
    port: {far}
    frame: {{start: 0x02, end: 0x03, checksum: xor, checksum_from: 1, checksum_at: after-end}}
    match: '^\\x02(?<level>[0-9]+)'
"""


def value(c, device, tag):
    return c.latest.get("wp/site/d/%s/v/%s" % (device, tag), b"").decode()


def reason(c, device, tag):
    for m in reversed(c.json("wp/site/d/%s/json" % device)):
        if tag in m["v"]:
            return m["q"].get(tag, "")


def scale(c, line):
    prefix = "wp/site/d/scale/"
    line.answer(lambda asked: b"ST,+  12.50 kg\r\n")
    c.wait(prefix + "v/weight", "12.5")
    c.wait(prefix + "v/stable", "stable")
    c.wait(prefix + "availability", "online")
    assert line.asked and set(b"".join(line.asked).split(b"\r\n")) == {b"W", b""}, line.asked[:5]

    line.answer(lambda asked: b"US,-   0.25 kg\r\n")
    c.wait(prefix + "v/weight", "-0.25")
    c.wait(prefix + "v/stable", "moving")
    line.answer(lambda asked: b"ST,+  99.00 kg\r\n")
    wait_for(lambda: reason(c, "scale", "weight") == "range", 10, "a weight out of range")
    c.wait(prefix + "v/weight", "")

    # not its words: no value, and the time-out's reason
    line.answer(lambda asked: b"ERR 3\r\n")
    wait_for(lambda: reason(c, "scale", "stable") in ("crc", "timeout"), 10, "no more values from an error message")
    c.wait(prefix + "availability", "offline")
    line.answer(None)
    wait_for(lambda: json.loads(c.latest[prefix + "status"])["state"] == "quarantined", 10, "the silent scale to be away")
    c.wait("$SYS/wirepost/bus/scale", lambda p: json.loads(p)["state"] == "fault")
    begin = time.monotonic()
    line.answer(lambda asked: b"ST,+   1.00 kg\r\n")
    c.wait(prefix + "v/weight", "1")
    c.wait(prefix + "availability", "online")
    c.wait("$SYS/wirepost/bus/scale", lambda p: json.loads(p)["state"] == "up")
    print("scale: back %.1f s after it answered again" % (time.monotonic() - begin))
    status = json.loads(c.latest[prefix + "status"])
    assert status["state"] == "up" and status["timeouts"] > 0 and status["crc_errors"] > 0, status
    assert status["latency"]["p50"] < 200 and "no answer" in status["last_error"]["text"], status

    line.unplug()
    c.wait("$SYS/wirepost/bus/scale", lambda p: json.loads(p)["state"] == "absent")
    c.wait(prefix + "v/weight", "")
    line.answer(lambda asked: b"ST,+   2.00 kg\r\n")
    line.plug()
    begin = time.monotonic()
    c.wait(prefix + "v/weight", "2")
    print("scale: back %.1f s after it was plugged in" % (time.monotonic() - begin))


def supply(c, line):
    """Voltages are below 100, currents above 1000: a value in the wrong place shows."""
    count = [0]
    delay = [0.0]

    def answer(asked):
        count[0] += 1
        text = b"%d\n" % (count[0] % 90 + 1 if b"VOLT" in asked else count[0] % 90 + 1001)
        if delay[0]:
            threading.Timer(delay[0], lambda: line.send(text)).start()
            return None
        return text

    line.answer(answer)
    wait_for(lambda: value(c, "supply", "voltage") and value(c, "supply", "current"), 10, "both values")
    line.send(b"ALARM fan 1 stopped\n")
    c.wait("wp/site/d/supply/v/alarm", "fan 1 stopped")
    late = 0
    for delay[0] in (0.25, 0.3, 0.35, 0.19, 0.5):
        end = time.monotonic() + 2
        late += 1
        while time.monotonic() < end:
            time.sleep(0.05)
    delay[0] = 0.0
    seen = count[0]
    wait_for(lambda: count[0] > seen + 20, 20, "the device to be asked on")
    wait_for(lambda: value(c, "supply", "voltage") and value(c, "supply", "current"), 10, "both values again")
    voltages = [float(p) for t, p in list(c.messages) if t.endswith("/supply/v/voltage") and p]
    currents = [float(p) for t, p in list(c.messages) if t.endswith("/supply/v/current") and p]
    wrong = [v for v in voltages if v > 100] + [v for v in currents if v < 1000]
    print("supply: %d questions with late answers among them, %d voltages, %d currents, %d in the wrong place" %
          (count[0], len(voltages), len(currents), len(wrong)))
    assert not wrong, wrong


def far(c, server):
    peer, _ = server.accept()
    with peer:
        def send(n, damage=0):
            body = b"%d" % n + b"\x03"
            check = damage
            for byte in body:
                check ^= byte
            peer.sendall(b"\x02" + body + bytes([check]))

        peer.sendall(b"45\x03\x11")
        send(1)
        c.wait("wp/site/d/far/v/level", "1")
        send(2, damage=4)
        peer.sendall(b"\x02\x027")
        send(3)
        c.wait("wp/site/d/far/v/level", "3")
        send(4)
        c.wait("wp/site/d/far/v/level", "4")
    levels = [p for t, p in c.messages if t == "wp/site/d/far/v/level"]
    assert levels == [b"1", b"3", b"4"], levels
    peer, _ = server.accept()
    with peer:
        peer.sendall(b"\x025\x03\x36")
        c.wait("wp/site/d/far/v/level", "5")
    print("far: damaged frames passed over, connected again after the server closed")


def main():
    with Workplace() as w, socket.create_server(("127.0.0.1", 0)) as server:
        port = free_port()
        lines = [SerialLine(w.path(name)) for name in ("scale", "power")]
        server.settimeout(20)
        config = CONFIG.format(folder=w.folder, port=port, far=server.getsockname()[1])
        gateway = w.start([WIREPOST, "run", "-c", w.write("a.yaml", config)], port=port)
        c = Watcher(port, "#")
        sys_watcher = Watcher(port, "$SYS/wirepost/bus/#")
        c.subscribed.wait(10)
        sys_watcher.latest = c.latest
        far(c, server)
        scale(c, lines[0])
        supply(c, lines[1])
        gateway.stop()


main()
