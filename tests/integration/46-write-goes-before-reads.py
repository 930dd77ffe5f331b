"""How long does a write take while its bus is busy all the time?

Eight reads of 20 ms are due every 10 ms. Between the publication and the device's answer there may be the rest of
one read, and the write itself: at most two transactions. Counted at the slave: how many requests began in between.
Then somebody writes without end: at least a ninth of the requests are reads.
"""
import os
import random
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port
from writable_slave import TcpSlave
from writes import Requester

CONFIG = """
gateway: {{id: g, data_dir: {folder}/data}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: net
    type: modbus-tcp
    host: 127.0.0.1
    port: {slave}
    poll: 10ms
    devices:
      - name: press
        unit: 1
        tags:
{tags}
          - {{name: setpoint, table: holding, address: 200, type: u16, poll: 10s, write: true}}
{more}
"""
WRITES = 60


def main():
    slave = TcpSlave()
    slave.delay = lambda: 0.02
    tags = "\n".join("          - {name: t%d, table: holding, address: %d, type: u16}" % (n, 10 * n) for n in range(8))
    more = "\n".join("          - {name: w%d, table: holding, address: %d, type: u16, poll: 10s, write: true}" % (n, 220 + 2 * n)
                     for n in range(16))
    with Workplace() as w:
        port = free_port()
        gateway = w.start([WIREPOST, "run", "-c", w.write("g.yaml", CONFIG.format(
            folder=w.folder, port=port, slave=slave.port, tags=tags, more=more))], port=port)
        Watcher(port, "wp/g/#").wait("wp/g/d/press/v/t0", "0")
        between, latencies = [], []
        with Requester(port, "g") as r:
            for n in range(WRITES):
                time.sleep(random.uniform(0, 0.05))
                asked = time.monotonic()
                r.ask("press", {"setpoint": n + 1}, id="w%d" % n)
                assert r.wait("w%d" % n, "written") == ["accepted", "written"]
                latencies.append(time.monotonic() - asked)
                first = next(i for i, (t, (_, pdu)) in enumerate(zip(slave.times, slave.requests))
                             if pdu == b"\x06\0\xc8" + (n + 1).to_bytes(2, "big"))
                between.append(sum(asked < t < slave.times[first] for t in slave.times[:first]))
            first = len(slave.requests)
            end = time.monotonic() + 4
            while time.monotonic() < end:
                for n in range(16):
                    r.ask("press", {"w%d" % n: random.randrange(1000)})
            flooded = [pdu[0] for _, pdu in slave.requests[first:]]
        took = statistics.mean(b - a for a, b in zip(slave.times, slave.times[1:]))
        gateway.stop()
    print("%d writes on a busy bus; a transaction takes %.1f ms" % (WRITES, 1000 * took))
    print("latency: median %.1f ms = %.2f transactions, p95 %.1f ms = %.2f" % (
        1000 * statistics.median(latencies), statistics.median(latencies) / took,
        1000 * sorted(latencies)[int(0.95 * WRITES)], sorted(latencies)[int(0.95 * WRITES)] / took))
    print("reads that began between publication and write: %s" % {n: between.count(n) for n in sorted(set(between))})
    assert statistics.median(between) <= 1, between
    print("flooded with writes: %d writes and %d reads" % (flooded.count(6), flooded.count(3)))
    assert flooded.count(3) >= flooded.count(6) / 10, "no turn for reads"


main()
