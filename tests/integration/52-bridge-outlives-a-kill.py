#!/usr/bin/python3
"""Does what the gateway acknowledged reach the upstream although the gateway is killed in the outage?"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.bridges import Gateway, Reader, feed
from lib.programs import Workplace, free_port

BEFORE, AFTER = 2000, 500


def main():
    with Workplace() as w:
        port = free_port()
        gateway = Gateway(w, port)
        gateway.program.wait_for_log("cannot connect to")
        with gateway.client() as c:
            feed(c, range(BEFORE))
        gateway.program.kill()

        gateway.start()
        with gateway.client() as c:
            feed(c, range(BEFORE, BEFORE + AFTER))
        gateway.program.kill()

        upstream = w.start_mosquitto(port, "max_queued_messages 0")
        reader = Reader(port)
        gateway.start()
        owed = gateway.program.wait_for_log(r"connected to 127.0.0.1:\d+, ([\d ]+) messages owed").group(1)
        got = reader.read(BEFORE + AFTER - 1)
        assert got == list(range(BEFORE + AFTER)), (len(got), got[:20])
        assert int(owed.replace(" ", "")) == BEFORE + AFTER, owed
        gateway.program.stop()

        gateway.start()                                 # nothing is owed any more
        gateway.program.wait_for_log(r"connected to 127.0.0.1:\d+, 0 messages owed")
        gateway.program.stop()
        upstream.stop()
        print("killed twice in the outage: %d acknowledged messages came in order, %d twice; then 0 owed"
              % (BEFORE + AFTER, reader.duplicates()))


if __name__ == "__main__":
    main()
