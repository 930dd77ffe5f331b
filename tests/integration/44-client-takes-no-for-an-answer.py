#!/usr/bin/python3
"""What do pub and sub do about refusals, the server's limits, and servers that break the rules?"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.mqtt import DISCONNECT, PINGREQ, PINGRESP, PUBACK, PUBLISH, SUBACK, ack, disconnect, packet, publish
from lib.programs import WIREPOST, Workplace, wait_for
from lib.server import Server


def start(w, server, command, *args):
    return w.start([WIREPOST, command, "-h", "127.0.0.1", "-p", str(server.port), "-t", "t", *args], stdin=subprocess.DEVNULL)


def ends_with(p, status, *texts):
    assert p.process.wait(20) == status, (p.process.returncode, p.log())
    for text in texts:
        assert text in p.log(), (text, p.log())


def refused_connections(w, server):
    for version, code, text in (("5", 0x86, "bad user name or password"), ("5", 0x87, "not authorized"),
                                ("311", 4, "bad user name or password"), ("311", 5, "not authorized"),
                                ("311", 1, "unsupported protocol version")):
        p = start(w, server, "pub", "-m", "x", "-V", version)
        server.accept(reason=code)
        ends_with(p, 3, "refused: " + text)
    p = start(w, server, "sub", "-V", "5")
    server.accept(reason=0x88, reason_string="back\x1b[2J at noon")   # busy: worth another try
    p.wait_for_log(r"refused: server unavailable \(back\?\[2J at noon\)")
    server.accept().answer_subscribe(0x87)
    ends_with(p, 4, "refused 't' (not authorized)")


def refused_publishes(w, server):
    p = start(w, server, "pub", "-m", "x", "-q", "1")
    peer = server.accept()
    peer.send(ack(PUBACK, peer.expect(PUBLISH).id, 0x97))
    ends_with(p, 4, "refused message 1 (quota exceeded)")
    p = start(w, server, "pub", "-m", "x" * 100)
    server.accept(maximum_packet_size=50)
    ends_with(p, 4, "larger than the broker takes")


def limits_are_obeyed(w, server):
    p = start(w, server, "pub", "-m", "x", "-q", "2", "-r")
    peer = server.accept(maximum_qos=1, retain_available=0)
    q = peer.expect_publish("t", "x", qos=1, retain=False)
    peer.send(ack(PUBACK, q.id))
    ends_with(p, 0)

    s = start(w, server, "sub", "-k", "600", "-i", "")
    peer = server.accept(server_keep_alive=1, assigned_client_id="you-are-this")
    peer.answer_subscribe()
    peer.expect(PINGREQ, timeout=3)
    peer.send(packet(PINGRESP, 0, b""))
    peer.send(disconnect(0x8B))
    s.wait_for_log("disconnected by the broker: server shutting down")
    peer = server.accept()
    assert peer.connect_packet.client_id == "you-are-this"
    s.stop()


def broken_servers(w, server):
    broken = (
        (b"\xff\xff\xff\xff\xff\xff", 0x81, "no valid MQTT: malformed packet"),
        (publish("a/+", "x"), 0x90, "invalid topic"),
        (publish("a", "x", topic_alias=3), 0x94, "topic alias"),
        (packet(SUBACK, 0, b"\x00\x09\x00\x00"), 0x82, "subscription that was not asked for"),
        (packet(2, 0, b"\x00\x00\x00"), 0x82, "out of place"),
    )
    for data, reason, text in broken:
        s = start(w, server, "sub", "-q", "1")
        peer = server.accept()
        peer.answer_subscribe()
        peer.send(data)
        assert peer.expect(DISCONNECT).reason == reason, text
        s.wait_for_log(text)
        server.accept().answer_subscribe()
        s.stop()
    s = start(w, server, "sub")
    peer = server.accept_silent()
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    s.wait_for_log("no valid MQTT|another packet")
    peer = server.accept_silent()
    peer.expect(1)
    peer.kill()
    s.wait_for_log("before it answered CONNECT")
    s.stop()
    print("broken servers were left with the reason; the client came back each time")


def last_words_are_read(w, server):
    """A server that closes with data unread resets the connection; its DISCONNECT before that still counts."""
    s = start(w, server, "sub")
    peer = server.accept()
    peer.answer_subscribe()
    s.pause()
    peer.send(publish("t", "still read") + disconnect(0x89))
    peer.kill()
    s.resume()
    s.wait_for_log("disconnected by the broker: server busy")
    assert "still read" in s.log(), s.log()
    s.stop()


def main():
    with Workplace() as w, Server() as server:
        refused_connections(w, server)
        refused_publishes(w, server)
        limits_are_obeyed(w, server)
        broken_servers(w, server)
        last_words_are_read(w, server)
    print("refusals, limits and broken servers: as they should be")


if __name__ == "__main__":
    main()
