"""Are the values that clients see those that the slaves hold?

Registers of simulated RTU and TCP slaves are set one by one; each new value has
to arrive at mosquitto_sub (MQTT 5 and 3.1.1) and, through /mqtt, at MQTT.js.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Site
from programs import Workplace, wait_for

MQTT_JS = """
const mqtt = require('mqtt')
const c = mqtt.connect('ws://127.0.0.1:' + process.argv[1] + '/mqtt', {protocolVersion: +process.argv[2]})
c.on('connect', () => c.subscribe('wp/#', () => console.log('subscribed')))
c.on('message', (topic, payload) => console.log(topic + ' ' + payload))
c.on('error', e => console.log('error ' + e))
"""

# device, tag, what to set, what clients have to see
STEPS = [
    ("tank", "level", "0", "0"), ("tank", "level", "65535", "65535"),
    ("tank", "temp", "-12.5", "-12.5"), ("tank", "temp", "21.3", "21.3"),
    ("tank", "total", "4294967295", "4294967295"), ("tank", "total", "65536", "65536"),
    ("tank", "swapped", "-2", "-2"), ("tank", "swapped", "2147483647", "2147483647"),
    ("tank", "flow", "230.1", "230.1"), ("tank", "flow", "-0.5", "-0.5"),
    ("tank", "pump", "1", "true"), ("tank", "pump", "0", "false"),
    ("tank", "door", "1", "true"), ("tank", "door", "0", "false"),
    ("meter", "voltage", "229.75", "229.75"), ("press", "force", "1234.5", "1234.5"),
    ("press", "strokes", "123456789", "123456789"),
]


def main():
    with Workplace() as w:
        site = Site(w)
        site.start_simulator()
        site.start_gateway()
        seen = {
            "mosquitto_sub v5": w.start(["mosquitto_sub", "-h", "127.0.0.1", "-V", "5", "-p", str(site.port), "-t", "wp/#", "-v"]),
            "mosquitto_sub v311": w.start(["mosquitto_sub", "-h", "127.0.0.1", "-V", "311", "-p", str(site.port), "-t", "wp/#", "-v"]),
            "MQTT.js v5": w.start(["node", "-e", MQTT_JS, str(site.web_port), "5"], ready="subscribed",
                                  env=dict(os.environ, NODE_PATH="/usr/share/nodejs")),
            "MQTT.js v311": w.start(["node", "-e", MQTT_JS, str(site.web_port), "4"], ready="subscribed",
                                    env=dict(os.environ, NODE_PATH="/usr/share/nodejs")),
        }
        for device, tag, value, want in STEPS:
            starts = {name: len(p.log()) for name, p in seen.items()}
            assert site.control("set %s %s %s" % (device, tag, value)).startswith("ok"), (device, tag, value)
            line = "^wp/site/d/%s/v/%s %s$" % (device, tag, re.escape(want))
            for name, p in seen.items():
                # Unchanged: it held this value by chance, and nothing new is published.
                found = lambda: re.findall(line, p.log(), re.M) and \
                    re.findall("^wp/site/d/%s/v/%s (.*)$" % (device, tag), p.log(), re.M)[-1] == want
                wait_for(found, 15, "%s to show %s of %s as %s" % (name, tag, device, want))
            print("ok   %s/%s = %s at %d clients" % (device, tag, want, len(starts)))
        json = subprocess.run(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(site.port), "-t", "wp/site/d/tank/json", "-C", "1", "-W", "10"],
                              capture_output=True, text=True)
        print("json:", json.stdout.strip())
        assert '"seq":' in json.stdout and '"q":{}' in json.stdout
        site.gateway.stop()
        site.simulator.stop()


main()
