"""Does each request to write get the results it should, and the device what was asked and nothing else?

The table below is printed with what was seen: accepted first, then written and verified, or rejected, expired,
failed with a code.
"""
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for
from writable_slave import TcpSlave
from writes import Requester

CONFIG = """
gateway: {{id: g, data_dir: {folder}/data}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: net
    type: modbus-tcp
    host: 127.0.0.1
    port: {slave}
    timeout: 200ms
    retries: 0
    fail_time: 500ms
    max_commands: 6
    devices:
      - name: press
        unit: 1
        poll: 200ms
        tags:
          - {{name: level, table: holding, address: 0, type: u16, scale: 0.1, write: {{min: 0, max: 100}}}}
          - {{name: speed, table: holding, address: 1, type: s16, write: true}}
          - {{name: big, table: holding, address: 2, type: u64, write: true}}
          - {{name: mode, table: holding, address: 6, type: u16, enum: {{0: idle, 1: run, 5: service}}, write: true}}
          - {{name: flag, table: holding, address: 7, bit: 3, write: true}}
          - {{name: field, table: holding, address: 8, bits: {{offset: 4, count: 2}}, write: {{fc: 22}}}}
          - {{name: ratio, table: holding, address: 10, type: f32, order: CDAB, write: {{fc: 23}}}}
          - {{name: label, table: holding, address: 12, type: string, length: 3, write: true}}
          - {{name: single, table: holding, address: 20, type: u16, write: {{fc: 16}}}}
          - {{name: shown, table: input, address: 21, type: u16}}
          - {{name: locked, table: holding, address: 22, type: u16}}
          - {{name: sure, table: holding, address: 23, type: u16, sentinel: [0xffff], range: [0, 1000], write: {{verify: true}}}}
          - {{name: stuck, table: holding, address: 30, type: u16, write: {{verify: true}}}}
          - {{name: refused, table: holding, address: 31, type: u16, write: true}}
          - {{name: mute, table: holding, address: 32, type: u16, write: true}}
          - {{name: slow, table: holding, address: 33, type: u16, write: true}}
          - {{name: pump, table: coil, address: 3, write: true}}
          - {{name: valve, table: coil, address: 4, write: {{fc: 15, verify: true}}}}
        actions:
          - {{name: reset_energy, pdu: "42"}}
          - {{name: toggle, pdu: "05 0009 5500"}}
          - {{name: unheard_of, pdu: "41"}}
      - name: gone
        unit: 9
        poll: 200ms
        timeout: 50ms
        tags: [{{name: level, table: holding, address: 0, type: u16, write: true}}]
"""

# (what, request, results, PDUs that change something)
W = lambda *values: struct.pack(">%dH" % len(values), *values)
CASES = [
    ("scaled", {"level": 21.4}, ["accepted", "written"], [b"\x06" + W(0, 214)]),
    ("as text", {"level": "3.5"}, ["accepted", "written"], [b"\x06" + W(0, 35)]),
    ("negative", {"speed": -5}, ["accepted", "written"], [b"\x06" + W(1, 0xFFFB)]),
    ("64 bits as text", {"big": "18446744073709551615"}, ["accepted", "written"],
     [b"\x10" + W(2, 4) + b"\x08" + W(0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF)]),
    ("64 bits beyond 2^53", {"big": "9007199254740993"}, ["accepted", "written"],
     [b"\x10" + W(2, 4) + b"\x08" + W(0x20, 0, 0, 1)]),
    ("a word", {"mode": "service"}, ["accepted", "written"], [b"\x06" + W(6, 5)]),
    ("a word's number", {"mode": 1}, ["accepted", "written"], [b"\x06" + W(6, 1)]),
    ("one bit", {"flag": True}, ["accepted", "written"], [b"\x06" + W(7, 0xF00F | 8)]),
    ("bits by mask", {"field": 2}, ["accepted", "written"], [b"\x16" + W(8, 0xFFCF, 0x0020)]),
    ("function 23", {"ratio": 1.5}, ["accepted", "written"], [b"\x17" + W(10, 2, 10, 2) + b"\x04" + W(0, 0x3FC0)]),
    ("a string", {"label": "abcde"}, ["accepted", "written"], [b"\x10" + W(12, 3) + b"\x06" + b"abcde\0"]),
    ("function 16", {"single": 7}, ["accepted", "written"], [b"\x10" + W(20, 1) + b"\x02" + W(7)]),
    ("a coil", {"pump": True}, ["accepted", "written"], [b"\x05" + W(3, 0xFF00)]),
    ("function 15, verified", {"valve": True}, ["accepted", "written", "verified"], [b"\x0f" + W(4, 1) + b"\x01\x01"]),
    ("verified as the tag says", {"sure": 77}, ["accepted", "written", "verified"], [b"\x06" + W(23, 77)]),
    ("verified as asked", {"speed": 6, "verify": True}, ["accepted", "written", "verified"], [b"\x06" + W(1, 6)]),
    ("not verified as asked", {"stuck": 9, "verify": False}, ["accepted", "written"], [b"\x06" + W(30, 9)]),
    ("two tags", {"level": 1, "pump": False}, ["accepted", "written"], [b"\x06" + W(0, 10), b"\x05" + W(3, 0)]),
    ("mismatch", {"stuck": 8}, ["accepted", "written", "failed mismatch"], [b"\x06" + W(30, 8)]),
    ("exception", {"refused": 1}, ["accepted", "failed exception:4"], [b"\x06" + W(31, 1)]),
    ("timeout", {"mute": 1}, ["accepted", "failed timeout"], [b"\x06" + W(32, 1)]),
    ("one fails, the next is left", {"refused": 1, "speed": 99}, ["accepted", "failed exception:4"], [b"\x06" + W(31, 1)]),
    ("not a number", {"level": "much"}, ["rejected bad_value"], []),
    ("not a value", {"level": None}, ["rejected bad_value"], []),
    ("a list", {"level": [1]}, ["rejected bad_value"], []),
    ("not a bool", {"pump": 2}, ["rejected bad_value"], []),
    ("not a word", {"mode": "walk"}, ["rejected bad_value"], []),
    ("a number without word", {"mode": 3}, ["rejected bad_value"], []),
    ("infinite", {"ratio": "inf"}, ["rejected bad_value"], []),
    ("above max", {"level": 100.1}, ["rejected out_of_range"], []),
    ("below min", {"level": -0.1}, ["rejected out_of_range"], []),
    ("beyond the type", {"speed": 32768}, ["rejected out_of_range"], []),
    ("beyond 64 bits", {"big": "18446744073709551616"}, ["rejected out_of_range"], []),
    ("beyond the bits", {"field": 4}, ["rejected out_of_range"], []),
    ("beyond f32", {"ratio": "1e39"}, ["rejected out_of_range"], []),
    ("too long", {"label": "abcdefg"}, ["rejected out_of_range"], []),
    ("a sentinel", {"sure": 65535}, ["rejected out_of_range"], []),
    ("beyond range", {"sure": 1001}, ["rejected out_of_range"], []),
    ("an input register", {"shown": 1}, ["rejected read_only"], []),
    ("not writable", {"locked": 1}, ["rejected read_only"], []),
    ("unknown tag", {"lever": 1}, ["rejected unknown_tag"], []),
    ("one bad tag of two", {"level": 5, "speed": "x"}, ["rejected bad_value"], []),
    ("no tag", {}, ["rejected bad_value"], []),
]


def run_cases(r, slave):
    for n, (what, values, wanted, pdus) in enumerate(CASES):
        values = dict(values)
        more = {"verify": values.pop("verify")} if "verify" in values else {}
        slave.registers[7], before = 0xF007, len(slave.written())
        id = "case-%d" % n
        r.ask("press", values, id=id, **more)
        seen = r.wait(id, wanted[-1].split()[0])
        print("%-28s %s" % (what, " -> ".join(seen)))
        assert seen == wanted, "%s: wanted %s, got %s" % (what, wanted, seen)
        assert slave.written()[before:] == pdus, "%s: %s" % (what, [p.hex() for p in slave.written()[before:]])
    assert [d["v"] for d in r.results["case-0"]] == [{"level": 21.4}] * 2, r.results["case-0"]
    assert r.results["case-3"][0]["v"] == {"big": "18446744073709551615"}
    assert r.results["case-5"][0]["v"] == {"mode": "service"}
    assert r.results["case-22"][0]["tag"] == "level", r.results["case-22"]


def plain_requests(r, slave):
    for tag, payload, wanted in (("level", "12.5", "written"), ("pump", "true", "written"), ("level", "x", "rejected"),
                                 ("level", "", "rejected"), ("nothing", "1", "rejected")):
        r.newest = None
        r.set("press", tag, payload)
        wait_for(lambda: r.receive(0.1) or r.newest, 10, "a result")
        print("plain %s = %r: %s" % (tag, payload, r.wait(r.newest, wanted)))
    assert slave.registers[0] == 125 and slave.coils[3] == 1


def not_json(r):
    for payload in (b"", b"7", b"{", b"{}", b'{"v":3}', b'{"v":{"level":1},"verify":1}', b'{"v":{"level":1},"expires_ms":0}',
                    b'{"v":{"level":1,"level":2}}', b'{"v":{"level":1}} x', b'{"v":{"level":"\xff"}}', b'{"id":{},"v":{"level":1}}',
                    b'{"v":{"big":9007199254740993123}}'):
        r.newest = None
        r.send(r.topic("press/set"), payload)
        wait_for(lambda: r.receive(0.1) or r.newest, 10, "a result")
        assert r.statuses(r.newest) == ["rejected bad_value"], (payload, r.statuses(r.newest))
    print("%-28s %s" % ("12 that are no requests", "each rejected bad_value"))


def retained_and_duplicate(r, slave, port):
    before = len(slave.written())
    r.ask("press", {"level": 50}, id="kept", retain=True)
    assert r.wait("kept", "rejected") == ["rejected retained"]
    late = Watcher(port, "wp/g/d/+/set")
    late.subscribed.wait(10)
    r.ask("press", {"level": 51}, id="twice")
    assert r.wait("twice", "written") == ["accepted", "written"]
    r.ask("press", {"level": 52}, id="twice")
    assert r.wait("twice", "rejected") == ["accepted", "written", "rejected duplicate"]
    r.ask("press", {"level": 53}, id=7)
    assert r.wait(7, "written") == ["accepted", "written"]
    late.wait("wp/g/d/press/set", lambda payload: b"53" in payload)
    assert [p for t, p in late.messages if b'"kept"' in p] == [], "it was retained"
    assert slave.written()[before:] == [b"\x06" + W(0, 510), b"\x06" + W(0, 530)]
    r.ask("nobody", {"level": 1}, id="who")
    print("retained, duplicate, nobody: %s %s %s" % (r.statuses("kept"), r.statuses("twice"), r.wait("who", "rejected")))


def waiting_requests(r, slave):
    """While the bus is held by a slow device."""
    slave.odd[33], slave.slowness = slave.slow, 0.15
    r.ask("press", {"slow": 1}, id="hold")
    r.ask("press", {"level": 60}, id="old")
    r.ask("press", {"speed": 61, "level": 61}, id="newer")
    r.ask("press", {"pump": False}, id="late", expires_ms=20)
    assert r.wait("old", "failed") == ["accepted", "failed superseded"]
    assert r.wait("newer", "written") == ["accepted", "written"]
    assert r.wait("late", "expired") == ["accepted", "expired expired"]
    assert slave.registers[0] == 610 and slave.coils[3] == 1

    r.ask("press", {"slow": 1}, id="hold2")
    tags = ["level", "speed", "single", "sure", "ratio", "pump", "valve", "field", "label"]
    for n, tag in enumerate(tags):
        r.ask("press", {tag: "1" if tag != "pump" else True}, id="q%d" % n)
    r.wait("hold2", "written")
    seen = [r.wait("q%d" % n, "rejected" if r.statuses("q%d" % n) == ["rejected busy"] else "written")[-1] for n in range(len(tags))]
    assert "rejected busy" in seen and seen[0] in ("written", "verified"), seen
    print("superseded, expired, busy: %s %s %s" % (r.statuses("old"), r.statuses("late"), seen))


def responses(r):
    r.ask("press", {"speed": 3}, id="resp", response_topic="reply/me", correlation_data=b"\x01\x02")
    r.wait("resp", "written")
    wait_for(lambda: len(r.other) >= 2 or r.receive(0.1), 10, "the responses")
    for p in r.other:
        assert p.topic == "reply/me" and p.props["correlation_data"] == b"\x01\x02", p
    print("%-28s %d results at the response topic, with correlation data" % ("response topic", len(r.other)))


def dead_device(r, watcher):
    watcher.wait("wp/g/d/gone/availability", "offline")
    started = time.monotonic()
    r.ask("gone", {"level": 1}, id="dead")
    print("%-28s %s in %.0f ms" % ("dead", r.wait("dead", "failed"), 1000 * (time.monotonic() - started)))
    assert r.statuses("dead") == ["accepted", "failed device_offline"]


def actions(r, slave):
    slave.registers[40:42] = [1, 2]
    for name, wanted in (("reset_energy", "written"), ("toggle", "written"), ("toggle", "written"), ("unheard_of", "failed"),
                         ("nothing", "rejected")):
        r.newest = None
        r.send(r.topic("press/action/%s/set" % name), "1")
        wait_for(lambda: r.receive(0.1) or r.newest, 10, "a result")
        print("action %-21s %s" % (name, " -> ".join(r.wait(r.newest, wanted))))
    assert slave.registers[40:42] == [0, 0]
    assert slave.written()[-4:] == [b"\x42", b"\x05\0\x09\x55\0", b"\x05\0\x09\x55\0", b"\x41"] and slave.coils[9] == 0


def main():
    slave = TcpSlave()
    slave.odd.update({30: slave.ignore, 31: slave.refuse, 32: slave.silent})
    with Workplace() as w:
        port = free_port()
        config = w.write("g.yaml", CONFIG.format(folder=w.folder, port=port, slave=slave.port))
        gateway = w.start([WIREPOST, "run", "-c", config], port=port)
        watcher = Watcher(port, "wp/g/#")
        watcher.wait("wp/g/d/press/v/level", "0")
        with Requester(port, "g") as r:
            run_cases(r, slave)
            plain_requests(r, slave)
            not_json(r)
            retained_and_duplicate(r, slave, port)
            waiting_requests(r, slave)
            responses(r)
            dead_device(r, watcher)
            actions(r, slave)
        gateway.stop()


main()
