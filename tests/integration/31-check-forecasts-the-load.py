#!/usr/bin/python3
"""Does `wirepost check` forecast how busy a line will be, and say so when it is more than the line carries?

The same configuration is checked and then run against simulated devices on a
line as slow as its baud rate: the load measured must be near the one forecast.
"""
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port

CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
broker:
  sys_interval: 3s
  listeners: [{{port: {port}}}]
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {folder}/line, baud: {baud}}}
    poll: {poll}
    max_gap: 100
    devices:
      - {{name: a, unit: 1, tags: [
          {{name: first, table: holding, address: 0, type: u16}}, {{name: last, table: holding, address: 59, type: u16}}]}}
      - {{name: b, unit: 2, tags: [
          {{name: level, table: input, address: 7, type: f32}}, {{name: pump, table: coil, address: 3}}]}}
"""
TOLERANCE = 15  # points: the simulator shares its machine with others
ATTEMPTS = 4


def config(w, baud, poll):
    port = free_port()
    return port, w.write("site.yaml", CONFIG.format(folder=w.folder, port=port, baud=baud, poll=poll))


def check(path, *options):
    done = subprocess.run([WIREPOST, "check", "-c", path, *options], capture_output=True, text=True, timeout=30)
    print(done.stdout, end="")
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def forecast(out):
    return int(re.search(r"^bus line: (\d+) % of the line at these periods$", out, re.M).group(1))


def the_plan_shows_each_request(w):
    _, path = config(w, 9600, "400ms")
    out = check(path, "--plan")
    # 133, 17 and 14 characters of 10 bits, and twice 3.5 of 11 bits
    assert re.search(r"^  a \(unit 1\): 1 request\n"
                     r"    holding +0 to 59 +60 registers +2 tags +every 400ms +146\.6 ms\n"
                     r"  b \(unit 2\): 2 requests\n"
                     r"    coil +3 to 3 +1 bit +1 tag +every 400ms +22\.6 ms\n"
                     r"    input +7 to 8 +2 registers +1 tag +every 400ms +25\.7 ms$", out, re.M), out
    assert forecast(out) == 49
    assert "holding" not in check(path), "only --plan shows the requests"


def a_full_line_is_mentioned(w):
    out = check(config(w, 9600, "220ms")[1])
    assert "bus line: 89 % of the line at these periods; above 80 % repeats make tags late\n" in out
    assert "warning" not in out


def more_than_the_line_carries_is_a_warning_of_check_and_run(w):
    port, path = config(w, 9600, "150ms")
    warning = (path + ":7:5: warning: bus line: 130 % of the line at these periods: "
               "tags polled every 150ms will come every 195ms; "
               "raise baud to 19200, or poll none more often than every 300ms\n")
    assert check(path).startswith(warning + "0 errors, 1 warning\n")
    gateway = w.start([WIREPOST, "run", "-c", path], port=port)
    assert warning in gateway.log(), gateway.log()
    gateway.stop()


def measured(watcher, seconds=30):
    """The loads published within one interval after another, while all devices answer."""
    end = time.monotonic() + seconds
    seen = []
    while time.monotonic() < end:
        states = watcher.json("$SYS/wirepost/bus/line")
        seen = [s for s in states if s["state"] == "up" and s["load"] is not None]
        if len(seen) > ATTEMPTS:
            break
        time.sleep(0.2)
    return [s["load"] for s in seen]


def the_load_measured_is_near_the_forecast(w):
    port, path = config(w, 9600, "400ms")
    want = forecast(check(path))
    simulator = w.start([WIREPOST, "simulate", "--pace", path], ready="ready")
    gateway = w.start([WIREPOST, "run", "-c", path], port=port)
    watcher = Watcher(port, "$SYS/wirepost/bus/#")
    loads = measured(watcher)
    first = watcher.json("$SYS/wirepost/bus/line")[0]
    print("forecast %d %%, measured %s" % (want, loads), json.dumps(first))
    assert all(0 <= load <= 100 for load in loads), loads
    assert any(abs(load - want) <= TOLERANCE for load in loads), (want, loads)
    watcher.done = True
    gateway.stop()
    simulator.stop()


with Workplace() as w:
    for test in (the_plan_shows_each_request, a_full_line_is_mentioned,
                 more_than_the_line_carries_is_a_warning_of_check_and_run, the_load_measured_is_near_the_forecast):
        test(w)
        print("ok: " + test.__name__.replace("_", " "), flush=True)
