#!/usr/bin/python3
"""Do pub and sub survive a broker that restarts, is killed, or stops answering?"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.programs import WIREPOST, Workplace, free_port, wait_for

COUNT = 400


def start_sub(w, port, *args):
    return w.start([WIREPOST, "sub", "-p", str(port), "-v", *args])


def numbers(program):
    return [int(line.split()[1]) for line in program.log().splitlines() if line.startswith("n ")]


def restart(w, broker, port, how):
    broker.kill() if how == "killed" else broker.stop()
    time.sleep(1)
    broker = w.start_mosquitto(port)
    wait_for(lambda: broker.log().count("Sending CONNACK") == 2, 20, "both clients after the restart")
    wait_for(lambda: "Sending SUBACK" in broker.log(), 20, "the subscription after the restart")
    return broker


def nothing_is_missing_over_restarts(w, version):
    """QoS 1 through a broker that forgets everything. The subscriber may come back later than the publisher, so
    only order and what the publisher was told are checked: status 0 means that the broker had each."""
    port = free_port()
    broker = w.start_mosquitto(port)
    s = start_sub(w, port, "-t", "n", "-q", "1", "-V", version)
    p = subprocess.Popen([WIREPOST, "pub", "-p", str(port), "-t", "n", "-q", "1", "-l", "-V", version],
                         stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for i in range(COUNT):
        p.stdin.write("%d\n" % i)
        p.stdin.flush()
        if i == 100:
            wait_for(lambda: "Sending SUBACK" in broker.log(), 15, "the subscription")
            broker = restart(w, broker, port, "stopped")
        if i == 250:
            broker = restart(w, broker, port, "killed")
        time.sleep(0.002)
    said = p.communicate(timeout=60)[1]
    assert p.returncode == 0, said
    got = wait_for(lambda: numbers(s) and numbers(s)[-1] == COUNT - 1 and numbers(s), 20, "the last number")
    assert said.count("lost 1") + said.count("lost localhost") == 2 and said.count("connected to") == 2, said
    assert s.log().count("connected to") == 2, s.log()
    assert got == sorted(got), got
    print("MQTT %s: pub acknowledged %d; sub was there for %d of them, in order, through two restarts"
          % (version, COUNT, len(set(got))))
    s.stop()
    broker.stop()


def a_frozen_broker_is_noticed(w):
    port = free_port()
    broker = w.start_mosquitto(port)
    s = start_sub(w, port, "-t", "n", "-k", "1")
    wait_for(lambda: "Sending SUBACK" in broker.log(), 10, "the subscription")
    started = time.monotonic()
    broker.pause()
    s.wait_for_log(r"lost .*no answer to a ping within 1 s", 10)
    took = time.monotonic() - started
    broker.resume()
    s.wait_for_log("connected to", 20)
    subprocess.run([WIREPOST, "pub", "-p", str(port), "-t", "n", "-m", "7"], check=True, timeout=20)
    wait_for(lambda: numbers(s) == [7], 10, "a message after that")
    s.stop()
    broker.stop()
    print("a frozen broker was noticed after %.1f s (keepalive 1 s)" % took)
    assert took < 5


def nobody_there_is_said_once(w):
    port = free_port()
    s = start_sub(w, port, "-t", "n")
    time.sleep(4)
    assert s.log().count("cannot connect") == 1, s.log()
    broker = w.start_mosquitto(port)
    s.wait_for_log("connected to", 20)
    s.stop()
    broker.stop()
    done = subprocess.run([WIREPOST, "pub", "-p", str(port), "-t", "n", "-m", "1", "--timeout", "1"],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "0 messages acknowledged, 1 not" in done.stderr, done


def main():
    with Workplace() as w:
        for version in ("5", "311"):
            nothing_is_missing_over_restarts(w, version)
        a_frozen_broker_is_noticed(w)
        nobody_there_is_said_once(w)


if __name__ == "__main__":
    main()
