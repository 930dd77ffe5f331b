"""Does polling go on while a line is scanned, and does a scan end when it is told to?

A line that polling alone keeps busy all the time: what is polled in a second before a scan and during it is
compared. Then Ctrl-C, a second scan of the same line, and a client that dies.
"""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from programs import WIREPOST, Workplace, free_port, wait_for
from pty_slave import PtySlave, Unit

DELAY = 0.02
SECONDS = 5
CONFIG = """
gateway: {{id: test, data_dir: {folder}/data}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {device}, baud: 19200}}
    timeout: 500ms
    devices:
      - {{name: a, unit: 3, poll: 20ms, tags: [{{name: x, table: holding, address: 10, type: u16}}, {{name: y, table: input, address: 10, type: u16}}]}}
      - {{name: b, unit: 4, poll: 20ms, tags: [{{name: x, table: holding, address: 10, type: u16}}, {{name: y, table: input, address: 10, type: u16}}]}}
"""
POLLED = 10      # the address that only polls ask


def polls(slave):
    return sum(1 for r in list(slave.asked) if r[3] == POLLED)


def rate(slave, seconds):
    before, begin = polls(slave), time.monotonic()
    time.sleep(seconds)
    return (polls(slave) - before) / (time.monotonic() - begin)


def start_scan(config, *args):
    return subprocess.Popen([WIREPOST, "scan", "line", "-c", config, "--json", *args], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def scanned(slave):
    """Questions of scans: what nobody polls."""
    return sum(1 for r in list(slave.asked) if r[3] != POLLED)


def shares_the_line(config, slave):
    """Once of three times is enough: something else may begin on this machine just between the two measurements."""
    for _ in range(3):
        alone, before = rate(slave, SECONDS), scanned(slave)
        scan = start_scan(config, "--units", "1-247")
        wait_for(lambda: scanned(slave) > before + 3, 20, "the scan to begin")
        during = rate(slave, SECONDS)
        print("polls a second: %.1f alone, %.1f during a scan: %.0f %%" % (alone, during, 100 * during / alone))
        assert scan.poll() is None, scan.communicate()
        if during >= 0.6 * alone:
            return scan
        scan.send_signal(signal.SIGINT)
        scan.communicate(timeout=30)
    raise AssertionError("a scan takes more than its share")


def refuses_a_second(config):
    second = start_scan(config, "--units", "1-3")
    out, err = second.communicate(timeout=30)
    assert second.returncode == 1 and "bus line is being scanned already" in err, (second.returncode, out, err)
    assert events(out)[-1]["code"] == "busy", out


def ends_with_what_it_has(slave, scan):
    scan.send_signal(signal.SIGINT)
    out, err = scan.communicate(timeout=30)
    told = events(out)
    last = told[-1]
    assert scan.returncode == 0, (scan.returncode, err)
    assert last["status"] == "cancelled" and [u["unit"] for u in last["units"]] == [3, 4], last
    assert any(e["status"] == "progress" for e in told), told
    assert last["asked"] < 247 * 2, last
    print("cancelled after %d of %d questions, %d found" % (last["asked"], told[0]["questions"], len(last["units"])))


def ends_with_its_client(config, slave):
    scan = start_scan(config)
    before = scanned(slave)
    wait_for(lambda: scanned(slave) > before + 3, 20, "the scan to begin")
    scan.kill()
    scan.communicate()

    def is_free():
        again = start_scan(config, "--units", "3", "--no-match")
        out, _ = again.communicate(timeout=30)
        return events(out)[-1]["status"] == "done"
    wait_for(is_free, 20, "the scan of the dead client to end")


def finds_another_speed(config, slave):
    """The line is set to another speed for single requests, between polls that go on at their own."""
    scan = start_scan(config, "--units", "4-11", "--baud", "9600,19200", "--no-match", "--yes", "--timeout", "50ms")
    before = polls(slave)
    out, err = scan.communicate(timeout=90)
    found = {u["unit"]: u["baud"] for u in events(out)[-1]["units"]}
    assert found == {4: 19200, 9: 9600}, (found, err)
    assert polls(slave) - before > 20, (polls(slave), before)
    print("units by speed: %s; polls meanwhile: %d" % (found, polls(slave) - before))


def main():
    slaves = {n: Unit(holding={POLLED: 1}, input={POLLED: 2}, delay=DELAY) for n in (3, 4)}
    slaves[9] = Unit(holding={0: 1}, baud=9600)
    with Workplace() as w, PtySlave(slaves, baud=19200) as slave:
        config = w.write("a.yaml", CONFIG.format(folder=w.folder, port=free_port(), device=slave.path))
        gateway = w.start([WIREPOST, "run", "-c", config], ready="line: up")
        scan = shares_the_line(config, slave)
        refuses_a_second(config)
        ends_with_what_it_has(slave, scan)
        ends_with_its_client(config, slave)
        finds_another_speed(config, slave)

        scan = start_scan(config)
        before = scanned(slave)
        wait_for(lambda: scanned(slave) > before + 3, 20, "the scan to begin")
        gateway.stop()          # in the middle of it
        out, err = scan.communicate(timeout=30)
        assert scan.returncode == 1, (scan.returncode, out, err)
        print("the gateway stopped: %s" % err.strip())


main()
