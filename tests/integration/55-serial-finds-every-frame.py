"""Are all frames of a serial device found among garbage, from the line to MQTT, and nothing else?

10 000 sentences with a checksum come over a pty; every fifth piece of the stream is garbage: noise with starts in it, halves of
sentences, sentences with a flipped bit. Each sentence has a number and a value that follows from it. Every one must
arrive as one json message, in order, and no other.
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Watcher
from programs import WIREPOST, Workplace, free_port, wait_for
from serials import SerialLine

FRAMES = 10000
CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: line
    type: serial
    device: sensor
    port: {{device: {folder}/port, baud: 115200}}
    frame: {{start: "$", end: "\\r\\n", checksum: nmea, max: 82}}
    match: '^\\$WIXDR,(?<n>[0-9]+),(?<v>[0-9]+)$'
    publish: json
    publish_on: always
    stale_after: 3s
    tags:
      - {{name: n, type: number}}
      - {{name: v, type: number}}
"""


def value_of(n):
    return (n * 7919 + 13) % 1000003


def sentence(n):
    body = b"WIXDR,%06d,%07d" % (n, value_of(n))
    check = 0
    for byte in body:
        check ^= byte
    return b"$%s*%02X\r\n" % (body, check)


def garbage(rng, n):
    whole = sentence(n + rng.randrange(1, 1000))
    kind = rng.randrange(4)
    if kind == 0:
        return bytes(rng.choice((0x24, rng.randrange(256))) for _ in range(rng.randrange(1, 60)))
    if kind == 1:
        return whole[:rng.randrange(1, 20)]
    if kind == 2:
        return whole[rng.randrange(10, 24):]
    flipped = bytearray(whole)
    flipped[rng.randrange(1, len(whole) - 2)] ^= 1 << rng.randrange(5)
    return bytes(flipped)


def main():
    with Workplace() as w:
        port = free_port()
        line = SerialLine(w.path("port"))
        w.start([WIREPOST, "run", "-c", w.write("a.yaml", CONFIG.format(folder=w.folder, port=port))], port=port)
        c = Watcher(port, "wp/site/d/sensor/#")
        c.subscribed.wait(10)
        topic = "wp/site/d/sensor/json"
        seen = lambda: sum(t == topic for t, p in list(c.messages))

        line.send(sentence(0))
        wait_for(lambda: seen() > 0, 15, "the first sentence")
        rng = random.Random(3)
        bytes_of_garbage, begin = 0, time.monotonic()
        for n in range(1, FRAMES):
            piece = b""
            while rng.randrange(5) == 0:
                piece += garbage(rng, n)
            bytes_of_garbage += len(piece)
            line.send(piece + sentence(n))
            if n % 250 == 0:
                # not faster than the values are taken, for the inbox is bounded
                wait_for(lambda: seen() > n - 250, 30, "sentence %d" % (n - 250))
        wait_for(lambda: seen() >= FRAMES, 30, "%d sentences, there are %d" % (FRAMES, seen()))
        took = time.monotonic() - begin
        time.sleep(0.3)
        got = [(m["v"]["n"], m["v"]["v"]) for m in c.json(topic)]
        wrong = [pair for pair in got if pair[1] != value_of(pair[0])]
        print("%d sentences sent among %d bytes of garbage, %d received, %d wrong, in %.1f s" %
              (FRAMES, bytes_of_garbage, len(got), len(wrong), took))
        assert [n for n, v in got] == list(range(FRAMES)), "not all, or not in order"
        assert not wrong, wrong[:5]

        line.unplug()
        c.wait("wp/site/d/sensor/availability", "offline", 90)
        line.plug()
        begin = time.monotonic()
        wait_for(lambda: (line.send(sentence(FRAMES)), time.sleep(0.1), seen() > FRAMES)[2], 30, "a sentence after the replug")
        print("heard again %.1f s after the line came back" % (time.monotonic() - begin))
        c.wait("wp/site/d/sensor/availability", "online")


main()
