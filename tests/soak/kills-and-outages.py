#!/usr/bin/env python3
"""Is anything lost, repeated under a new number, or out of order when wirepost is killed again and again and the upstream comes and goes?

By hand, a few minutes: WIREPOST=build/wirepost tests/soak/kills-and-outages.py [KILLS] [SEED]

Two devices with five tags at 10 Hz; the upstream is mosquitto behind a relay. At random moments wirepost is killed by
SIGKILL and started again, the relay is cut, hangs or comes back, and mosquitto is restarted without its session. At the
end every seq of every device has to have arrived in order, but for what was read in the last 2 s before a kill.
"""
import json
import os
import random
import socket
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration/lib"))
from gateway import Site
from programs import Workplace, free_port, wait_for

LINGER_MS = 2000
SLACK_MS = 150  # the clock is read before the kill
KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 30
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)

CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
broker: {{listeners: [{{port: {port}}}]}}
web: {{enabled: false}}
buses:
  - name: plc
    type: modbus-tcp
    host: 127.0.0.1
    port: {plc_port}
    devices:
""" + "".join("""
      - name: %s
        unit: %d
        tags:
""" % (name, unit) + "".join(
    "          - {{name: t%d, table: holding, address: %d, type: u32, poll: 100ms}}\n" % (i, 2 * i) for i in range(5))
    for name, unit in (("tank", 1), ("press", 2))) + "{bridges}"


class Relay(threading.Thread):
    """Carries bytes between the bridge and mosquitto while it is `up`; `cut` refuses and closes, `hang` accepts and is silent."""

    def __init__(self, port, to_port):
        super().__init__(daemon=True)
        self.to_port, self.state, self.pairs = to_port, "up", []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.start()

    def run(self):
        while True:
            near, _ = self.listener.accept()
            if self.state == "cut":
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.to_port))
            except OSError:
                near.close()
                continue
            self.pairs.append((near, far))
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    def carry(self, a, b):
        try:
            while True:
                data = a.recv(65536)
                while self.state == "hang":
                    time.sleep(0.02)
                if not data or self.state == "cut":
                    break
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def turn(self, state):
        self.state = state
        if state == "cut":
            for pair in self.pairs:
                for s in pair:
                    try:
                        s.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
            self.pairs.clear()


class Upstream:
    def __init__(self, site):
        self.site, self.port, self.arrived = site, free_port(), []
        self.start()
        self.relay = Relay(site.upstream_port, self.port)

    def start(self):
        self.broker = self.site.w.start_mosquitto(self.port, "max_queued_messages 0\n")
        self.watcher = self.site.watch("far/wp/site/d/+/json", port=self.port)
        assert self.watcher.subscribed.wait(10)

    def restart(self):
        """Nothing that was acknowledged may be missed: first the bridge is cut off, then the watcher gets the rest."""
        self.relay.turn("cut")
        time.sleep(1)
        self.arrived += list(self.watcher.messages)
        self.watcher.done = True
        self.broker.stop(status=None)
        self.start()

    def messages(self):
        return self.arrived + list(self.watcher.messages)


def by_device(messages):
    """{device: [(seq, ts)]} in the order of their first coming."""
    got, seen = {}, set()
    for topic, payload in messages:
        message, device = json.loads(payload), topic.split("/")[-2]
        item = (message["seq"], message["ts"])
        if (device, item) not in seen:
            seen.add((device, item))
            got.setdefault(device, []).append(item)
    return got


def check_order(arrived, made):
    for device, items in arrived.items():
        numbers = [seq for seq, ts in items]
        assert len(numbers) == len(set(numbers)), "%s: a seq was used twice" % device
        wrong = [(a, b) for a, b in zip(numbers, numbers[1:]) if b < a]
        assert not wrong, "%s: out of order: %s" % (device, wrong[:9])
        assert len({seq for seq, ts in made[device]}) == len(made[device]), "%s: a seq was given twice" % device


def check_missing(arrived, made, kills):
    for device, items in made.items():
        missing = sorted(set(items) - set(arrived[device]))
        ages = [min((k - ts for k in kills if k + SLACK_MS >= ts), default=None) for seq, ts in missing]
        print("%s: made %d, arrived %d, missing %d, the oldest %s ms before its kill" % (
            device, len(items), len(arrived[device]), len(missing), max(ages, default=0)))
        bad = [(m, a) for m, a in zip(missing, ages) if a is None or a > LINGER_MS + SLACK_MS]
        assert not bad, "%s: lost although older than the linger: %s" % (device, bad[:9])


def run(w):
    site = Site(w, CONFIG)
    site.config(bridge=random.choice((4, 5)))
    site.start_simulator()
    up = Upstream(site)
    site.start_gateway()
    local = site.watch("wp/site/d/+/json")
    kills, told = [], {"up": 1, "cut": 0, "hang": 0, "restart": 0}

    next_kill, next_turn = time.time() + 5, time.time() + 2
    while len(kills) < KILLS:
        now = time.time()
        if now >= next_turn:
            state = random.choice(("up", "up", "cut", "hang", "restart"))
            told[state] += 1
            if state == "restart":
                up.restart()
                state = "up"
            up.relay.turn(state)
            next_turn = now + random.choice((0.3, 2, 6)) * random.uniform(0.5, 1.5)
        if now >= next_kill:
            kills.append(time.time() * 1000)
            site.gateway.kill()
            site.start_gateway()
            next_kill = now + random.choice((0.5, 4, 12)) * random.uniform(0.5, 1.5)
        time.sleep(0.01)

    up.relay.turn("cut")
    up.relay.turn("up")
    time.sleep(4)  # the last life has numbered something
    last = {device: items[-1] for device, items in by_device(local.messages).items()}
    wait_for(lambda: all(last[d] in items for d, items in by_device(up.messages()).items()), 40, "the rest to arrive")
    time.sleep(2)
    made = by_device(local.messages)
    site.gateway.stop()
    time.sleep(1)
    arrived = by_device(up.messages())
    print("%d kills, upstream told %s" % (len(kills), told))
    check_order(arrived, made)
    check_missing(arrived, made, kills + [time.time() * 1000])


random.seed(SEED)
print("seed", SEED)
with Workplace() as workplace:
    run(workplace)
