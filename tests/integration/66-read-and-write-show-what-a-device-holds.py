"""Do read and write show and change what a device really holds, with and without a gateway?

Registers of every kind of value on a line with holes; each byte order of each type compared with Python's struct;
watch; writes of one and several registers and coils, verified, refused, lost and out of range.
"""
import json
import math
import os
import re
import signal
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from programs import WIREPOST, Workplace, free_port, wait_for
from pty_slave import PtySlave, Unit

REGISTERS = {0: 0x4366, 1: 0x1eb8, 2: 0x4869, 3: 0xfffe, 5: 7, 6: 8}        # 4 is a hole
CONFIG = """
gateway: {{id: test, data_dir: {folder}/data}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {device}, baud: 19200}}
    timeout: 200ms
    devices:
      - name: meter
        unit: 5
        tags:
          - {{name: voltage, table: holding, address: 0, type: f32, unit: V}}
          - {{name: level, table: holding, address: 5, type: u16, scale: 0.1, unit: m, write: {{min: 0, max: 50, verify: true}}}}
          - {{name: pump, table: coil, address: 1}}
"""


def wirepost(*args, status=0):
    done = subprocess.run([WIREPOST, *args], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr)
    return done


def check_decoded(entry, words):
    wire = struct.pack(">2H", *words)
    for order, at in {"ABCD": (0, 1, 2, 3), "CDAB": (2, 3, 0, 1), "BADC": (1, 0, 3, 2), "DCBA": (3, 2, 1, 0)}.items():
        value = bytes(wire[i] for i in at)
        assert entry["u32"][order] == struct.unpack(">I", value)[0], (order, entry)
        assert entry["s32"][order] == struct.unpack(">i", value)[0], (order, entry)
        want = struct.unpack(">f", value)[0]
        got = entry["f32"][order]
        assert (got is None) if math.isnan(want) else abs(got - want) <= abs(want) * 1e-6, (order, want, entry)


def reads(config, slave):
    out = json.loads(wirepost("read", "meter", "-c", config, "holding", "0", "8", "--json").stdout)
    assert out["values"] == [0x4366, 0x1eb8, 0x4869, 0xfffe, None, 7, 8, None], out
    assert [(r["address"], r["count"]) for r in out["refused"]] == [(4, 1), (7, 1)], out
    assert out["tags"] == {"voltage": "230.12", "level": "0.7"}, out["tags"]
    by_address = {e["address"]: e for e in out["decoded"]}
    assert by_address[3]["s16"] == -2 and by_address[3]["hex"] == "0xfffe", by_address[3]
    for at in (0, 1, 2, 5):
        check_decoded(by_address[at], (REGISTERS[at], REGISTERS[at + 1]))
    assert "f32" not in by_address[3], by_address[3]

    text = wirepost("read", "line", "-u", "5", "-c", config, "holding", "0x0", "8").stdout
    assert max(map(len, text.splitlines())) <= 80, text
    for part in ("voltage 230.12 V", "level 0.7 m", "0x4869  18537   18537  Hi", "4: exception 2"):
        assert part in text, (part, text)
    print(text)
    assert "    1   0  pump false" in wirepost("read", "meter", "-c", config, "coil", "0", "2").stdout
    assert "no answer" in wirepost("read", "line", "-u", "9", "-c", config, "input", "0", status=1).stderr


def watch(config, slave):
    program = subprocess.Popen([WIREPOST, "read", "meter", "-c", config, "holding", "5", "2", "--watch=100ms"],
                               stdout=subprocess.PIPE, text=True)
    asked = len(slave.asked)
    wait_for(lambda: len(slave.asked) > asked + 2, 20, "the first reads")
    slave.units[5].holding[6] = 4321
    line = ""
    while "4321" not in line:
        line = program.stdout.readline()
        assert line, "watch ended"
    assert re.match(r"\d\d:\d\d:\d\d +6  0x10e1 +4321 +4321$", line.strip()), line
    program.send_signal(signal.SIGINT)
    assert program.wait(10) == 0
    slave.units[5].holding[6] = 8


def writes(config, slave):
    unit = slave.units[5]

    def write(*args, status=0):
        return wirepost("write", "-c", config, *args, status=status)

    out = write("meter", "holding", "5", "65", "--verify").stdout
    assert "holding 5: 7 (0x0007) -> 65 (0x0041)\nverified\n" == out, out
    assert unit.holding[5] == 65
    write("meter", "holding", "5", "--", "-2")
    assert unit.holding[5] == 0xfffe
    write("line", "--unit", "5", "--type", "f32", "--order", "CDAB", "--verify", "holding", "0", "231.5")
    assert (unit.holding[1], unit.holding[0]) == struct.unpack(">2H", struct.pack(">f", 231.5)), unit.holding
    write("meter", "coil", "0", "1", "0", "1")
    assert [unit.coils[i] for i in range(3)] == [1, 0, 1], unit.coils
    write("meter", "coil", "1", "1")
    assert unit.coils[1] and slave.asked[-1][2] == 5, slave.asked[-1]
    write("meter", "holding", "5", "9", "--fc", "16")
    assert unit.holding[5] == 9 and slave.asked[-1][2] == 16, slave.asked[-1]
    last = json.loads(write("meter", "holding", "5", "7", "--json", "--verify").stdout)
    assert (last["status"], last["result"], last["old"], last["new"]) == ("done", "verified", [9], [7]), last

    before = dict(unit.holding)
    refusals = {
        ("meter", "holding", "4", "1"): "unit 5: exception 2 (illegal data address)",
        ("line", "-u", "9", "holding", "0", "1"): "unit 9: no answer; it may have been written or not",
        ("meter", "holding", "5", "65536"): "'65536' is not -32768 to 65535",
        ("meter", "holding", "5", "70000", "--type", "u16"): "'70000' is no u16",
        ("meter", "holding", "5", "x", "--type", "f32"): "'x' is no f32",
        ("meter", "coil", "1", "2"): "'2' is not 0 or 1",
        ("line", "holding", "5", "1"): "which unit? --unit says it",
        ("metr", "holding", "5", "1"): "there is no bus or device 'metr'; did you mean 'meter'?",
        ("meter", "holding", "5", "1", "2", "--fc", "6"): "function 6 does not write 2",
    }
    for args, why in refusals.items():
        done = write(*args, status=1)
        assert why in done.stderr, (args, done.stderr)
        print("%s: %s" % (" ".join(args), done.stderr.strip()))
    assert unit.holding == before, (before, unit.holding)
    unit.stuck = True
    done = write("meter", "holding", "5", "77", "--verify", status=1)
    assert "unit 5 has 0x0007 at 5, not 0x004d" in done.stderr, done.stderr
    unit.stuck = False


def tags(config, slave, gateway_runs):
    """write DEVICE TAG VALUE goes the way of every write to that tag: scaled, limited, verified."""
    def write(*args, status=0):
        return wirepost("write", "-c", config, *args, status=status)

    if not gateway_runs:
        done = write("meter", "level", "1", status=1)
        assert "tags are written by the gateway, which does not run" in done.stderr, done.stderr
        return
    out = write("meter", "level", "3.5").stdout
    assert out == "meter level: 0.7 -> 3.5 m\nverified\n", out
    assert slave.units[5].holding[5] == 35
    last = json.loads(write("meter", "level", "4", "--json").stdout)
    assert (last["status"], last["result"], last["device"]) == ("done", "verified", "meter"), last
    assert slave.units[5].holding[5] == 40
    for args, why in ((("meter", "level", "51"), "meter level: rejected, out_of_range"),
                      (("meter", "level", "high"), "meter level: rejected, bad_value"),
                      (("meter", "voltage", "1"), "meter voltage: rejected, read_only"),
                      (("meter", "levl", "1"), "'meter' has no tag 'levl'; did you mean 'level'?"),
                      (("line", "level", "1"), "'line' is a bus")):
        done = write(*args, status=1)
        assert why in done.stderr, (args, done.stderr)
        print("%s: %s" % (" ".join(args), done.stderr.strip()))
    assert slave.units[5].holding[5] == 40
    slave.units[5].stuck = True
    done = write("meter", "level", "5", status=1)
    assert "meter level: failed, mismatch" in done.stderr, done.stderr
    slave.units[5].stuck = False


def main():
    slaves = {5: Unit(holding=dict(REGISTERS), coils={0: False, 1: False, 2: False})}
    with Workplace() as w, PtySlave(slaves, baud=19200) as slave:
        config = w.write("a.yaml", CONFIG.format(folder=w.folder, port=free_port(), device=slave.path))
        for way in ("directly", "through the gateway"):
            print("--- %s" % way)
            reads(config, slave)
            watch(config, slave)
            writes(config, slave)
            tags(config, slave, way != "directly")
            slave.units[5] = Unit(holding=dict(REGISTERS), coils={0: False, 1: False, 2: False})
            if way == "directly":
                gateway = w.start([WIREPOST, "run", "-c", config], ready="line: up")
        done = wirepost("read", "--port", slave.path, "-u", "5", "holding", "0", status=1)
        assert re.search(r"process %d, wirepost, has it" % gateway.process.pid, done.stderr), done.stderr
        print(done.stderr.strip())
        gateway.stop()


main()
