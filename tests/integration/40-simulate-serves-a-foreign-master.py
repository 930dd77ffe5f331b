"""Can a master of another project, mbpoll, read and write what `wirepost simulate` serves, on a pty and over TCP?

Every table is read; registers and coils are written, singly and several at once;
what nobody has is refused.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import control
from programs import WIREPOST, Workplace, free_port, wait_for_port

TAGS = """
        tags:
          - {name: level, table: holding, address: 10, type: u16}
          - {name: flow, table: holding, address: 11, type: s16, scale: 0.1}
          - {name: total, table: holding, address: 12, type: u32}
          - {name: temp, table: input, address: 5, type: s16, scale: 0.1}
          - {name: force, table: input, address: 6, type: f32}
          - {name: pump, table: coil, address: 7}
          - {name: valve, table: coil, address: 8}
          - {name: door, table: discrete, address: 8}
"""
CONFIG = """
gateway: {{id: test}}
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {device}, baud: 19200, parity: even}}
    devices:
      - name: tank
        unit: 7
{tags}
  - name: net
    type: modbus-tcp
    host: 127.0.0.1
    port: {port}
    devices:
      - name: press
        unit: 7
{tags}
"""
VALUES = {"level": "1010", "flow": "-12.5", "total": "305419896", "temp": "-3.1", "force": "0.5", "pump": "true",
          "valve": "false", "door": "true"}


def main():
    with Workplace() as w:
        device, port = w.path("line"), free_port()
        config = w.write("a.yaml", CONFIG.format(device=device, port=port, tags=TAGS))
        w.start([WIREPOST, "simulate", "--control", w.path("control"), config], ready="ready")
        wait_for_port(port)

        def mbpoll(target, *arguments):
            """mbpoll takes values after the target."""
            r = subprocess.run(["mbpoll", "-0", "-1", "-a", "7", *arguments[0].split(), *target, *arguments[1:]],
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
            return r.stdout + r.stderr

        for name, target in ("tank", ["-m", "rtu", "-b", "19200", "-P", "even", device]), (
                "press", ["-m", "tcp", "-p", str(port), "127.0.0.1"]):
            def expect(pattern, *arguments):
                out = mbpoll(target, *arguments)
                assert re.search(pattern, out), (name, arguments, pattern, out)

            def holds(tag, value):
                got = control(w.path("control"), "get %s %s" % (name, tag))
                assert got == value, (name, tag, got, value)

            for tag, value in VALUES.items():
                assert control(w.path("control"), "set %s %s %s" % (name, tag, value)) == "ok"
            expect(r"\[10\]:\s+1010\n\[11\]:\s+65411", "-r 10 -c 2 -t 4")
            expect(r"\[12\]:\s+305419896\b", "-r 12 -B -t 4:int")
            expect(r"\[5\]:\s+65505\b", "-r 5 -t 3")
            expect(r"\[6\]:\s+0.5\b", "-r 6 -B -t 3:float")
            expect(r"\[7\]:\s+1\n\[8\]:\s+0", "-r 7 -c 2 -t 0")
            expect(r"\[8\]:\s+1\n", "-r 8 -t 1")
            expect("Illegal data address", "-r 150 -t 4")
            expect("Written 1 reference", "-r 10 -t 4", "4321")
            holds("level", "4321")
            expect("Written 2 references", "-r 10 -t 4", "77", "100")
            holds("level", "77")
            holds("flow", "10")
            expect("Written 1 reference", "-r 8 -t 0", "1")
            holds("valve", "true")
            expect("Written 2 references", "-r 7 -t 0", "0", "0")
            holds("pump", "false")
            expect(r"\[10\]:\s+77\b", "-r 10 -t 4")
            print("%s: read and written by mbpoll" % name)


main()
