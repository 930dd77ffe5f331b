"""Do values disappear when their device does, and come back by themselves?

The simulator is stopped: after stale_after every tag has no data, with the
reason `timeout`, and each device is offline. It is started again: all good
within 15 s, wirepost not restarted. Then the same with single devices that go
silent, refuse or answer rubbish while the others go on.
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Site
from programs import Workplace, wait_for


def reasons(c, device):
    """The last known reason of each tag of a device, '' when good, from its json messages."""
    state = {}
    for message in c.json("wp/site/d/%s/json" % device):
        for tag, value in message["v"].items():
            state[tag] = message["q"].get(tag, "")
            assert (value is None) == bool(state[tag]), message
    return state


def wait_gone(c, devices, reason):
    for device in devices:
        c.wait("wp/site/d/%s/availability" % device, "offline")
        wait_for(lambda: set(reasons(c, device).values()) == {reason}, 45,
                 "%s to be bad with %s: %s" % (device, reason, reasons(c, device)))
        for topic in [t for t in c.latest if t.startswith("wp/site/d/%s/v/" % device)]:
            c.wait(topic, "")


def wait_back(c, devices):
    for device in devices:
        c.wait("wp/site/d/%s/availability" % device, "online")
        wait_for(lambda: set(reasons(c, device).values()) == {""}, 15,
                 "%s to be good: %s" % (device, reasons(c, device)))


def main():
    with Workplace() as w:
        site = Site(w)
        site.start_simulator()
        site.start_gateway()
        c = site.watch("wp/#")
        devices = ["tank", "press", "meter"]
        wait_back(c, devices)

        for how in ("stopped", "killed", "paused"):
            # the meter's energies are read every 10 s, so they stand for 30 s: once is enough
            devices = ["tank", "press", "meter"] if how == "stopped" else ["tank", "press"]
            begin = time.monotonic()
            {"stopped": site.simulator.stop, "killed": site.simulator.kill, "paused": site.simulator.pause}[how]()
            if how == "killed":
                # the link it leaves names a pty whose number the next program on this machine may be given
                os.unlink(w.path("line"))
            wait_gone(c, devices, "timeout")
            print("simulator %s: no data after %.1f s" % (how, time.monotonic() - begin))
            begin = time.monotonic()
            if how == "paused":
                site.simulator.resume()
            else:
                site.start_simulator()
            wait_back(c, devices)
            took = time.monotonic() - begin
            print("simulator back: good after %.1f s" % took)
            assert took < 15, took

        for fault, reason in (("silent", "timeout"), ("crc", "crc"), ("exception 2", "exception:2")):
            assert site.control("fault tank " + fault).startswith("ok")
            wait_for(lambda: set(reasons(c, "tank").values()) == {reason}, 15,
                     "tank to be bad with %s: %s" % (reason, reasons(c, "tank")))
            assert set(reasons(c, "meter").values()) == {""}, reasons(c, "meter")
            seen = len(c.messages)
            wait_for(lambda: any("d/meter/json" in t for t, p in c.messages[seen:]), 5, "the meter to go on")
            assert site.control("fault tank off").startswith("ok")
            wait_back(c, ["tank"])
            print("tank %s: null with %s, the meter went on" % (fault, reason))

        # slow: what the paused simulator was asked it answered later
        status = json.loads(c.latest["wp/site/d/tank/status"])
        assert status["state"] in ("up", "slow") and status["timeouts"] > 0 and status["exceptions"] > 0, status
        site.gateway.stop()
        c.wait("wp/site/state", "offline")


main()
