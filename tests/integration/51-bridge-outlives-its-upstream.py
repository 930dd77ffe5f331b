#!/usr/bin/python3
"""Does every message reach the upstream, once and in order, when the upstream goes away and comes back?"""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.bridges import Gateway, Reader, feed
from lib.programs import Workplace, free_port

COUNT = 3000
PERSISTENT = "persistence true\npersistence_location %s/\nmax_queued_messages 0\n"


def outage(w, protocol, how):
    port = free_port()
    name = "up%s%s" % (protocol, how)
    os.mkdir(w.path(name), 0o777)
    os.chmod(w.path(name), 0o777)
    options = PERSISTENT % w.path(name)
    upstream = w.start_mosquitto(port, options)
    gateway = Gateway(w, port, protocol)
    gateway.program.wait_for_log("bridge cloud: connected to")
    reader = Reader(port)

    def publish_all():
        with gateway.client() as c:
            for n in range(0, COUNT, 30):
                feed(c, range(n, n + 30))
                time.sleep(0.04)
    feeder = threading.Thread(target=publish_all)
    feeder.start()
    time.sleep(1)
    if how == "stopped":
        upstream.stop()
        time.sleep(4)
        upstream = w.start_mosquitto(port, options)
        reader.connect()
    else:                                               # nobody answers, nothing is closed
        upstream.pause()
        gateway.program.wait_for_log("lost .*no answer to a ping", 25)
        upstream.resume()
    feeder.join()
    got = reader.read(COUNT - 1, 40)
    assert got == list(range(COUNT)), (len(got), [n for n in range(COUNT) if n not in got][:20], got[:20])
    assert gateway.program.log().count("bridge cloud: lost") == 1, gateway.program.log()
    gateway.program.stop()
    upstream.stop()
    print("MQTT %s, upstream %s: %d messages in order, none missing, %d twice"
          % (protocol, how, COUNT, reader.duplicates()))


def main():
    with Workplace() as w:
        for protocol, how in ((5, "stopped"), (311, "stopped"), (5, "frozen")):
            outage(w, protocol, how)


if __name__ == "__main__":
    main()
