"""Can Home Assistant make entities of what is announced, and do they show what the slaves hold?

The announcements are held to the rules of Home Assistant's MQTT discovery
(topics, keys of each platform, classes with their units, unique ids); the
templates in them are run by Jinja on what was really published. They come
again at its birth message, and go with the device that goes.
"""
import json
import os
import re
import sys

import jinja2

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from buses import control
from gateway import Watcher
from mqtt import Client
from programs import WIREPOST, Workplace, free_port, wait_for

CONFIG = """
gateway: {{id: plant 7, data_dir: {folder}/data}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: line
    type: modbus-tcp
    host: 127.0.0.1
    port: {slave_port}
    timeout: 300ms
    poll: 100ms
    home_assistant: true
    devices:
      - {{name: meter-1, unit: 1, template: eastron-sdm120}}
      - name: tänk
        label: Tank in the north
        manufacturer: Acme
        model: T1
        unit: 2
        stale_after: 1s
        tags:
          - {{name: level, table: holding, address: 0, type: s16, scale: 0.1, unit: m, device_class: distance, precision: 1}}
          - {{name: Füllstand, table: holding, address: 1, type: u16, unit: "%"}}
          - {{name: mode, table: holding, address: 2, type: u16, enum: {{0: off, 1: heating, 2: cooling, 3: cooling}}}}
          - {{name: pump, table: coil, address: 0, device_class: running}}
          - {{name: serial, table: holding, address: 10, type: string, length: 4}}
          - {{name: double, expression: level * 2, unit: m}}
          - {{name: door, table: coil, address: 1, enum: {{0: shut, 1: open}}}}
          - {{name: speed, table: holding, address: 3, type: u16, scale: 0.5, unit: rpm, write: {{min: 0, max: 1500}}}}
          - {{name: fan, table: coil, address: 2, write: true}}
          - {{name: season, table: holding, address: 4, type: u16, enum: {{0: winter, 1: summer}}, write: true}}
          - {{name: limitless, table: holding, address: 5, type: u16, write: true}}
        actions: [{{name: reset, pdu: "42"}}]
      - name: weather
        unit: 3
        publish: json
        stale_after: 1s
        tags:
          - {{name: temperature, table: input, address: 0, type: s16, scale: 0.1, unit: degC}}
          - {{name: rain, table: discrete, address: 0}}
      - {{name: secret, unit: 4, home_assistant: false, tags: [{{name: v, table: input, address: 0, type: u16}}]}}
"""

UNITS = {"voltage": {"V", "mV"}, "current": {"A", "mA"}, "power": {"W", "kW"}, "apparent_power": {"VA"},
         "reactive_power": {"var"}, "energy": {"kWh", "Wh"}, "frequency": {"Hz"}, "power_factor": {None, "%"},
         "temperature": {"°C", "°F", "K"}, "humidity": {"%"}, "distance": {"m", "mm"}, "reactive_energy": {"kvarh", "varh"}}
BINARY_CLASSES = {"running", "problem", "power", "door"}
COMMON = {"platform", "unique_id", "name", "state_topic", "value_template", "device_class"}
KEYS = {"sensor": COMMON | {"unit_of_measurement", "state_class", "options", "suggested_display_precision"},
        "binary_sensor": COMMON | {"payload_on", "payload_off"},
        "switch": COMMON | {"command_topic", "payload_on", "payload_off", "state_on", "state_off"},
        "select": COMMON | {"command_topic", "options"}, "text": COMMON | {"command_topic", "max"},
        "number": COMMON | {"command_topic", "min", "max", "step", "mode", "unit_of_measurement"},
        "button": {"platform", "unique_id", "name", "command_topic"}}


def check_entity(name, e):
    assert e["platform"] in KEYS, e
    assert set(e) <= KEYS[e["platform"]], (name, set(e) - KEYS[e["platform"]])
    assert re.fullmatch("[a-zA-Z0-9_-]+", name) and re.fullmatch("[a-zA-Z0-9_-]+", e["unique_id"]), (name, e)
    if e["platform"] in ("switch", "select", "text", "number", "button"):
        assert e["command_topic"] and not set("+#") & set(e["command_topic"])
    if e["platform"] == "button":
        return
    assert e["state_topic"] and not set("+#") & set(e["state_topic"])
    if e["platform"] in ("binary_sensor", "switch"):
        assert e.get("device_class") in BINARY_CLASSES | {None}, e
        return
    if e["platform"] == "number":
        assert e["min"] < e["max"] and e["step"] >= 0.001 and e["mode"] in ("auto", "box", "slider"), e
    if e["platform"] == "select":
        assert e["options"] and len(set(e["options"])) == len(e["options"]), e
        return
    kind, state = e.get("device_class"), e.get("state_class")
    assert state in (None, "measurement", "measurement_angle", "total", "total_increasing"), e
    if "options" in e:
        assert kind == "enum" and not state and "unit_of_measurement" not in e, e
        assert e["options"] and len(set(e["options"])) == len(e["options"]), e
    elif kind:
        assert e.get("unit_of_measurement") in UNITS[kind], e
    if kind in ("energy", "reactive_energy"):
        assert state in ("total", "total_increasing"), e
    if state == "total_increasing":
        assert kind not in ("power", "temperature", "voltage"), e


def check_announcement(topic, payload, seen):
    found = json.loads(payload)
    assert re.fullmatch("homeassistant/device/[a-zA-Z0-9_-]+/config", topic), topic
    assert set(found) == {"device", "origin", "availability", "availability_mode", "qos", "components"}, set(found)
    assert found["device"]["identifiers"] and found["origin"]["name"] == "wirepost" and found["qos"] == 1
    assert found["availability_mode"] == "all" and len(found["availability"]) == 2
    for name, e in found["components"].items():
        check_entity(name, e)
        assert e["unique_id"] not in seen, e
        seen.add(e["unique_id"])
    return found


class HomeAssistant:
    """Keeps the state of an entity from one message to the next, as Home Assistant does."""

    def __init__(self, watcher):
        self.watcher, self.states, self.seen = watcher, {}, {}

    def take(self, e, payload):
        value_json = json.loads(payload) if payload.startswith("{") else None
        state = jinja2.Template(e["value_template"]).render(
            value=payload, value_json=value_json, this={"state": self.states.get(e["unique_id"], "unknown")})
        if state == "None":
            state = "unknown"
        elif e["platform"] == "binary_sensor":
            state = {e["payload_on"]: "on", e["payload_off"]: "off"}[state]
        elif e["platform"] == "switch":
            state = {e["state_on"]: "on", e["state_off"]: "off"}[state]
        self.states[e["unique_id"]] = state

    def see(self, e):
        messages = list(self.watcher.messages)
        for topic, payload in messages[self.seen.get(e["unique_id"], 0):]:
            if topic == e["state_topic"]:
                self.take(e, payload.decode())
        self.seen[e["unique_id"]] = len(messages)
        return self.states.get(e["unique_id"], "unknown")

    def wait(self, e, state):
        wait_for(lambda: self.see(e) == state, 15, "%s to be %s, it is %s" % (e["unique_id"], state, self.see(e)))


def announced(watcher):
    return {t: p for t, p in watcher.latest.items() if t.startswith("homeassistant/") and t.endswith("/config") and p}


def set_by_home_assistant(port, ha, tank, say):
    assert tank["limitless"]["platform"] == "sensor", "a number without limits is only shown"
    assert tank["door"]["platform"] == "sensor" and tank["door"]["options"] == ["shut", "open"]
    say("set tänk door open")
    ha.wait(tank["door"], "open")
    with Client(port) as c:
        c.connect("home-assistant-sets")
        for name, payload, state, held in (("speed", "750", "750", "750"), ("fan", tank["fan"]["payload_on"], "on", "true"),
                                           ("season", "summer", "summer", "summer"), ("fan", tank["fan"]["payload_off"], "off", "false")):
            c.publish(tank[name]["command_topic"], payload, qos=1)
            ha.wait(tank[name], state)
            assert say("get tänk %s" % name) == held
        count = len(ha.watcher.messages)
        c.publish(tank["action_reset"]["command_topic"], "PRESS", qos=1)
        wait_for(lambda: any(t.endswith("/result") and b"exception:1" in p for t, p in ha.watcher.messages[count:]), 15,
                 "the slave, which knows no function 0x42, to refuse")


def main():
    with Workplace() as w:
        port, slave_port = free_port(), free_port()
        config = w.write("a.yaml", CONFIG.format(folder=w.folder, port=port, slave_port=slave_port))
        os.symlink(os.path.abspath(os.path.join(os.path.dirname(__file__), "../../conf/templates")), w.path("templates"))
        w.start([WIREPOST, "simulate", config, "--control", w.path("control")], ready="ready")
        say = lambda line: control(w.path("control"), line)
        gateway = w.start([WIREPOST, "run", "-c", config], port=port)
        watcher = Watcher(port, "#")
        wait_for(lambda: len(announced(watcher)) == 3, 15, "three announcements")
        seen, devices = set(), {}
        for topic, payload in announced(watcher).items():
            found = check_announcement(topic, payload, seen)
            devices[found["device"]["name"]] = found
        assert set(devices) == {"meter-1", "Tank in the north", "weather"}, set(devices)
        for d in devices.values():
            for a in d["availability"]:
                watcher.wait(a["topic"], "online")

        meter, tank, weather = (devices[n]["components"] for n in ("meter-1", "Tank in the north", "weather"))
        assert devices["Tank in the north"]["device"]["manufacturer"] == "Acme"
        assert devices["Tank in the north"]["device"]["model"] == "T1"
        assert meter["voltage"]["device_class"] == "voltage" and meter["voltage"]["state_class"] == "measurement", meter["voltage"]
        assert any(e.get("device_class") == "energy" for e in meter.values())
        assert tank["mode"]["options"] == ["off", "heating", "cooling"]
        ha = HomeAssistant(watcher)
        level = next(e for n, e in tank.items() if n.startswith("F"))
        assert level["name"] == "Füllstand"
        for command, e, state in (("set tänk level -1.5", tank["level"], "-1.5"), ("set tänk Füllstand 40", level, "40"),
                                  ("get tänk level", tank["double"], "-3"), ("set tänk mode heating", tank["mode"], "heating"),
                                  ("set tänk pump 1", tank["pump"], "on"), ("set tänk serial AB12", tank["serial"], "AB12"),
                                  ("set weather temperature -4.5", weather["temperature"], "-4.5"),
                                  ("set weather rain 1", weather["rain"], "on"), ("set weather rain 0", weather["rain"], "off")):
            assert not say(command).startswith("error"), command
            ha.wait(e, state)
        assert ha.see(weather["temperature"]) == "-4.5", "rain alone was told of"

        set_by_home_assistant(port, ha, tank, say)
        say("fault tänk silent")
        say("fault weather silent")
        for e in (tank["level"], tank["double"], tank["pump"], weather["temperature"], weather["rain"]):
            ha.wait(e, "unknown")
        before = announced(watcher)
        count = len(watcher.messages)
        with Client(port) as c:
            c.connect("home-assistant")
            c.publish("homeassistant/status", b"online")
        for topic in before:
            wait_for(lambda: topic in [t for t, p in watcher.messages[count:]], 15, "%s to come again" % topic)
        assert announced(watcher) == before
        gateway.stop()
        print("%d entities of %d devices announced" % (len(seen), len(devices)))


main()
