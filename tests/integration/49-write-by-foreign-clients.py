"""Can foreign clients write to simulated devices on a pty and over TCP, and does it show at once?

mosquitto_pub with plain text and with JSON, mosquitto_rr with a response topic; the tag's own topic shows the new
value long before its next poll. Meanwhile the configuration of one bus is changed and reloaded: no request goes
without an end. Where the line is gone the end comes at once.
"""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for
from writes import FINAL, Requester

CONFIG = """
gateway: {{id: g, data_dir: {folder}/data}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {folder}/line, baud: 115200}}
    poll: 30s
    devices:
      - name: tank
        unit: 1
        tags:
          - {{name: level, table: holding, address: 0, type: f32, write: true}}
          - {{name: mode, table: holding, address: 2, type: u16, enum: {{0: idle, 1: run}}, write: true}}
          - {{name: bit, table: holding, address: 3, bit: 9, write: true}}
          - {{name: pump, table: coil, address: 3, write: {{verify: true}}}}
  - name: net
    type: modbus-tcp
    host: 127.0.0.1
    port: {slave}
    poll: {poll}
    devices:
      - name: press
        unit: 1
        tags: [{{name: force, table: holding, address: 0, type: s32, order: CDAB, scale: 0.01, write: true}}]
"""


def main():
    with Workplace() as w:
        port, slave = free_port(), free_port()

        def configure(poll):
            return w.write("g.yaml", CONFIG.format(folder=w.folder, port=port, slave=slave, poll=poll))

        config = configure("30s")
        simulator = w.start([WIREPOST, "simulate", config], ready="ready")
        gateway = w.start([WIREPOST, "run", "-c", config], port=port)
        watcher = Watcher(port, "wp/g/d/+/v/+")
        for tag in "tank/v/level", "tank/v/mode", "tank/v/bit", "tank/v/pump", "press/v/force":
            wait_for(lambda: "wp/g/d/" + tag in watcher.latest, 15, tag)

        def pub(*args):
            subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), *args], check=True, timeout=20)

        for tag, value in (("tank/v/level", "21.5"), ("tank/v/mode", "run"), ("tank/v/bit", "true"), ("tank/v/pump", "true"),
                           ("press/v/force", "-12.34")):
            pub("-t", "wp/g/d/%s/set" % tag, "-m", value)
            watcher.wait("wp/g/d/" + tag, value, 10)
        pub("-q", "1", "-t", "wp/g/d/tank/set", "-m", '{"v": {"level": -1.25, "mode": "idle", "bit": false}}')
        for tag, value in ("level", "-1.25"), ("mode", "idle"), ("bit", "false"):
            watcher.wait("wp/g/d/tank/v/" + tag, value, 10)
        print("plain and JSON writes of mosquitto_pub are shown by the tags, polled every 30 s")

        answer = subprocess.run(["mosquitto_rr", "-h", "127.0.0.1", "-p", str(port), "-t", "wp/g/d/press/set", "-e", "answers/here", "-W", "10",
                                 "-m", '{"id": "rr", "v": {"force": 5}}'], check=True, timeout=20, capture_output=True).stdout
        print("mosquitto_rr: %s" % answer.decode().strip())
        assert json.loads(answer)["status"] == "accepted"

        with Requester(port, "g") as r:
            for n in range(60):
                if n in (15, 35):
                    configure("%ds" % n)
                    gateway.process.send_signal(signal.SIGHUP)
                r.ask("press", {"force": n}, id="p%d" % n)
                r.ask("tank", {"level": n}, id="t%d" % n)
                time.sleep(0.01)
            ends = {}

            def ended():
                r.receive(0.1)
                return all(r.results.get(i, [{}])[-1].get("status") in FINAL | {"written"}
                           for i in ["%s%d" % (d, n) for d in "pt" for n in range(60)])
            wait_for(ended, 20, "an end of each request")
            for d in "pt":
                for n in range(60):
                    end = "%s %s" % (d, r.statuses("%s%d" % (d, n))[-1])
                    ends[end] = ends.get(end, 0) + 1
            print("two reloads of the bus net meanwhile: %s" % ends)
            assert set(k for k in ends if k.startswith("t ")) <= {"t written", "t failed superseded"}, ends
            assert set(k for k in ends if k.startswith("p ")) <= {
                "p written", "p failed superseded", "p failed stopped", "p rejected device_offline", "p failed device_offline"}
        watcher.wait("wp/g/d/tank/v/level", "59", 10)

        simulator.stop()
        gateway.wait_for_log("line: cannot open")
        gateway.wait_for_log("net: cannot connect")
        with Requester(port, "g") as r:
            for device, tag in ("tank", "level"), ("press", "force"):
                asked = time.monotonic()
                r.ask(device, {tag: 1}, id=device)
                seen = r.wait(device, "failed")
                print("%s, whose line is gone: %s in %.0f ms" % (device, seen, 1000 * (time.monotonic() - asked)))
                assert seen == ["accepted", "failed device_offline"]
        gateway.stop()


main()
