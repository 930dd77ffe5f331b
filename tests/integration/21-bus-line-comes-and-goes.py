"""Does a bus follow its line: not there yet, there, killed, paused, back?

`wirepost simulate` serves a pty and a TCP port. Every set value arrives;
without the simulator there are reasons instead of values, and when it is back
all is good within 15 s although the bus was never restarted.
"""
import os
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
    port: {{device: {folder}/new/folder/line, baud: 115200}}
    timeout: 200ms
    devices:
      - name: tank
        unit: 1
        poll: 200ms
        tags:
          - {{name: level, table: holding, address: 0, type: u16}}
          - {{name: temp, table: input, address: 5, type: s16, scale: 0.1}}
          - {{name: total, table: holding, address: 10, type: u32, order: CDAB}}
          - {{name: pump, table: coil, address: 3}}
  - name: net
    type: modbus-tcp
    host: 127.0.0.1
    port: {port}
    timeout: 200ms
    devices:
      - name: press
        unit: 1
        poll: 200ms
        tags:
          - {{name: force, table: holding, address: 100, type: f32}}
          - {{name: door, table: discrete, address: 7}}
"""
VALUES = {("tank", "level"): "4711", ("tank", "temp"): "-12.3", ("tank", "total"): "4294967295",
          ("tank", "pump"): "true", ("press", "force"): "-0.0625", ("press", "door"): "true"}
TAGS = list(VALUES)


def main():
    with Workplace() as w:
        port = free_port()
        config = w.write("bus.yaml", CONFIG.format(folder=w.folder, port=port))
        line = w.path("new/folder/line")

        def start_simulator():
            p = w.start([WIREPOST, "simulate", "--control", w.path("control"), config], ready=r"ready")
            for (device, tag), value in VALUES.items():
                assert control(w.path("control"), "set %s %s %s" % (device, tag, value)) == "ok"
                assert control(w.path("control"), "get %s %s" % (device, tag)) == value
            return p

        def wait_all(value, seconds=15):
            for device, tag in TAGS:
                buses.wait(device, tag, value or VALUES[device, tag], seconds)

        buses = Buses(w, config)
        wait_all("!bus_fault")
        assert buses.state("line") == "absent cannot open %s: No such file or directory" % line, buses.state("line")
        assert "Connection refused" in buses.state("net"), buses.state("net")
        time.sleep(2.5)
        assert len(buses.readings("tank", "level")) == 1, "an absent line is reported once"

        for how in "stop", "kill", "pause":
            simulator = start_simulator()
            begin = time.monotonic()
            wait_all(None)
            print("good after %.1f s" % (time.monotonic() - begin))
            assert buses.state("line") == "up" and buses.state("net") == "up"
            {"stop": simulator.stop, "kill": simulator.kill, "pause": simulator.pause}[how]()
            if how == "kill":
                os.unlink(line)  # it names a pty whose number a stranger may be given next
            wait_all("!timeout")
            if how == "stop":
                assert not os.path.lexists(line) and not os.path.exists(w.path("control"))
            if how != "pause":
                wait_for(lambda: buses.state("line").startswith("absent"), 5, "the line to be absent")
                continue
            wait_for(lambda: "its only device does not answer" in buses.state("line"), 15, "the line to be at fault")
            assert buses.health("tank") == "quarantined", buses.health("tank")
            time.sleep(12)  # probes are rare by now
            simulator.resume()
            begin = time.monotonic()
            wait_all(None)
            print("good %.1f s after the pause" % (time.monotonic() - begin))
            assert buses.health("tank") == "up" and buses.state("net") == "up"

        second = w.start([WIREPOST, "simulate", config])
        wait_for(lambda: not second.running(), 10, "a second simulator to give up")
        assert second.process.returncode == 1 and "cannot be simulated" in second.log(), second.log()
        wait_all(None)
        simulator.stop()
        w.write("new/folder/line", "somebody's file")
        third = w.start([WIREPOST, "simulate", config])
        wait_for(lambda: not third.running(), 10, "a simulator to leave a file alone")
        assert third.process.returncode == 1 and "not a serial port" in third.log(), third.log()
        assert open(line).read() == "somebody's file"
        begin = time.monotonic()
        buses.stop()
        assert time.monotonic() - begin < 2


main()
