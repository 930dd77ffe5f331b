#!/usr/bin/python3
"""Holds the broker against the packet sequences of eclipse-mosquitto/mosquitto, test/broker/data/*.json.

    run_sequences.py CHECKOUT [TEXT]      only the sequences whose file or name holds TEXT

Starts $WIREPOST and plays each sequence on a connection of its own: packets to send and to get, then whether the
connection ends. Packets are compared as bytes, except CONNACK and DISCONNECT, of which the flags and the code count:
their properties are each server's own. What argued_sequences.py explains is no failure. Nothing of the checkout is kept.
"""
import glob
import json
import os
import sys

sys.path[:0] = [os.path.dirname(__file__), os.path.join(os.path.dirname(__file__), "../integration")]
from argued_sequences import argument_for
from lib.broker import start
from lib.mqtt import *
from lib.programs import Workplace

PATIENCE = 2.0  # seconds for an answer


def long_varint(n):
    """As varint(), but of any length, which MQTT does not have."""
    out = bytearray()
    while True:
        n, low = divmod(n, 128)
        out.append(low | (0x80 if n else 0))
        if not n:
            return bytes(out)


def to_bytes(message):
    """Words: i8, H16, L32, k/m/s (16 bits: keepalive, id, length of a string), r/v (variable length), 'text', or hex."""
    out, words = b"", iter(message.split(" "))
    for word in words:
        kind, rest = word[:1], word[1:]
        if kind == "'":
            while not rest.endswith("'"):
                rest += " " + next(words)
            out += rest[:-1].encode()
        elif kind and kind in "iHkmsL":
            out += int(rest).to_bytes({"i": 1, "L": 4}.get(kind, 2), "big")
        elif kind and kind in "vr":
            out += long_varint(int(rest))
        else:
            out += bytes.fromhex(word)
    return out


class Disagreement(Exception):
    pass


class Sequence:
    def __init__(self, file, group, test):
        def option(name, default):
            return test.get(name, group.get(name, default))

        self.file, self.name = file, "%s: %s" % (group["group"], test["name"])
        self.version, self.connects = option("ver", 4), option("connect", True)
        self.ends, self.steps = option("expect_disconnect", True), test["msgs"]

    def play(self, port):
        with Client(port, self.version, timeout=PATIENCE) as c:
            if self.connects:
                c.connect(self.name[:60])
            for step in self.steps:
                getattr(self, step["type"])(c, port, step)
            self.check_end(c)

    def send(self, c, port, step):
        c.send(to_bytes(step["payload"]))

    def recv(self, c, port, step):
        want = to_bytes(step["payload"])
        try:
            got = self.next_bytes(c)
        except (Timeout, Closed) as e:
            raise Disagreement("wanted %s, %s" % (want.hex(), e)) from None
        if want[0] >> 4 in (CONNACK, DISCONNECT):
            want, got = self.essence(want), self.essence(got)
        if got != want:
            raise Disagreement("wanted %s, got %s" % (want.hex(), got.hex()))

    def next_bytes(self, c):
        before = c.data
        while c.take_packet() is None:
            c.sock.settimeout(PATIENCE)
            try:
                more = c.sock.recv(65536)
            except TimeoutError:
                raise Timeout("nothing received") from None
            except ConnectionResetError:
                more = b""
            if not more:
                raise Closed("connection closed")
            c.data += more
            before = c.data
        return before[:len(before) - len(c.data)]

    def essence(self, data):
        p = Packet(data[0], data[2:], 4 if data[1] < 3 else self.version)
        return bytes([p.type, getattr(p, "session_present", 0), p.reason])

    def external_publish(self, c, port, step):
        with Client(port, 4) as other:
            other.connect("another")
            other.publish(step["topic"], step["payload"], step["qos"], retain=step.get("retain", False))

    def subscribe(self, c, port, step):
        c.subscribe(step["topic"], qos=step["qos"])

    def unsubscribe(self, c, port, step):
        c.unsubscribe(step["topic"])

    def check_end(self, c):
        try:
            if not self.ends:
                c.ping()
                return
            while True:
                last = c.recv()
        except Timeout:
            raise Disagreement("still connected") from None
        except (Closed, OSError):
            if not self.ends:
                raise Disagreement("closed") from None


def sequences(checkout, text):
    for path in sorted(glob.glob(os.path.join(checkout, "test/broker/data/*.json"))):
        file = os.path.basename(path)
        with open(path) as f:
            groups = json.load(f)
        for group in groups:
            if group.get("disable"):
                continue
            for test in group["tests"]:
                s = Sequence(file, group, test)
                if text in file or text in s.name:
                    yield s


def forget_retained(port):
    """What a sequence that was broken off has left."""
    with Client(port, 4) as c:
        c.connect("tidy")
        c.subscribe("#")
        c.send(packet(PINGREQ, 0, b""))
        while True:
            p = c.recv()
            if p.type == PINGRESP:
                return
            if p.retain:
                c.publish(p.topic, b"", retain=True)


def judge(s, port):
    """Why we disagree, or None."""
    try:
        s.play(port)
    except (Disagreement, AssertionError, Timeout) as e:
        return str(e)
    except (Closed, OSError) as e:
        return "closed too early (%s)" % e
    return None


def main(checkout, text=""):
    passed, argued, failed = 0, 0, 0
    with Workplace() as w:
        broker, port = start(w, session_expiry="1s")
        for s in sequences(checkout, text):
            why = judge(s, port)
            argument = why and argument_for(s.name, why)
            if why:
                forget_retained(port)
            passed, argued, failed = passed + (not why), argued + bool(argument), failed + bool(why and not argument)
            if why:
                print("%s: %s %s\n    %s" % ("argued" if argument else "FAILED", s.file, s.name, argument or why), flush=True)
        broker.stop()
    print("%d passed, %d argued, %d failed" % (passed, argued, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
