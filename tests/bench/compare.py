#!/usr/bin/python3
"""compare - runs the same load against several brokers in turn, and writes the table; scripts/bench calls it.

  for each round: for each row: for each broker: start it -> mqttload -> stop it

A round thus meets all brokers in the same minutes of a busy machine. The table holds medians over the rounds and
this broker's ratio to each peer; a goal is held by the ratio to the best of the peers it names.
"""
import argparse
import csv
import json
import os
import pathlib
import re
import resource
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
OURS = "wirepost"
ANY = ""  # a goal against the best of all peers

CPU = ("cpu_us_per_msg", "CPU µs/msg")
P50 = ("lat_p50_us", "p50 µs")
P99 = ("lat_p99_us", "p99 µs")
RATE = ("msgs_per_s", "msgs/s")

# name, mqttload's options, (figures, goal as (peer, most of its figure) or (None, most))
ROWS = [
    ("pairwise-qos0-bursts", "--layout pairwise --pubs 10 --messages 15000",
     [(CPU, ("flashmq", 0.7)), (P50, None), (P99, None), (RATE, None)]),
    ("pairwise-qos1-bursts", "--layout pairwise --pubs 10 --messages 6000 --qos 1 --window 32",
     [(CPU, ("flashmq", 0.65)), (P50, None), (P99, None), (RATE, None)]),
    ("pairwise-qos2-bursts", "--layout pairwise --pubs 10 --messages 2500 --qos 2 --window 32",
     [(CPU, ("flashmq", 0.7)), (P50, None), (P99, None), (RATE, None)]),
    ("pairwise-qos0-singly", "--layout pairwise --pubs 10 --messages 8000 --batch 1",
     [(CPU, ("flashmq", 1.0)), (P50, None), (P99, None), (RATE, None)]),
    ("pairwise-qos1-singly", "--layout pairwise --pubs 10 --messages 4000 --qos 1 --batch 1",
     [(CPU, ("flashmq", 1.0)), (P50, None), (P99, None), (RATE, None)]),
    ("pairwise-qos2-singly", "--layout pairwise --pubs 10 --messages 2000 --qos 2 --batch 1",
     [(CPU, ("flashmq", 1.0)), (P50, None), (P99, None), (RATE, None)]),
    ("fanin-qos0", "--layout fanin --pubs 50 --messages 2400 --credit 40", [(CPU, ("flashmq", 0.75)), (P99, None)]),
    ("fanin-qos1", "--layout fanin --pubs 50 --messages 1200 --credit 40 --qos 1 --window 32",
     [(CPU, ("flashmq", 0.75)), (P99, None)]),
    ("fanout-qos0", "--layout fanout --subs 50 --messages 6000", [(CPU, ("flashmq", 0.7)), (P99, None)]),
    ("fanout-qos1", "--layout fanout --subs 50 --messages 3000 --qos 1 --window 32", [(CPU, ("flashmq", 0.7)), (P99, None)]),
    ("wildcard-qos0", "--layout wildcard --pubs 8 --subs 40 --messages 2000 --ballast 1000 --credit 50",
     [(CPU, ("flashmq", 0.85)), (P99, None)]),
    ("rate-4000-qos1", "--layout pairwise --pubs 20 --messages 800 --rate 200 --qos 1",
     [(P50, (ANY, 1.1)), (P99, (ANY, 1.1)), (CPU, None), (("late_p99_us", "sender late, p99 µs"), None)]),
    ("storm", "--mode storm --conns 2000",
     [(("cpu_us_per_conn", "CPU µs/connection"), ("mosquitto", 1.1)), (("connect_p99_us", "p99 to CONNACK, µs"), None)]),
    ("idle", "--mode idle --conns 5000", [(("rss_bytes_per_conn", "bytes/connection"), (None, 660))]),
    ("retained", "--mode retained --messages 50000 --qos 1 --batch 1 --window 100",
     [(("bytes_per_retained", "bytes/topic"), (None, 340)), (("store_cpu_us", "store, CPU µs/msg"), None),
      (("fetch_cpu_us", "fetch, CPU µs/msg"), None)]),
    ("at-rest", "--mode idle --conns 1 --hold 200", [(("rss_before_kib", "KiB"), (None, 8192))]),
]

# what --quick divides, by 20
COUNTS = re.compile(r"--(messages|conns) (\d+)")


def options_of():
    parser = argparse.ArgumentParser()
    parser.add_argument("--wirepost", required=True)
    parser.add_argument("--mqttload", required=True)
    parser.add_argument("--peer", action="append", default=[])
    parser.add_argument("--no-found-peers", action="store_true")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--rows", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--pin", action="store_true")
    parser.add_argument("--out", required=True)
    return parser.parse_args()


def brokers_of(options):
    """name -> command with placeholders, ours first."""
    brokers = {OURS: shlex.quote(options.wirepost) + " run -c {conf:wirepost.yaml}"}
    mosquitto = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if mosquitto and not options.no_found_peers:
        brokers["mosquitto"] = mosquitto + " -c {conf:mosquitto.conf}"
    for peer in options.peer:
        name, equals, command = peer.partition("=")
        if not equals or not name or not command:
            sys.exit("bench: --peer wants NAME=COMMAND, not %s" % peer)
        brokers[name] = command
    return brokers


class Broker:
    """One run's process, in a folder of its own."""

    def __init__(self, command, pin):
        self.folder = tempfile.mkdtemp(prefix="wirepost-bench-")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.log = open(os.path.join(self.folder, "log"), "w+b")
        try:
            self.process = subprocess.Popen(self.words(command), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                            cwd=self.folder, preexec_fn=lambda: prepare(0 if pin else None))
        except OSError as e:
            shutil.rmtree(self.folder, ignore_errors=True)
            sys.exit("bench: cannot start %s (%s)" % (command, e))

    def fill(self, text):
        return text.replace("{port}", str(self.port)).replace("{dir}", self.folder)

    def words(self, command):
        """{conf:FILE?nodelay=true} is a copy of FILE, from tests/bench/peers unless it has a path, with its placeholders filled."""
        def copy(match):
            name, _, settings = match.group(1).partition("?")
            text = self.fill((HERE / "peers" / name).read_text())
            for key, value in [("nodelay", "false")] if not settings else [settings.split("=")]:
                text = text.replace("{%s}" % key, value)
            path = os.path.join(self.folder, os.path.basename(name))
            with open(path, "w") as f:
                f.write(text)
            return path

        return [self.fill(re.sub(r"\{conf:([^}]*)\}", copy, word)) for word in shlex.split(command)]

    def wait_until_up(self):
        until = time.monotonic() + 15
        while time.monotonic() < until and self.process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    time.sleep(0.1)  # what belongs to starting is not measured
                    return True
            time.sleep(0.02)
        return False

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.seek(0)
        said = self.log.read()[-2000:].decode(errors="replace")
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return said


def prepare(core):
    """What a program of a run starts with: all descriptors, and a core where other work does not get in between."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if core is not None:
        os.sched_setaffinity(0, [core])
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))


def run_once(options, name, command, row):
    load = row[1]
    if options.quick:
        load = COUNTS.sub(lambda m: "--%s %d" % (m.group(1), max(1, int(m.group(2)) // 20)), load)
    broker = Broker(command, options.pin)
    try:
        if not broker.wait_until_up():
            raise RuntimeError("does not listen")
        done = subprocess.run([options.mqttload, *load.split(), "--port", str(broker.port), "--pid", str(broker.process.pid),
                               "--label", name, "--timeout", "90"], stdout=subprocess.PIPE, text=True, timeout=120, check=False,
                              preexec_fn=lambda: prepare(1 if options.pin else None))
        result = json.loads(done.stdout) if done.stdout else {"exit": done.returncode}
    except (RuntimeError, subprocess.TimeoutExpired, json.JSONDecodeError) as e:
        result = {"exit": -1, "why": str(e)}
    said = broker.stop()
    result.update(broker=name, row=row[0])
    if result["exit"]:
        print("bench: %s, %s: exit %d %s\n%s" % (name, row[0], result["exit"], result.get("why", ""), said), file=sys.stderr)
    return result


def measure(options, brokers, rows):
    runs = options.runs or (1 if options.quick else 3)
    results = []
    for number in range(runs):
        for row in rows:
            print("==> round %d of %d: %s" % (number + 1, runs, row[0]), file=sys.stderr, flush=True)
            for name, command in brokers.items():
                result = run_once(options, name, command, row)
                result["round"] = number + 1
                results.append(result)
    return results


def median_of(results, name, row, field):
    values = [r[field] for r in results if r["broker"] == name and r["row"] == row and r["exit"] == 0 and field in r]
    return statistics.median(values) if values else None


def shown(value):
    if value is None:
        return "–"
    return "%.0f" % value if value >= 1000 else "%.3g" % value


def judged(goal, ours, peers):
    """The goal in words, and whether it is held."""
    if goal is None:
        return ""
    who, most = goal
    if who is None:
        words, held = "≤ %g" % most, ours is not None and ours <= most
        return "%s: %s" % (words, "held" if held else "missed")
    named = [value for name, value in peers.items() if name.startswith(who) and value]
    words = "≤ %g of %s" % (most, who or "the best")
    if not named or ours is None:
        return words + ": no such peer"
    ratio = ours / min(named)
    return "%s: %s (%.2f)" % (words, "held" if ratio <= most else "missed", ratio)


def table(brokers, rows, results):
    peers = [name for name in brokers if name != OURS]
    head = ["workload", "figure", OURS, *peers, *("%s / %s" % (OURS, name) for name in peers), "goal"]
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    for row in rows:
        for (field, label), goal in row[2]:
            ours = median_of(results, OURS, row[0], field)
            theirs = {name: median_of(results, name, row[0], field) for name in peers}
            ratios = ["%.2f" % (ours / value) if ours is not None and value else "–" for value in theirs.values()]
            lines.append("| " + " | ".join([row[0], label, shown(ours), *map(shown, theirs.values()), *ratios,
                                            judged(goal, ours, theirs)]) + " |")
    return "\n".join(lines) + "\n"


def failures(results):
    failed = ["- %s, %s, round %d: exit %d %s" % (r["broker"], r["row"], r["round"], r["exit"], r.get("why", ""))
              for r in results if r["exit"]]
    return "\nNot counted, for mqttload did not end well:\n\n" + "\n".join(failed) + "\n" if failed else ""


def write(options, brokers, rows, results):
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    fields = list(dict.fromkeys(["round", "row", "broker"] + [field for r in results for field in r]))
    with open(out / "runs.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, fields)
        writer.writeheader()
        writer.writerows(results)
    (out / "runs.json").write_text("".join(json.dumps(r) + "\n" for r in results))
    text = table(brokers, rows, results) + failures(results)
    (out / "table.md").write_text(text)
    print(text)
    print("bench: table.md, runs.csv and runs.json are in %s" % out, file=sys.stderr)


def main():
    options = options_of()
    if options.pin and (os.geteuid() != 0 or os.cpu_count() < 2):
        sys.exit("bench: --pin needs root and two cores")
    rows = [row for row in ROWS if re.search(options.rows, row[0])]
    if not rows:
        sys.exit("bench: no row matches; there are " + ", ".join(row[0] for row in ROWS))
    brokers = brokers_of(options)
    results = measure(options, brokers, rows)
    write(options, brokers, rows, results)
    return 1 if any(r["exit"] for r in results if r["broker"] == OURS) else 0


if __name__ == "__main__":
    sys.exit(main())
