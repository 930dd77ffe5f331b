"""Does the page show values as they come, say when there are none, and never pass off old ones as live?

In headless Chromium, under a name as in the field (not a secure context): values,
units, ages by the gateway's clock, reasons, hostile texts, a narrow screen, the
gateway frozen, killed and started again. Needs chromium and chromium-driver.
Set SCREENSHOTS to a folder to keep pictures.
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
import mqtt
from browser import Browser
from programs import Workplace
from web import WebSite

EVIL = "<img src=x onerror=document.title='bad'>"
TAGS = {"voltage": {"unit": "V", "type": "f32", "poll_ms": 1000}, "state": {"unit": "", "type": "u16", "poll_ms": 1000},
        "a_name_as_long_as_they_get_in_the_field": {"unit": "kWh"}}
DEVICES = {"meter-1": {"bus": "rs485-1", "unit": 1, "template": "eastron-sdm120", "tags": TAGS},
           "tank": {"bus": "rs485-1", "unit": 2, "template": None, "tags": {"level": {"unit": "m"}, "temperature": {"unit": "degC"}}},
           EVIL: {"bus": EVIL, "unit": 3, "template": None, "tags": {EVIL: {"unit": EVIL}}}}
SKEW_MS = 3 * 3600 * 1000  # how far the gateway's clock is behind

CELLS = """
const cells = {}
for (const card of document.querySelectorAll('.card')) {
  const name = card.querySelector('h3').textContent
  cells[name] = card.querySelector('.badge').textContent
  for (const row of card.querySelectorAll('tbody tr')) {
    const [value, unit, why] = row.querySelectorAll('td.reading span')
    cells[name + '/' + row.querySelector('th').textContent] =
      [value.textContent, unit.textContent, why.textContent, row.querySelector('td.age').textContent]
  }
}
return cells"""


class Feed(mqtt.Client):
    def __init__(self, port):
        super().__init__(port, version=4)
        self.connect("feed")
        self.seq = 0

    def retain(self, topic, payload):
        self.publish("wp/plant7/" + topic, payload if isinstance(payload, str) else json.dumps(payload), qos=1, retain=True)

    def announce(self):
        self.retain("state", "online")
        self.retain("info", {"id": "plant7", "version": "0.1.0", "started": 0})
        self.retain("devices", DEVICES)
        for name, availability in (("meter-1", "online"), ("tank", "offline")):
            self.retain(f"d/{name}/availability", availability)
        self.retain("d/tank/status", {"state": "quarantined", "reason": "timeout"})
        self.retain("d/tank/v/level", "")
        self.values("tank", {"temperature": None}, {"temperature": "exception:2"})
        self.values("meter-1", {"voltage": 229.5, "state": 4, "a_name_as_long_as_they_get_in_the_field": 123456789.25})

    def values(self, device, values, reasons=None):
        self.seq += 1
        for tag, value in values.items():
            plain = "" if value is None else value if isinstance(value, str) else json.dumps(value)
            self.retain(f"d/{device}/v/{tag}", plain)
        self.retain(f"d/{device}/json", {"ts": int(time.time() * 1000) - SKEW_MS, "seq": self.seq, "v": values, "q": reasons or {}})


def shoot(b, name):
    if os.environ.get("SCREENSHOTS"):
        time.sleep(0.5)
        b.screenshot(os.path.join(os.environ["SCREENSHOTS"], name + ".png"))


def wait_for_cell(b, cell, want, seconds=5):
    value, took = b.wait_for(f"{CELLS.replace('return cells', '')} const c = cells[{json.dumps(cell)}]\n"
                             f"return c && JSON.stringify(c.slice(0, 3)) === {json.dumps(json.dumps(want, separators=(',', ':')))}", seconds)
    return took


def shows_values(b, feed):
    b.wait_for("return document.querySelectorAll('.card').length === 3", 5)
    wait_for_cell(b, "meter-1/voltage", ["229.5", "V", ""])
    wait_for_cell(b, "tank/temperature", ["no data", "", "refused: illegal address"])
    wait_for_cell(b, "tank/level", ["no data", "", "timed out"])
    cells = b.run(CELLS)
    assert (cells["meter-1"], cells["tank"]) == ("online", "offline"), cells
    took = []
    for i in range(20):
        feed.values("meter-1", {"voltage": 230.25 + i})
        took.append(wait_for_cell(b, "meter-1/voltage", [json.dumps(230.25 + i), "V", ""]))
    print("ok   values, units, reasons; a change shows after at most %.0f ms" % (1000 * max(took)))
    feed.publish("wp/plant7/x/much", "x" * 300000)  # more than one frame holds
    feed.values("meter-1", {"voltage": None}, {"voltage": "timeout"})
    wait_for_cell(b, "meter-1/voltage", ["no data", "", "timed out"])
    feed.values("meter-1", {"voltage": 0.0})
    wait_for_cell(b, "meter-1/voltage", ["0.0", "V", ""])
    print("ok   no data, and back")


def counts_ages(b, feed):
    feed.values("meter-1", {"voltage": 231.5})
    wait_for_cell(b, "meter-1/voltage", ["231.5", "V", ""])
    ages = set()
    for _ in range(42):
        ages.add(b.run(CELLS)["meter-1/voltage"][3])
        time.sleep(0.1)
    assert {"1 s", "2 s", "3 s"} <= ages <= {"0 s", "1 s", "2 s", "3 s", "4 s", "5 s"}, ages
    print("ok   ages count by a gateway's clock that is 3 hours behind")


def ages_wait_for_the_clock(b, feed):
    """Right after loading only retained messages are known: by which clock they were stamped, a live one tells."""
    age = b.run(CELLS)["meter-1/voltage"][3]
    assert age.startswith("> ") and age.endswith(" s"), age
    feed.values("tank", {"level": 2.5})
    wait_for_cell(b, "tank/level", ["2.5", "m", ""])
    _, took = b.wait_for(CELLS + "['meter-1/voltage'][3].match(/^\\d+ s$/)", 2)
    print("ok   ages of retained values wait for the gateway's clock")


def shows_texts_as_texts(b, feed):
    feed.values(EVIL, {EVIL: EVIL})
    wait_for_cell(b, f"{EVIL}/{EVIL}", [EVIL, EVIL, ""])
    assert b.run("return document.images.length") == 0
    assert "bad" not in b.run("return document.title")
    print("ok   hostile texts are only texts")


def fits(b):
    for width, height in ((360, 740), (768, 1024), (1280, 800)):
        for scheme in ("light", "dark"):
            b.resize(width, height)
            b.colour_scheme(scheme)
            scroll, inner = b.run("return [document.documentElement.scrollWidth, innerWidth]")
            assert scroll <= inner == width, (width, scroll, inner)
            shoot(b, f"page-{width}-{scheme}")
    print("ok   360, 768 and 1280 pixels without sideways scrolling")


def state_of(b):
    return b.run("return [document.body.classList.contains('lost'), document.getElementById('banner').hidden, "
                 "getComputedStyle(document.getElementById('gateways')).opacity, document.title]")


def lost_within(b, seconds, what):
    _, took = b.wait_for("return document.body.classList.contains('lost')", seconds)
    time.sleep(0.5)
    lost, hidden, opacity, title = state_of(b)
    assert lost and not hidden and float(opacity) < 0.8 and title.startswith("(offline)"), state_of(b)
    assert "Connection lost" in b.run("return document.getElementById('banner').innerText")
    print("ok   %s: said so and dimmed after %.1f s" % (what, took))


def live_within(b, seconds, what):
    _, took = b.wait_for("return document.getElementById('link').textContent === 'live'", seconds)
    assert state_of(b)[:2] == [False, True]
    print("ok   %s: live after %.1f s" % (what, took))


def main():
    with Workplace() as w, Browser(w, ["--host-resolver-rules=MAP plant7.local 127.0.0.1, MAP evil.example 127.0.0.1"]) as b:
        site = WebSite(w)
        b.resize(1280, 800)
        b.open(f"http://plant7.local:{site.web_port}/")
        live_within(b, 5, "opened")
        b.wait_for("return !document.getElementById('empty').hidden", 5)
        feed = Feed(site.port)
        feed.announce()
        shows_values(b, feed)
        counts_ages(b, feed)
        feed.retain("devices", {k: v for k, v in DEVICES.items() if k != EVIL})
        b.wait_for("return document.querySelectorAll('.card').length === 2", 5)
        fits(b)
        feed.retain("devices", DEVICES)
        shows_texts_as_texts(b, feed)
        b.open(f"http://plant7.local:{site.web_port}/")
        wait_for_cell(b, "meter-1/voltage", ["231.5", "V", ""])
        ages_wait_for_the_clock(b, feed)
        hosts = b.run("return [...new Set(performance.getEntriesByType('resource').map(e => new URL(e.name).host))]")
        assert hosts == [f"plant7.local:{site.web_port}"], hosts
        assert b.console() == [], b.console()
        print("ok   nothing from elsewhere, nothing on the console")

        time.sleep(2)
        site.program.pause()
        lost_within(b, 3, "frozen")
        shoot(b, "page-lost")
        site.program.resume()
        live_within(b, 8, "thawed")
        site.program.kill()
        lost_within(b, 3, "killed")
        time.sleep(2)
        site.program = site.start()
        live_within(b, 8, "started again")
        feed = Feed(site.port)
        feed.announce()
        wait_for_cell(b, "meter-1/voltage", ["229.5", "V", ""])

        b.open(f"http://evil.example:{site.web_port}/")
        assert "Misdirected" in b.run("return document.body.innerText")
        print("ok   a rebound name gets nothing")
        site.program.stop()


main()
