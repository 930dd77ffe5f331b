"""Does a scan find every unit of a line, at whatever speed, and say which template fits?

A line of a speed nobody was told of, with a slow unit, one that refuses, one that says what it is and a silent
one; then simulated meters, which the template library has to recognise; and what cannot be scanned.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from programs import WIREPOST, Workplace, free_port
from pty_slave import PtySlave, Unit

METERS = {4: "eastron-sdm120", 9: "xy-md02", 16: "peacefair-pzem-004t"}
CONFIG = """
gateway: {{id: test, data_dir: {folder}/data}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {device}, baud: 115200}}
    devices: {devices}
"""
SPARE = """
  - name: spare
    type: modbus-rtu
    port: {{device: {folder}/nothing, baud: 9600}}
    devices: [{{name: known, unit: 4, template: eastron-sdm120}}]
"""


def scan(*args, status=0):
    done = subprocess.run([WIREPOST, "scan", *args], capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL)
    assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr)
    return done


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def units_of(text):
    """{unit: its object} of the last object of a scan."""
    last = events(text)[-1]
    assert last["status"] == "done", last
    return {u["unit"]: u for u in last["units"]}


def unknown_speed():
    slaves = {3: Unit(holding={0: 7}),
              7: Unit(identity=[(0, b"ACME"), (1, b"PM-1"), (2, b"1.02")]),
              11: Unit(holding={0: 1}, delay=0.06)}
    with PtySlave(slaves, baud=19200) as line:
        out = scan("--port", line.path, "--units", "1-12", "--baud", "9600,19200,38400", "--parity", "none",
                   "--timeout", "40ms", "--json").stdout
        found = units_of(out)
    print("at an unknown speed: %s, %d frames came at other speeds" % (sorted(found), line.foreign))
    assert sorted(found) == [3, 7, 11], found
    assert all(u["baud"] == 19200 and u["parity"] == "none" for u in found.values()), found
    assert found[3]["answer"] == "a value" and found[7]["answer"].startswith("exception 2"), found
    assert found[7]["identity"] == {"vendor": "ACME", "product": "PM-1", "revision": "1.02"}, found[7]
    accepted = events(out)[0]
    assert accepted["status"] == "accepted" and accepted["questions"] == 12 * 4 and accepted["estimate_ms"] > 0, accepted


def meters(w):
    device = w.path("line")
    every = "[%s]" % ", ".join("{name: d%d, unit: %d, template: %s}" % (u, u, t) for u, t in METERS.items())
    values = dict(folder=w.folder, port=free_port(), device=device)
    os.symlink(os.path.abspath(os.path.join(os.path.dirname(__file__), "../../conf/templates")), w.path("templates"))
    w.start([WIREPOST, "simulate", w.write("all.yaml", CONFIG.format(devices=every, **values))], ready="ready")
    config = w.write("some.yaml", (CONFIG + SPARE).format(devices="[{name: d4, unit: 4, template: eastron-sdm120}]", **values))

    found = units_of(scan("line", "-c", config, "--units", "1-20", "--timeout", "60ms", "--json").stdout)
    for unit, template in METERS.items():
        print("unit %d is a %s: %s" % (unit, template, found[unit].get("device") or found[unit]["matches"]))
    assert sorted(found) == sorted(METERS), found
    assert found[4]["device"] == "d4" and found[4]["matches"] == [], found[4]
    for unit in (9, 16):
        best = found[unit]["matches"][0]
        assert best["template"] == METERS[unit] and best["score"] >= 60 and best["sample"], found[unit]

    text = scan("line", "-c", config, "--units", "4,9,16", "--timeout", "60ms").stdout
    assert "      - name: unit-9\n        unit: 9\n        template: xy-md02\n" in text, text
    assert "unit-4" not in text and "d4, eastron-sdm120" in text, text
    return config


def all_templates(w):
    """Every shipped template's device, as the simulator plays it: is its template among the best three?"""
    folder = os.path.join(os.path.dirname(__file__), "../../conf/templates")
    names = [f[:-5] for f in sorted(os.listdir(folder))
             if f.endswith(".yaml") and "\ntype: serial" not in open(os.path.join(folder, f), encoding="utf-8").read()]
    devices = "\n".join("      - {name: d%d, unit: %d, template: %s}" % (i, i, name) for i, name in enumerate(names, 1))
    values = dict(folder=w.folder, port=free_port(), device=w.path("many"))
    w.start([WIREPOST, "simulate", w.write("many.yaml", CONFIG.format(devices="\n" + devices, **values))], ready="ready")
    found = units_of(scan("line", "-c", w.write("none.yaml", CONFIG.format(devices="[]", **values)), "--units",
                          "1-%d" % len(names), "--timeout", "30ms", "--json").stdout)
    best = [[m["template"] for m in found[i]["matches"]] for i in range(1, len(names) + 1)]
    missed = [(name, b) for name, b in zip(names, best) if name not in b]
    print("%d templates: %d first, %d among the first three" %
          (len(names), sum(b[:1] == [n] for n, b in zip(names, best)), len(names) - len(missed)))
    assert len(missed) <= len(names) // 20, missed     # some makers' maps are the same, to the last register


def what_cannot_be(w, config):
    def says(part, *args, status=1):
        done = scan(*args, status=status)
        assert part in done.stderr, (args, done.stderr)
        print("%s: %s" % (" ".join(args[:2]), done.stderr.strip().splitlines()[-1]))

    says("there is no bus or device 'lime'; did you mean 'line'?", "lime", "-c", config)
    says("'d4' is a device; its bus is 'line'", "d4", "-c", config)
    says("which bus? There are 2", "-c", config)
    says("cannot open", "spare", "-c", config)
    says("'units' must be", "line", "-c", config, "--units", "0-5")
    says("cannot read this file", "line", "-c", w.path("no.yaml"))
    says("neither HOST nor HOST:PORT", "--host", "a b")
    says("cannot connect", "--host", "127.0.0.1:%d" % free_port(), "--units", "1")
    scan("--frobnicate", status=64)
    with PtySlave({}) as line:
        done = scan("--port", line.path, "--baud", "9600", "--parity", "none", "--units", "1-3", "--timeout", "20ms", status=1)
        assert "0 units answered" in done.stdout, done.stdout


def main():
    unknown_speed()
    with Workplace() as w:
        config = meters(w)
        all_templates(w)
        what_cannot_be(w, config)


main()
