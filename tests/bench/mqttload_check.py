"""Does mqttload count exactly what a broker does wrong?

A broker of a few lines drops, doubles and damages messages at fixed intervals
and counts what it did; mqttload's lost, duplicated and corrupt must be the
same numbers, and its exit status must tell. A good broker must pass. The
output of each mode must have the fields that scripts/bench reads.
"""
import json
import os
import socket
import subprocess
import threading

MQTTLOAD = os.environ["MQTTLOAD"]
CONNACK, SUBACK, ACKS = b"\x20\x02\x00\x00", 0x90, {1: 0x40, 2: 0x50}


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def matches(filter_, topic):
    wanted, levels = filter_.split("/"), topic.split("/")
    for i, level in enumerate(wanted):
        if level == "#":
            return True
        if i >= len(levels) or level not in ("+", levels[i]):
            return False
    return len(wanted) == len(levels)


class Broker:
    """A thread per client; every packet is handled under one lock."""

    def __init__(self, drop=0, double=0, damage=0):
        self.drop, self.double, self.damage = drop, double, damage
        self.dropped = self.doubled = self.damaged = self.published = 0
        self.lock = threading.Lock()
        self.subscriptions = []
        self.retained = {}
        self.next_id = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        data = b""
        while received := client.recv(65536):
            data += received
            with self.lock:
                data = self.take(client, data)

    def take(self, client, data):
        while len(data) >= 2:
            if data[1] & 0x80 and len(data) < 5:
                break
            length, at = varint(data, 1)
            if len(data) < at + length:
                break
            self.handle(client, data[0], data[at:at + length])
            data = data[at + length:]
        return data

    def handle(self, client, head, body):
        if head >> 4 == 1:
            client.sendall(CONNACK)
        elif head >> 4 == 3:
            self.publish(client, head, body)
        elif head >> 4 == 5:
            client.sendall(b"\x62\x02" + body)
        elif head >> 4 == 6:
            client.sendall(b"\x70\x02" + body)
        elif head >> 4 == 8:
            self.subscribe(client, body)

    def subscribe(self, client, body):
        at, codes = 2, b""
        while at < len(body):
            length = int.from_bytes(body[at:at + 2], "big")
            self.subscriptions.append((body[at + 2:at + 2 + length].decode(), client))
            codes += body[at + 2 + length:at + 3 + length]
            at += 3 + length
        client.sendall(bytes([SUBACK, 2 + len(codes)]) + body[:2] + codes)
        for topic, (qos, payload) in self.retained.items():
            if matches(self.subscriptions[-1][0], topic):
                self.send(client, topic, qos, payload)

    def publish(self, client, head, body):
        qos, length = head >> 1 & 3, int.from_bytes(body[:2], "big")
        topic, at = body[2:2 + length].decode(), 2 + length
        if qos:
            client.sendall(bytes([ACKS[qos], 2]) + body[at:at + 2])
            at += 2
        if head & 1:
            self.retained[topic] = qos, body[at:]
        for filter_, receiver in self.subscriptions:
            if matches(filter_, topic):
                self.deliver(receiver, topic, qos, body[at:])

    def deliver(self, receiver, topic, qos, payload):
        self.published += 1
        if self.drop and self.published % self.drop == 0:
            self.dropped += 1
            return
        if self.damage and self.published % self.damage == 0:
            self.damaged += 1
            payload = payload[:40] + bytes([payload[40] ^ 4]) + payload[41:]
        elif self.double and self.published % self.double == 0:
            self.doubled += 1
            self.send(receiver, topic, qos, payload)
        self.send(receiver, topic, qos, payload)

    def send(self, receiver, topic, qos, payload):
        self.next_id = self.next_id % 65535 + 1
        body = len(topic).to_bytes(2, "big") + topic.encode()
        body += self.next_id.to_bytes(2, "big") if qos else b""
        body += payload
        assert len(body) < 16384
        receiver.sendall(bytes([0x30 | qos << 1, len(body) & 0x7F | 0x80, len(body) >> 7]) + body)


def load(broker, *options):
    done = subprocess.run([MQTTLOAD, "--port", str(broker.port), "--quiet", "400", *options],
                          stdout=subprocess.PIPE, text=True, timeout=60, check=False)
    result = json.loads(done.stdout)
    assert result["exit"] == done.returncode, (result, done.returncode)
    print(" ".join(options), "->", {key: result[key] for key in ("exit", "received", "lost", "duplicated", "corrupt")
                                    if key in result}, flush=True)
    return result


def bad_broker():
    for qos, status in ((0, 2), (1, 2), (2, 2)):
        broker = Broker(drop=50, double=70, damage=90)
        result = load(broker, "--pubs", "4", "--layout", "pairwise", "--messages", "500", "--qos", str(qos))
        # a damaged message counts as one that has not come, too
        assert result["lost"] == broker.dropped + broker.damaged, (result, vars(broker))
        assert (result["duplicated"], result["corrupt"]) == (broker.doubled, broker.damaged), (result, vars(broker))
        assert result["exit"] == status and broker.dropped == 40, result
    broker = Broker(drop=50)
    assert load(broker, "--qos", "1")["exit"] == 3
    broker = Broker(drop=50)
    assert load(broker, "--qos", "0")["exit"] == 0


def good_broker():
    for options in (["--layout", "fanin", "--pubs", "5"], ["--layout", "fanout", "--subs", "5", "--qos", "1"],
                    ["--layout", "wildcard", "--pubs", "4", "--subs", "8", "--ballast", "120", "--qos", "2"],
                    ["--layout", "pairwise", "--pubs", "6", "--threads", "3", "--qos", "1", "--batch", "1"],
                    ["--topics", "7"]):
        result = load(Broker(), "--messages", "200", *options)
        assert result["exit"] == 0 and result["received"] == result["expected"] > 0, result
        assert not any(result[key] for key in ("lost", "duplicated", "corrupt", "out_of_order", "foreign", "bad_acks")), result


def modes():
    pid = ["--pid", str(os.getpid())]
    for fields, options in (
            (("cpu_us_per_msg", "lat_p50_us", "lat_p99_us", "late_p99_us", "peak_rss_kib", "msgs_per_s"),
             ["--rate", "500", "--messages", "100", "--qos", "1"]),
            (("store_cpu_us", "fetch_cpu_us", "bytes_per_retained"), ["--mode", "retained", "--messages", "300", "--qos", "1"]),
            (("rss_bytes_per_conn", "idle_cpu_s"), ["--mode", "idle", "--conns", "20", "--hold", "10"]),
            (("cpu_us_per_conn", "connect_p99_us"), ["--mode", "storm", "--conns", "50"])):
        result = load(Broker(), *options, *pid)
        assert result["exit"] == 0 and all(field in result for field in fields), result


def wrong_options():
    for options in (["--qos", "3"], ["--payload", "8"], ["--layout", "ring"], ["--tag", "x" * 33], ["--no-such"],
                    ["--layout", "pairwise", "--pubs", "2", "--subs", "3"]):
        done = subprocess.run([MQTTLOAD, *options], capture_output=True, text=True, timeout=10, check=False)
        assert done.returncode == 64 and done.stderr and not done.stdout, (options, done)


bad_broker()
good_broker()
modes()
wrong_options()
print("mqttload counts what happens")
