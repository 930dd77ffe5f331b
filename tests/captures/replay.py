"""replay - plays a recorded exchange to a bus and compares what it makes of it.

Usage: tests/captures/replay.py CASE.cap        $WATCH_BUSES is the program that runs the bus

A .cap file is what a slave saw and did, one step a line (hexadecimal, checksum included):

    > 01 04 00 00 00 02 71 cb     the bus must ask exactly this
    < 01 04 04 43 66 33 33 ...    then this is answered
    ! 700                         silence for so many milliseconds; without a number, until the next question

The bus is described by bus.yaml beside it. The .expect file holds what watch_buses must print then.
"""
import difflib
import os
import pathlib
import select
import subprocess
import sys
import tempfile
import time
import tty

ASK_SECONDS = 10


def steps(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if line:
            assert line[0] in "><!", "%s:%d: a step begins with >, < or !" % (path, number)
            yield number, line[0], line[1:].strip()


def read_question(master, length):
    """So many bytes, or fewer when the line falls silent."""
    got = b""
    end = time.monotonic() + ASK_SECONDS
    while len(got) < length and time.monotonic() < end:
        ready, _, _ = select.select([master], [], [], 0.2 if got else end - time.monotonic())
        if ready:
            got += os.read(master, length - len(got))
        elif got:
            break
    return got


def play(path, master):
    for number, kind, text in steps(path):
        if kind == ">":
            want = bytes.fromhex(text)
            got = read_question(master, len(want))
            assert got == want, "%s:%d: asked %s, not %s" % (path, number, got.hex(" "), want.hex(" "))
        elif kind == "<":
            os.write(master, bytes.fromhex(text))
        elif text:
            time.sleep(int(text) / 1000)


def shown(lines):
    return [line for line in lines if not line.startswith("stats ")]


def run(case, folder):
    expected = case.with_suffix(".expect").read_text().splitlines()
    master, slave = os.openpty()
    tty.setraw(slave)
    config = os.path.join(folder, "bus.yaml")
    with open(config, "w") as f:
        f.write((case.parent / "bus.yaml").read_text().replace("PORT", os.ttyname(slave)))
    out_path = os.path.join(folder, "out")
    with open(out_path, "w") as out:
        bus = subprocess.Popen([os.environ["WATCH_BUSES"], config], stdin=subprocess.PIPE, stdout=out,
                               stderr=subprocess.PIPE)
        try:
            play(case, master)
            end = time.monotonic() + ASK_SECONDS
            while len(open(out_path).read().splitlines()) < len(expected) and time.monotonic() < end:
                time.sleep(0.02)
        finally:
            _, errors = bus.communicate(timeout=30)
    assert bus.returncode == 0, errors.decode()
    got = shown(open(out_path).read().splitlines())
    for line in difflib.unified_diff(expected, got, "expected", "printed", lineterm=""):
        print(line)
    return got == expected


def main():
    case = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="wirepost-capture-") as folder:
        sys.exit(0 if run(case, folder) else 1)


main()
