"""Does each type of value reach clients as the device means it?

Each type, bit field, word, sentinel and range is set in a simulated slave, in
several byte orders, and read by wirepost run; its topic, its JSON and, where there is no
value, the reason are what clients see. Registers are also set in one form and read in another.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Site
from programs import Workplace

CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
broker:
  listeners: [{{port: {port}}}]
buses:
  - name: plc
    type: modbus-tcp
    host: 127.0.0.1
    port: {plc_port}
    timeout: 300ms
    poll: 200ms
    devices:
      - name: tank
        unit: 1
        tags:
          - {{name: level, table: holding, address: 0, type: u16}}
{tags}
"""

ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"]
NUMBERS = {  # type: what to set, each seen as it is
    "u8": ["0", "255"], "s8": ["-128", "127"], "u16": ["65535"], "s16": ["-32768"], "u32": ["4294967295", "16909060"],
    "s32": ["-2147483648"], "u64": ["18446744073709551615", "72623859790382856"], "s64": ["-9223372036854775808", "-2"],
    "f32": ["230.1", "-0.5"], "f64": ["-1234567.89012", "0.1"], "bcd16": ["9876"], "bcd32": ["98765432"],
}
REGISTERS = {"u32": 2, "s32": 2, "f32": 2, "bcd32": 2, "u64": 4, "s64": 4, "f64": 4}

# name, the rest of the tag, [what to set, its topic, its JSON, its reason if it has no value]
OTHERS = [
    ("serial", "address: 200, type: string, length: 8", [
        ("SN-1234 \"A\"", 'SN-1234 "A"', 'SN-1234 "A"', None), ("Grüße °C", "Grüße °C", "Grüße °C", None),
        ("16 of 16 letters", "16 of 16 letters", "16 of 16 letters", None)]),
    ("swapped", "address: 210, type: string, length: 4, order: BA", [("ABCDEFGH", "ABCDEFGH", "ABCDEFGH", None), ("A", "A", "A", None)]),
    ("mode", "address: 220, type: u16, enum: {{0: off, 1: on}}", [
        ("on", "on", "on", None), ("7", "", None, "enum:7"), ("off", "off", "off", None)]),
    ("door", "table: coil, address: 3, enum: {{0: open, 1: closed}}", [
        ("closed", "closed", "closed", None), ("0", "open", "open", None)]),
    ("alarm", "address: 221, bit: 15", [("true", "true", True, None), ("false", "false", False, None)]),
    ("stage", "address: 221, bits: {{offset: 4, count: 3}}", [("5", "5", 5, None), ("0", "0", 0, None)]),
    ("half", "address: 221, bits: {{offset: 0, count: 4}}, scale: 0.5", [("2.5", "2.5", 2.5, None), ("7", "7", 7, None)]),
    ("probe", "address: 222, type: s16, scale: 0.1, sentinel: [0x8000], range: [-40, 125]", [
        ("21.5", "21.5", 21.5, None), ("-3276.8", "", None, "sentinel"), ("125", "125", 125, None),
        ("125.1", "", None, "range"), ("-40", "-40", -40, None)]),
    ("exact", "address: 224, type: f32, precision: 2", [("230.16789", "230.17", 230.17, None), ("-0.001", "0", 0, None)]),
    ("big", "address: 226, type: u64", [
        ("9007199254740992", "9007199254740992", 9007199254740992, None),
        ("9007199254740993", "9007199254740993", "9007199254740993", None)]),
]
# one tag is set, another, in the same registers, is read
FORMS = [
    ("bytes", "address: 300, type: u32", "text", "address: 300, type: string, length: 2", [
        ("1094861636", "ABCD", None), ("4294967295", "", "utf8"), ("0", "", None), ("1092616192", "A", None)]),
    ("nibbles", "address: 302, type: u16", "digits", "address: 302, type: bcd16", [
        ("4660", "1234", None), ("160", "", "bcd"), ("39321", "9999", None)]),
    ("word", "address: 304, type: u32", "float", "address: 304, type: f32", [
        ("1130771251", "230.2", None), ("2143289344", "", "nan"), ("0", "0", None)]),
]


def tag_lines():
    for number, (kind, values) in enumerate(NUMBERS.items()):
        for k, order in enumerate(ORDERS):
            yield "%s_%s" % (kind, order), "address: %d, type: %s, order: %s" % (10 + 16 * number + 4 * k, kind, order)
    for name, rest, _ in OTHERS:
        yield name, rest
    for written, its_form, read, form, _ in FORMS:
        yield written, its_form
        yield read, form


def config_tags():
    for name, rest in tag_lines():
        table = "" if "table:" in rest else "table: holding, "
        yield "          - {{name: %s, %s%s}}" % (name, table, rest)


class Check:
    def __init__(self, site):
        self.site, self.watcher, self.count = site, site.watch("wp/site/d/tank/#"), 0

    def set(self, tag, value):
        got = self.site.control("set tank %s %s" % (tag, value))
        assert got == "ok", (tag, value, got)

    def see(self, tag, text, in_json, reason):
        self.watcher.wait("wp/site/d/tank/v/" + tag, text)
        self.watcher.wait("wp/site/d/tank/json", lambda _: self.in_json(tag) == (in_json, reason))
        self.count += 1
        print("ok   %-11s %-22s json %-24s %s" % (tag, text, json.dumps(in_json, ensure_ascii=False), reason or ""))

    def in_json(self, tag):
        """What the last message that has the tag says of it, and why it says nothing."""
        for m in reversed(self.watcher.json("wp/site/d/tank/json")):
            if tag in m["v"]:
                return m["v"][tag], m["q"].get(tag)
        return None


def expected_json(kind, text):
    number = float(text) if kind.startswith("f") else int(text)
    return text if isinstance(number, int) and abs(number) > 2 ** 53 else number


def main():
    with Workplace() as w:
        site = Site(w, CONFIG.replace("{tags}", "\n".join(config_tags())))
        site.start_simulator()
        assert site.control("freeze") == "ok"
        for tag, _, steps in OTHERS:  # so that the first step is a change
            assert site.control("set tank %s %s" % (tag, steps[-1][0])) == "ok"
        site.start_gateway()
        check = Check(site)
        for kind, values in NUMBERS.items():
            for order in ORDERS:
                for text in values:
                    tag = "%s_%s" % (kind, order)
                    check.set(tag, text)
                    check.see(tag, text, expected_json(kind, text), None)
        for tag, _, steps in OTHERS:
            for value, text, in_json, reason in steps:
                check.set(tag, value)
                assert site.control("get tank " + tag) == (text if reason is None else "!" + reason)
                check.see(tag, text, in_json, reason)
        for written, _, tag, _, steps in FORMS:
            for value, text, reason in steps:
                check.set(written, value)
                in_json = None if reason else text if tag == "text" else float(text)
                check.see(tag, text, in_json, reason)
        devices = json.loads(site_devices(site))
        assert devices["tank"]["tags"]["mode"]["enum"] == ["off", "on"], devices["tank"]["tags"]["mode"]
        assert devices["tank"]["tags"]["serial"]["type"] == "string"
        print("%d values seen as set" % check.count)
        site.gateway.stop()
        site.simulator.stop()


def site_devices(site):
    watcher = site.watch("wp/site/devices")
    watcher.wait("wp/site/devices", lambda payload: payload)
    return watcher.latest["wp/site/devices"]


main()
