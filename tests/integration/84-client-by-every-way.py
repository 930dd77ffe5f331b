#!/usr/bin/python3
"""Does the client deliver, come back and remember what it is subscribed to over TCP, TLS and WebSocket, with Mosquitto
and with our own broker, and do bridges reach their upstream by the same ways?"""
import os
import select
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(__file__))
from lib.bridges import CONFIG, Gateway, feed
from lib.certificates import Authority
from lib.mqtt import PUBACK, Client, ack
from lib.programs import WIREPOST, Workplace, free_port, wait_for
from lib.server import Server

CLIENT_ALONE = os.environ.get("CLIENT_ALONE", os.path.join(os.path.dirname(__file__), "../../build/tests/client_alone"))
LINES = b"".join(b"line %d\n" % i for i in range(500))
BINARY = bytes(range(256)) * 3000

OUR_CONFIGURATION = """
broker:
  sys_interval: 0s
  listeners:
    - {{port: {plain}}}
    - {{port: {tls}, tls: {{cert: {server.cert}, key: {server.key}}}}}
    - {{port: {ws}, protocol: websocket}}
    - {{port: {wss}, protocol: websocket, tls: {{cert: {server.cert}, key: {server.key}}}}}
web: {{enabled: false}}
"""
MOSQUITTO_LISTENERS = """
listener {tls} 127.0.0.1
cafile {ca.cert}
certfile {server.cert}
keyfile {server.key}
listener {ws}
protocol websockets
listener {wss}
protocol websockets
cafile {ca.cert}
certfile {server.cert}
keyfile {server.key}
"""


class Broker:
    """One that listens in each way that it has: urls."""

    def __init__(self, w, name, server, ca):
        self.w, self.name, self.server, self.ca = w, name, server, ca
        self.ports = {way: free_port() for way in ("plain", "tls", "ws", "wss")}
        self.urls = ["mqtt://127.0.0.1:%d" % self.ports["plain"], "mqtts://127.0.0.1:%d" % self.ports["tls"],
                     "ws://127.0.0.1:%d/mqtt" % self.ports["ws"], "wss://localhost:%d/mqtt" % self.ports["wss"]]
        self.start()

    def start(self):
        files = {"server": self.server, "ca": self.ca, **self.ports}
        if self.name == "mosquitto":
            extra = "max_queued_messages 0\n" + MOSQUITTO_LISTENERS.format(**files)
            self.program = self.w.start_mosquitto(self.ports["plain"], extra)
        else:
            config = self.w.write("ours.yaml", OUR_CONFIGURATION.format(**files))
            self.program = self.w.start([WIREPOST, "run", "-c", config], ready="broker running")

    def restart(self):
        self.program.kill()
        self.start()

    def client(self, name="other"):
        c = Client(self.ports["plain"])
        c.connect(name)
        return c


def run(command, *args, stdin=b""):
    done = subprocess.run([WIREPOST, command, *args], input=stdin, capture_output=True, timeout=60)
    assert done.returncode == 0, (args, done.returncode, done.stderr.decode())


def delivers(w, broker, url, ca):
    # Debian 12's Mosquitto leaves what a WebSocket does not take at once lying until something else wakes it.
    binary = BINARY[:20000] if broker.name == "mosquitto" and url.startswith("ws") else BINARY
    expected = LINES + binary + b"\n"
    with open(w.path("binary"), "wb") as f:
        f.write(binary)
    for qos in "012":
        common = ["--url", url, "-q", qos, *(["--cafile", ca.cert] if url.startswith(("mqtts", "wss")) else [])]
        s = w.start([WIREPOST, "sub", *common, "-t", "many/+"])

        def got():
            with open(s.log_path, "rb") as f:
                return f.read().replace(b"here?\n", b"")

        def there():
            with broker.client("asks") as c:
                c.publish("many/times", "here?", qos=1)
            return "here?" in s.log()
        wait_for(there, 20, "the subscriber")
        run("pub", *common, "-t", "many/lines", "-l", stdin=LINES)
        run("pub", *common, "-t", "many/file", "-f", w.path("binary"))
        wait_for(lambda: len(got()) >= len(expected), 30, "all bytes")
        assert got() == expected, (url, qos, len(got()), got()[-200:])
        s.stop()
    print("%s %s: 500 lines and %d bytes at QoS 0, 1, 2" % (broker.name, url, len(binary)))


class Alone:
    """tests/tools/client_alone.c: takes orders, tells events."""

    def __init__(self, w, url, ca, queue=0):
        self.program = w.start([CLIENT_ALONE, url, ca.cert if url.startswith(("mqtts", "wss")) else "-", str(queue)],
                               stdin=subprocess.PIPE)

    def order(self, *orders):
        for text in orders:
            self.program.process.stdin.write(text.encode() + b"\n")
        self.program.process.stdin.flush()

    def told(self, event, count=1, seconds=20):
        wait_for(lambda: self.program.log().splitlines().count(event) == count, seconds,
                 "%d times %r in\n%s" % (count, event, self.program.log()))

    def count(self, start):
        return sum(line.startswith(start) for line in self.program.log().splitlines())

    def end(self):
        self.program.process.stdin.close()
        assert self.program.process.wait(20) == 0, self.program.log()


def remembers(w, broker, url, ca):
    """Subscriptions over a broker that forgets, one removed meanwhile."""
    a = Alone(w, url, ca)
    a.order("subscribe t/a 1", "subscribe t/b 1", "subscribe t/a 1")
    a.told("subscribed t/a 1")
    a.told("subscribed t/b 1")
    a.order("subscribe t/b 1")
    broker.program.kill()
    wait_for(lambda: a.count("offline"), 20, "the loss")
    a.order("unsubscribe t/a", "unsubscribe t/none", "subscribe t/c 0")
    broker.start()
    a.told("online 0", 2)
    a.told("subscribed t/c 0")
    with broker.client() as c:
        for topic in "abc":
            c.publish("t/" + topic, topic, qos=1)
    a.told("message t/c c")
    a.told("message t/b b")
    assert a.count("message") == 2, a.program.log()
    # The second time for t/a nothing was asked: one answer each and connection.
    assert a.count("subscribed t/a") == 1 and a.count("subscribed t/b") == 2, a.program.log()
    a.end()
    print("%s %s: came back, with what it is subscribed to" % (broker.name, url))


def queues(w, broker, url, ca):
    broker.program.kill()
    a = Alone(w, url, ca, queue=5)
    wait_for(lambda: a.count("offline"), 20, "the failure")
    a.order(*("publish q %d %d" % (i % 3, i) for i in range(1, 9)), "stats")
    a.told("stats 5 3 0")
    for token in (6, 7, 8):
        a.told("refused %d" % token)
    broker.start()
    for token in range(1, 6):
        wait_for(lambda: a.count("published %d " % token) == 1, 20, "publish %d" % token)
    a.order("publish q 1 9")
    wait_for(lambda: a.count("published 9 ") == 1, 20, "publish 9")
    a.order("stats")
    a.told("stats 0 3 0")
    a.end()
    print("%s %s: 5 of 8 waited for the connection, 3 were refused and counted" % (broker.name, url))


class Relay:
    """Carries bytes to a port; while it is cut it takes connections and ends them."""

    def __init__(self, port):
        self.to, self.sock, self.pairs, self.is_cut = port, socket.create_server(("127.0.0.1", 0)), [], False
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near = self.sock.accept()[0]
            if self.is_cut:
                near.close()
                continue
            pair = (near, socket.create_connection(("127.0.0.1", self.to)))
            self.pairs.append(pair)
            threading.Thread(target=self.carry, args=pair, daemon=True).start()

    def carry(self, *pair):
        try:
            while True:
                for ready in select.select(pair, [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    pair[1 - pair.index(ready)].sendall(data)
        except (OSError, ValueError):
            return

    def cut(self):
        self.is_cut = True
        for pair in self.pairs:
            for sock in pair:
                sock.shutdown(socket.SHUT_RDWR)
        self.pairs = []

    def mend(self):
        self.is_cut = False


def tells_a_broker_that_remembers(w, broker, ca):
    """The session lives on: what was removed meanwhile has to be unsubscribed, what stays is not asked for again."""
    relay = Relay(broker.ports["plain"])
    a = Alone(w, "mqtt://127.0.0.1:%d" % relay.port, ca)
    a.order("subscribe t/a 1", "subscribe t/b 1")
    a.told("subscribed t/b 1")
    relay.cut()
    wait_for(lambda: a.count("offline"), 20, "the loss")
    a.order("unsubscribe t/a", "subscribe t/b 1")
    with broker.client() as c:
        c.publish("t/b", "meanwhile", qos=1)
    relay.mend()
    a.told("online 1")
    a.told("message t/b meanwhile")

    def only_b():
        with broker.client() as c:
            c.publish("t/a", "late", qos=1)
            heard = a.count("message t/a")
            c.publish("t/b", "after", qos=1)
        return heard == a.count("message t/a")
    wait_for(only_b, 20, "the end of t/a")
    before = a.count("message t/a")
    with broker.client() as c:
        c.publish("t/a", "later", qos=1)
        c.publish("t/b", "last", qos=1)
    a.told("message t/b last")
    assert a.count("message t/a") == before, a.program.log()
    assert a.count("subscribed t/b") == 1, a.program.log()
    a.end()
    print("%s: a session that lives on is told what was removed meanwhile" % broker.name)


def bridges(w, broker, ca):
    """The gateway's bridge by each way, over a restart of its upstream."""
    for url in broker.urls:
        way = url.split(":")[0]
        config = CONFIG.format(data=w.path("data-" + way), port=free_port(), upstream="UPSTREAM", protocol=5, keepalive="5s", more="")
        config = config.replace("mqtt://127.0.0.1:UPSTREAM", url)
        if way in ("mqtts", "wss"):
            config = config.replace("    client_id: gw", "    tls: {ca: %s}\n    client_id: gw" % ca.cert)
        port = int(config.split("port: ")[1].split("}")[0])
        gateway = w.start([WIREPOST, "run", "-c", w.write("gw-%s.yaml" % way, config)], port=port)
        gateway.wait_for_log("bridge cloud: connected to")
        with Client(port) as feeder, broker.client("reads") as reader:
            feeder.connect("feeder")
            reader.subscribe("sites/n")
            feed(feeder, range(100))
            got = [int(reader.recv(20).payload) for _ in range(100)]
        assert got == list(range(100)), got
        gateway.stop()
        print("bridge to %s %s: 100 messages, in order" % (broker.name, url))


def renewed_certificates_are_used(w, ca, server):
    """A bridge whose certificate has expired is refused until the file holds a better one; nobody restarts it."""
    upstream, port = free_port(), free_port()
    config = ("broker: {listeners: [{port: %d, tls: {cert: %s, key: %s, client_ca: %s, require_client_cert: true}}]}\n"
              "web: {enabled: false}\n" % (upstream, server.cert, server.key, ca.cert))
    w.start([WIREPOST, "run", "-c", w.write("strict.yaml", config)], ready="broker running")
    expired, good = ca.issue("bridge", first_day=-9, last_day=-1), ca.issue("bridge")
    config = CONFIG.format(data=w.path("data-renewed"), port=port, upstream=upstream, protocol=5, keepalive="5s", more="")
    config = config.replace("mqtt://", "mqtts://").replace(
        "    client_id: gw", "    tls: {ca: %s, cert: %s, key: %s}\n    client_id: gw" % (ca.cert, expired.cert, expired.key))
    gateway = w.start([WIREPOST, "run", "-c", w.write("renewed.yaml", config)], port=port)
    gateway.wait_for_log("bridge cloud: cannot connect to .*TLS: .*expired")
    for path, text in zip((expired.key, expired.cert), reversed(good.read())):
        with open(path, "w") as f:
            f.write(text)
    gateway.wait_for_log("bridge cloud: connected to", 20)
    gateway.stop()
    print("a bridge whose certificate was renewed came back by itself")


def topics_become_numbers(w):
    """An upstream that takes them is told a topic once a connection; state comes first and has a number too."""
    with Server() as server:
        gateway = Gateway(w, server.port)

        def accept(number, maximum, expected):
            peer = server.accept(topic_alias_maximum=maximum)
            p = peer.expect_publish("sites/gw/state", "online", qos=1)
            assert p.props.get("topic_alias") == (1 if maximum else None), p
            peer.send(ack(PUBACK, p.id))
            with gateway.client() as c:
                feed(c, [number, number + 1])
            for payload, (topic, alias) in zip((number, number + 1), expected):
                p = peer.expect_publish(topic, str(payload), qos=1)
                assert p.props.get("topic_alias") == alias, p
                peer.send(ack(PUBACK, p.id))
            peer.kill()
        accept(1, 2, (("sites/n", 2), ("", 2)))
        accept(3, 1, (("sites/n", None), ("sites/n", None)))
        accept(5, 2, (("sites/n", 2), ("", 2)))
        accept(7, 0, (("sites/n", None), ("sites/n", None)))
        gateway.program.kill()
    print("topics become numbers, once a connection, where the upstream takes them")


def main():
    with Workplace() as w:
        ca = Authority(w.path("ca"), "test CA")
        os.chmod(w.folder, 0o755)                         # mosquitto reads them as its own user
        server = ca.issue("server", names=["localhost"], addresses=["127.0.0.1"])
        os.chmod(server.key, 0o644)
        for name in ("mosquitto", "wirepost"):
            broker = Broker(w, name, server, ca)
            for url in broker.urls:
                delivers(w, broker, url, ca)
                remembers(w, broker, url, ca)
                queues(w, broker, url, ca)
            tells_a_broker_that_remembers(w, broker, ca)
            bridges(w, broker, ca)
            broker.program.stop(status=None)
        renewed_certificates_are_used(w, ca, server)
        topics_become_numbers(w)


if __name__ == "__main__":
    main()
