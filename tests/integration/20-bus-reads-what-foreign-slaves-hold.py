"""Does a bus read what slaves of another project hold, over RTU, ASCII and TCP?

pymodbus serves two units, on serial lines and on a TCP port. Every table,
type and byte order is read; the expected values are computed here, from the
registers, by Python's struct.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import Buses, NullModem
from programs import Workplace, free_port
from pymodbus_slave import SPECIAL

TAGS = """
        tags:
          - {name: h-first, table: holding, address: 0, type: u16}
          - {name: h-scaled, table: holding, address: 10, type: u16, scale: 0.1, offset: -40}
          - {name: h-far, table: holding, address: 40, type: s16}
          - {name: h-last, table: holding, address: 99, type: u16}
          - {name: i-u16, table: input, address: 5, type: u16}
          - {name: i-u32, table: input, address: 6, type: u32}
          - {name: coil-odd, table: coil, address: 3}
          - {name: coil-even, table: coil, address: 98}
          - {name: disc-odd, table: discrete, address: 17}
          - {name: disc-even, table: discrete, address: 0}
          - {name: beyond, table: holding, address: 120, type: u16}
"""
ORDERS = {"ABCD": (0, 1, 2, 3), "CDAB": (2, 3, 0, 1), "BADC": (1, 0, 3, 2), "DCBA": (3, 2, 1, 0)}
FORMATS = {"u16": ">H", "s16": ">h", "u32": ">I", "s32": ">i", "f32": ">f"}
SIXTEEN = (60, 61)      # addresses of 16-bit values in SPECIAL
THIRTY_TWO = (62, 64, 66)

CONFIG = """
gateway: {{id: test}}
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {device}, baud: 9600}}
    devices:
      - name: rtu-1
        unit: 1
        poll: 500ms
{tags}
      - {{name: rtu-7, unit: 7, poll: 500ms, tags: [{{name: i, table: input, address: 9, type: u16}}]}}
      - {{name: rtu-8, unit: 8, poll: 500ms, tags: [{{name: i, table: input, address: 9, type: u16}}]}}
  - name: words
    type: modbus-ascii
    port: {{device: {ascii_device}, baud: 9600, data_bits: 7, parity: even}}
    devices:
      - name: ascii-1
        unit: 1
        poll: 500ms
{tags}
      - {{name: ascii-7, unit: 7, poll: 500ms, tags: [{{name: i, table: input, address: 9, type: u16}}]}}
  - name: net
    type: modbus-tcp
    host: 127.0.0.1
    port: {port}
    devices:
      - name: tcp-1
        unit: 1
        poll: 500ms
{tags}
      - {{name: tcp-7, unit: 7, poll: 500ms, tags: [{{name: i, table: input, address: 9, type: u16}}]}}
"""


def ordered_tags():
    """(type, order, address) of every combination."""
    for kind in FORMATS:
        for order in ORDERS:
            for address in SIXTEEN if kind.endswith("16") else THIRTY_TWO:
                yield kind, order, address


def tag_name(kind, order, address):
    return "%s-%s-%d" % (kind, order.lower(), address)


def expected(kind, order, address):
    size = struct.calcsize(FORMATS[kind])
    wire = struct.pack(">2H", *(SPECIAL + [0])[address - 60:address - 58])
    if size == 2:
        wire = wire[:2]
        swap = order in ("BADC", "DCBA")
        return struct.unpack(FORMATS[kind], wire[::-1] if swap else wire)[0]
    value = [0] * 4
    for place, letter in enumerate(order):
        value["ABCD".index(letter)] = wire[place]
    return struct.unpack(FORMATS[kind], bytes(value))[0]


def same(got, want):
    if isinstance(want, float):
        if want != want or want in (float("inf"), float("-inf")):
            return got == "!nan"
        return not got.startswith("!") and struct.pack(">f", float(got)) == struct.pack(">f", want)
    return got == str(want)


def check(buses, name):
    plain = {"h-first": "1000", "h-scaled": "61", "h-far": "1040", "h-last": "1099", "i-u16": "2005",
             "i-u32": str(2006 << 16 | 2007), "coil-odd": "true", "coil-even": "false", "disc-odd": "false",
             "disc-even": "true", "beyond": "!exception:2"}
    for tag, value in plain.items():
        buses.wait(name, tag, value)
    for kind, order, address in ordered_tags():
        got, want = buses.latest(name, tag_name(kind, order, address)), expected(kind, order, address)
        assert same(got, want), (kind, order, address, got, want)
    return len(plain) + len(list(ordered_tags()))


def main():
    tags = TAGS + "".join(
        "          - {name: %s, table: holding, address: %d, type: %s, order: %s}\n"
        % (tag_name(kind, order, address), address, kind, order) for kind, order, address in ordered_tags())
    slave = os.path.join(os.path.dirname(__file__), "lib/pymodbus_slave.py")
    with Workplace() as w:
        modem, second_modem, port = NullModem(), NullModem(), free_port()
        w.start(["/usr/bin/python3", slave, "rtu", modem.a], ready="ready")
        w.start(["/usr/bin/python3", slave, "ascii", second_modem.a], ready="ready")
        w.start(["/usr/bin/python3", slave, "tcp", str(port)], port=port)
        buses = Buses(w, w.write("bus.yaml", CONFIG.format(device=modem.b, ascii_device=second_modem.b, port=port, tags=tags)))
        for name in "rtu-1", "ascii-1", "tcp-1":
            print("%s: %d values as expected" % (name, check(buses, name)))
        for name in "rtu-7", "ascii-7", "tcp-7":
            buses.wait(name, "i", "2009")
        buses.wait("rtu-8", "i", "!timeout")  # nobody has this unit id
        assert buses.state("line") == "up" and buses.state("net") == "up"
        buses.stop()


main()
