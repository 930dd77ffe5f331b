"""Does a serial line behind TCP, or one of Modbus ASCII, ever give a value that the slave did not hold?

One slave for each fault: now and then it answers after the time-out, echoes,
adds noise, answers as another unit, or cuts an answer short. Each is read more
than 1 000 times; each register holds its own address, and all requests have the same shape.
"""
import os
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import Buses
from faulty_slave import FaultySlave, crc
from programs import WIREPOST, Workplace, wait_for

TIMEOUT = 0.06
READS = 1000
FAULTS = ["late", "echo", "noise", "unit", "truncated"]
ADDRESSES = range(100, 600, 50)
BUS = """
  - name: {name}
    {line}
    timeout: %dms
    retries: 0
    devices:
      - name: {name}
        unit: 1
        poll: 20ms
        tags: [%s]
""" % (TIMEOUT * 1000, ", ".join("{{name: r%d, table: holding, address: %d, type: u16}}" % (a, a) for a in ADDRESSES))


def check(w, kind, seed):
    slaves = {fault: FaultySlave(fault, every=15, timeout=TIMEOUT, seed=seed, ascii=kind == "ascii") for fault in FAULTS}
    config = "gateway: {id: test}\nbuses:" + "".join(
        BUS.format(name=fault, line=slave.serve_pty() if kind == "ascii" else slave.serve_tcp())
        for fault, slave in slaves.items())
    buses = Buses(w, w.write(kind + ".yaml", config))
    wait_for(lambda: all(slave.requests > READS for slave in slaves.values()), 80,
             "all slaves to be read %d times" % READS)
    buses.stop()
    words = [line.split() for line in buses.lines()]
    for fault, slave in slaves.items():
        values = [(w[1], w[2]) for w in words if len(w) == 3 and w[0] == fault]
        good = [(tag, value) for tag, value in values if value[0] != "!"]
        wrong = [(tag, value) for tag, value in good if tag != "r" + value]
        print("%s, %s: %d requests, %d faults, %d good values, %d bad, %d wrong"
              % (kind, fault, slave.requests, slave.faults, len(good), len(values) - len(good), len(wrong)))
        assert not wrong, wrong[:10]
        assert len(good) >= 0.7 * READS, "too few are read"



def check_oversized(w):
    """A server whose answers to an identity request are longer than Modbus allows, with checksums that fit."""
    server = socket.create_server(("127.0.0.1", 0))
    asked = []

    def serve():
        while True:
            connection, _ = server.accept()
            while request := connection.recv(256):
                asked.append(request[1])
                pdu = bytes([request[1]]) + (bytes(296) if request[1] == 0x2B else b"\x02\0\0")
                connection.sendall(crc(request[:1] + pdu))

    threading.Thread(target=serve, daemon=True).start()
    config = w.write("oversized.yaml", "gateway: {id: test, data_dir: %s}\nbuses:\n  - {name: line, type: modbus-rtu-tcp, "
                     "host: 127.0.0.1, port: %d, baud: 115200, devices: [{name: d, unit: 1, tags: "
                     "[{name: v, table: holding, address: 0, type: u16}]}]}\n" % (w.folder, server.getsockname()[1]))
    done = subprocess.run([WIREPOST, "scan", "line", "-c", config, "--units", "1"], capture_output=True, text=True,
                          timeout=60)
    print("oversized: asked %s, scan ended with %d" % (sorted(set(asked)), done.returncode))
    assert 0x2B in asked and done.returncode == 0, done.stderr[-2000:]


def main():
    seed = int(os.environ.get("SEED", time.time()))
    print("seed %d" % seed)
    with Workplace() as w:
        check_oversized(w)
        for kind in "rtu-tcp", "ascii":
            check(w, kind, seed)


main()
