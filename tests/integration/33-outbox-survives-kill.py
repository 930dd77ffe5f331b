#!/usr/bin/python3
"""Is every message that a publisher was told is safe still there after SIGKILL, in order?

Sixty rounds on one file: outbox_alone appends, writes, reads back and
acknowledges at changing rates and is killed at a random moment. Each next
start must find all that was settled and not acknowledged, in the order of its
numbers. What was acknowledged in the last second may come again.
"""
import os
import random
import subprocess
import sys
import tempfile
import threading

ROUNDS = 60
OUTBOX_ALONE = os.environ["OUTBOX_ALONE"]
dice = random.Random(int(os.environ.get("SEED", "7")))


def run_round(path, number):
    """Starts, waits for `ready`, kills; returns found, settled and acked numbers."""
    per_ms = dice.choice([1, 5, 20, 60])
    ack_percent = dice.choice([0, 0, 0, 50, 99, 100])
    command = [OUTBOX_ALONE, path, str(number * 10_000_000), str(per_ms), str(ack_percent)]
    program = subprocess.Popen(command, stdout=subprocess.PIPE)
    seen = {"found": [], "settled": [], "acked": []}
    killer = None
    guard = threading.Timer(60, program.kill)
    guard.start()
    for line in program.stdout:
        if not line.endswith(b"\n"):
            break
        if line == b"ready\n":
            killer = threading.Timer(dice.uniform(0.01, 0.5), program.kill)
            killer.start()
            continue
        word, value = line.split()
        seen[word.decode()].append(int(value))
    program.wait()
    guard.cancel()
    if killer is None:
        sys.exit(f"round {number}: not ready within 60 s, exit status {program.returncode}")
    return seen


def main():
    owed = set()
    totals = {"found": 0, "settled": 0, "acked": 0}
    again = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1, ROUNDS + 1):
            seen = run_round(os.path.join(folder, "store.db"), number)
            found = seen["found"]
            if found != sorted(set(found)):
                sys.exit(f"round {number}: found out of order or twice")
            missing = owed.difference(found)
            if missing:
                sys.exit(f"round {number}: {len(missing)} of {len(owed)} settled messages are gone, e.g. {min(missing)}")
            again += len(found) - len(owed)
            owed = (set(found) | set(seen["settled"])) - set(seen["acked"])
            for word in totals:
                totals[word] += len(seen[word])
        files = sorted(os.listdir(folder))
    if any(".damaged" in name for name in files):
        sys.exit(f"a file was set aside: {files}")
    print(f"{ROUNDS} kills: {totals['settled']} settled, {totals['acked']} acknowledged, {totals['found']} found again"
          f" ({again} of them unsettled or acknowledged just before), 0 missing")


main()
