"""The broker with plugins, and what the plugin `record` (tests/plugins/record.c) has written down.

    with Workplace() as w:
        broker, port, record = start_recording(w)
        record.wait("client_connected", client="me")     # the next such event; those before it are skipped
        record.events("intercept_publish", topic="a")    # all so far
"""
import json
import os

from lib.programs import WIREPOST, free_port, wait_for

PLUGINS = os.environ.get("PLUGINS", os.path.join(os.path.dirname(WIREPOST), "plugins"))


def plugin(name):
    return os.path.join(PLUGINS, name + ".so")


def fits(event, name, fields):
    return event["event"] == name and all(event.get(k) == v for k, v in fields.items())


class Record:
    def __init__(self, path):
        self.path, self.at = path, 0

    def all(self):
        if not os.path.exists(self.path):
            return []
        with open(self.path) as f:
            return [json.loads(line) for line in f.read().split("\n")[:-1]]

    def events(self, name, /, **fields):
        return [e for e in self.all() if fits(e, name, fields)]

    def wait(self, name, /, **fields):
        def there():
            for i, event in enumerate(self.all()[self.at:]):
                if fits(event, name, fields):
                    self.at += i + 1
                    return event
            return None
        return wait_for(there, 10, "%s %s in %s" % (name, fields, self.all()[self.at:][-20:]))

    def names(self, since=0):
        """The events from there on, without packets."""
        return [e["event"] for e in self.all()[since:] if "packet" not in e["event"]]


def configuration(port, plugins, **more):
    """plugins: a list of {path, options}."""
    broker = {"listeners": [{"port": port}], "sys_interval": "0s", "plugins": plugins}
    broker.update(more)
    return json.dumps({"web": {"enabled": False}, "broker": broker}) + "\n"


def start(w, plugins, **more):
    """The program, its port, its configuration's path."""
    port = free_port()
    config = w.write("wirepost.yaml", configuration(port, plugins, **more))
    return w.start([WIREPOST, "run", "-c", config], ready="broker running"), port, config


def start_recording(w, **more):
    path = w.path("record")
    broker, port, _ = start(w, [{"path": plugin("record"), "options": {"file": path}}], **more)
    return broker, port, Record(path)
