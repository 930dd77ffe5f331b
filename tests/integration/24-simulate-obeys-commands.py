"""Does the simulator do as it is told while two buses read it?

Every command, right and wrong, on the socket and on standard input; what was
set is read, and without anything set the values move. It also runs
under the thread sanitizer.
"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import Buses, control
from programs import WIREPOST, Workplace, free_port, wait_for

CONFIG = """
gateway: {{id: test}}
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {folder}/line, baud: 115200, parity: even, stop_bits: 2}}
    timeout: 300ms
    devices:
      - {{name: a, unit: 1, poll: 50ms, tags: [{{name: v, table: input, address: 0, type: f32}}, {{name: w, table: coil, address: 9}}]}}
      - {{name: b, unit: 2, poll: 50ms, tags: [{{name: v, table: holding, address: 0, type: s32, order: DCBA}}]}}
  - name: net
    type: modbus-tcp
    host: 127.0.0.1
    port: {port}
    timeout: 300ms
    devices:
      - {{name: c, unit: 1, poll: 50ms, tags: [{{name: v, table: input, address: 0, type: u16, scale: 0.5}}]}}
      - {{name: d, unit: 2, poll: 50ms, tags: [{{name: v, table: discrete, address: 0}}]}}
"""


def main():
    with Workplace() as w:
        config = w.write("bus.yaml", CONFIG.format(folder=w.folder, port=free_port()))
        simulator = w.start([WIREPOST, "simulate", "--seed", "7", "--control", w.path("control"), config], ready="ready",
                            stdin=subprocess.PIPE)
        buses = Buses(w, config)
        say = lambda line: control(w.path("control"), line)

        wait_for(lambda: len(set(buses.readings("a", "v"))) > 3, 15, "values to move")
        assert say("freeze") == "ok"
        time.sleep(0.5)
        for device in "abcd":
            buses.wait(device, "v", say("get %s v" % device))
        for line, value in (("set a v 1.5", "1.5"), ("set a w 1", "true"), ("set b v -70000", "-70000"),
                            ("set c v 12.5", "12.5"), ("set d v true", "true")):
            assert say(line) == "ok"
            _, device, tag, _ = line.split()
            assert say("get %s %s" % (device, tag)) == value
            buses.wait(device, tag, value)
        for line in ("", "hello", "get a", "get a x", "get z v", "set a v", "set a v many", "set a v 1 2", "fault a",
                     "fault a delay", "fault a delay x", "fault a delay 999999999", "fault a silent 3", "fault z off"):
            assert say(line).startswith("error: "), line
        for device, fault, reason in (("a", "crc", "!crc"), ("c", "crc", "!bad_reply"), ("b", "exception 6", "!exception:6"),
                                      ("d", "silent", "!timeout"), ("a", "delay 1500", "!timeout")):
            assert say("fault %s %s" % (device, fault)) == "ok"
            buses.wait(device, "v", reason)
            assert say("fault %s off" % device) == "ok"
        for device, value in (("a", "1.5"), ("b", "-70000"), ("c", "12.5"), ("d", "true")):
            buses.wait(device, "v", value)

        simulator.process.stdin.write(b"thaw\nget a v\n")
        simulator.process.stdin.close()
        simulator.wait_for_log("ok\n[0-9.]+\n")
        wait_for(lambda: buses.latest("a", "v") != "1.5", 15, "values to move again")
        buses.stop()
        again = Buses(w, config)  # on the same line
        for device in "abcd":
            wait_for(lambda: again.health(device) == "up", 15, "%s to be up" % device)
        again.stop()
        simulator.stop()
        assert "Sanitizer" not in simulator.log() + buses.program.log() + again.program.log()


main()
