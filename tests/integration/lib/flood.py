"""A flood of messages of one size, faster than packets can be taken apart one by one.

    flood = Flood(port, "load", payload=1000, qos=1)
    taker = Taker(port, flood)
    flood.send(64); taker.take(64); flood.wait_for_acks(64)

The taker takes part in lockstep, so whatever it misses, the broker has lost.
"""
import time

from lib.mqtt import Client, publish


class Flood:
    def __init__(self, port, topic, payload, qos):
        self.qos = qos
        self.client = Client(port, version=4, timeout=60)
        self.client.connect("flood-%s" % topic)
        self.topic, self.body = topic, bytes(payload)
        self.frame_len = len(publish(topic, self.body, qos, 1, version=4))
        self.batches = {} # packets, by their count; ids begin anew with each

    def send(self, count):
        if count not in self.batches:
            self.batches[count] = b"".join(publish(self.topic, self.body, self.qos, i + 1, version=4)
                                           for i in range(count))
        self.client.send(self.batches[count])

    def wait_for_acks(self, count):
        read_bytes(self.client.sock, 4 * count if self.qos else 0)


class Taker:
    def __init__(self, port, flood):
        self.client = Client(port, version=4, timeout=60)
        self.client.connect("taker-%s" % flood.topic)
        self.client.subscribe(flood.topic, qos=flood.qos)
        self.qos, self.frame_len = flood.qos, flood.frame_len
        self.id_at = flood.frame_len - len(flood.body) - 2

    def take(self, count):
        """So many messages, acknowledged. Seconds they took."""
        start = time.monotonic()
        data = read_bytes(self.client.sock, count * self.frame_len)
        if self.qos:
            ids = [data[i + self.id_at:i + self.id_at + 2] for i in range(0, len(data), self.frame_len)]
            self.client.send(b"".join(b"\x40\x02" + i for i in ids))
        return time.monotonic() - start


def read_bytes(sock, count):
    parts = []
    sock.settimeout(60)
    while count > 0:
        part = sock.recv(min(count, 1 << 20))
        assert part, "connection closed, %d bytes missing" % count
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def resident_kib(pid, field="VmRSS"):
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith(field + ":"))


def reset_peak(pid):
    with open("/proc/%d/clear_refs" % pid, "w") as f:
        f.write("5")
