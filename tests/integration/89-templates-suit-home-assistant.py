#!/usr/bin/python3
"""Would Home Assistant take what is announced of each shipped template?

Its rules for units and classes are written down here once more, from its documentation and not from ours: a class with
another unit, or a state class that does not go with it, is refused there, and the value never appears.
"""
import json
import os
import pathlib
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]
CONFIG = """
gateway: {id: g, data_dir: %s/data}
broker: {listeners: [{port: %d}]}
buses:
  - name: net
    type: modbus-tcp
    host: 127.0.0.1
    port: %d
    home_assistant: true
    devices:
"""
UNITS = {
    "absolute_humidity": "g/m³ mg/m³", "apparent_power": "mVA VA kVA", "aqi": "-", "battery": "%", "carbon_dioxide": "ppm",
    "current": "A mA", "duration": "d h min s ms μs", "energy": "J kJ MJ GJ mWh Wh kWh MWh GWh TWh",
    "frequency": "mHz Hz kHz MHz GHz", "humidity": "%", "illuminance": "lx", "power": "mW W kW MW GW TW",
    "power_factor": "% -", "reactive_energy": "varh kvarh", "reactive_power": "mvar var kvar",
    "sound_pressure": "dB dBA", "temperature": "°C °F K", "volatile_organic_compounds_parts": "ppm ppb",
    "voltage": "μV mV V kV MV",
}
COUNTED = ("energy", "reactive_energy")
BINARY = ("battery battery_charging carbon_monoxide cold connectivity door garage_door gas heat light lock moisture motion "
          "moving occupancy opening plug power presence problem running safety smoke sound tamper update vibration "
          "window").split()


def sensor_findings(e):
    kind, unit, state = e.get("device_class"), e.get("unit_of_measurement"), e.get("state_class")
    if "options" in e:
        return [] if kind == "enum" and unit is None and state is None else ["words with %s %s %s" % (kind, unit, state)]
    if kind is None:
        return [] if state in (None, "measurement", "total", "total_increasing") else ["state_class %s" % state]
    if kind not in UNITS:
        return ["unknown device_class %s" % kind]
    found = []
    if (unit or "-") not in UNITS[kind].split():
        found.append("%s in %s" % (kind, unit))
    if kind in COUNTED and state not in ("total", "total_increasing"):
        found.append("%s is %s" % (kind, state))
    return found


def number_findings(e):
    kind, unit = e.get("device_class"), e.get("unit_of_measurement")
    found = [] if e["min"] < e["max"] else ["from %s to %s" % (e["min"], e["max"])]
    if kind is not None and (unit or "-") not in UNITS.get(kind, "").split():
        found.append("%s in %s" % (kind, unit))
    return found


def entity_findings(e):
    if e["platform"] == "sensor":
        return sensor_findings(e)
    if e["platform"] == "number":
        return number_findings(e)
    if e["platform"] == "binary_sensor":
        return [] if e.get("device_class") in [None] + BINARY else ["binary %s" % e["device_class"]]
    if e["platform"] == "switch":
        return [] if e.get("device_class") in (None, "switch", "outlet") else ["switch %s" % e["device_class"]]
    return [] if e["platform"] in ("select", "button", "text") else ["platform " + e["platform"]]


def main():
    names = sorted(p.stem for p in (TOP / "conf/templates").glob("*.yaml")
                   if not re.search("^type: serial", p.read_text(), re.M))
    with Workplace() as w:
        port = free_port()
        text = CONFIG % (w.folder, port, free_port())
        text += "".join("      - {name: %s, template: %s, unit: %d}\n" % (n, n, i) for i, n in enumerate(names, 1))
        os.symlink(TOP / "conf/templates", w.path("templates"))
        gateway = w.start([WIREPOST, "run", "-c", w.write("main.yaml", text)], port=port)
        watcher = Watcher(port, "homeassistant/#")
        wait_for(lambda: len(watcher.latest) >= len(names), 30, "%d announcements" % len(names))
        watcher.done = True
        gateway.stop()
    entities = found = 0
    for topic, payload in sorted(watcher.latest.items()):
        said = json.loads(payload)
        assert said["device"]["manufacturer"] and said["device"]["model"], topic
        for name, e in said["components"].items():
            entities += 1
            for finding in entity_findings(e):
                print("%s: %s: %s" % (said["device"]["name"], name, finding))
                found += 1
    print("%d devices, %d entities, %d findings" % (len(watcher.latest), entities, found))
    assert found == 0 and entities > 900


if __name__ == "__main__":
    main()
