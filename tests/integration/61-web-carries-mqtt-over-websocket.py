"""Is MQTT over WebSocket a byte stream, whatever the frames, and are wrong ones refused?

The handshake's rules (subprotocol, version, Host, Origin), packets split over
frames and several in one, fragments with a ping in between, 1 MiB both ways,
text frames, closes from both sides.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
import mqtt
from mqtt import PINGRESP, PUBLISH, publish
from programs import Workplace
from web import WebSite
from ws import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Refused, frame, open_websocket

PINGREQ = mqtt.packet(mqtt.PINGREQ, 0, b"")


def client(site, name, version=4, **kw):
    c = mqtt.Client(site.web_port, version=version, sock=open_websocket(site.web_port), timeout=20)
    c.connect(name, **kw)
    return c


def refused(port, want, **how):
    try:
        open_websocket(port, **how).close()
    except Refused as e:
        assert e.status == want, (how, e)
        assert "content-security-policy" in e.headers, e.headers
        return
    raise AssertionError(f"{how}: let in, wanted {want}")


def handshakes(port):
    for how in ({}, {"protocol": "mqttv3.1, mqtt"}, {"path": "/mqtt?token=x"}, {"headers": {"Connection": "keep-alive, Upgrade"}},
                {"headers": {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}},
                {"headers": {"Origin": f"http://127.0.0.1:{port}"}}, {"headers": {"Origin": "http://plant7.local:8080"}},
                {"headers": {"Host": "localhost:1", "Origin": "https://localhost:1"}}):
        open_websocket(port, **how).close()
    for how in ({"protocol": None}, {"protocol": ""}, {"protocol": "mqttv3.1"}, {"protocol": "MQTTX, http"},
                {"headers": {"Sec-WebSocket-Key": None}}, {"headers": {"Sec-WebSocket-Key": "c2hvcnQ="}},
                {"headers": {"Connection": "keep-alive"}}, {"headers": {"Connection": None}}, {"headers": {"Host": None}}):
        refused(port, 400, **how)
    for path in ("/", "/mqtt/", "/mqtt2", "/live", "/app.js"):
        refused(port, 404, path=path)
    for version in ("8", "12", "14", "99999999999", None):
        refused(port, 426, headers={"Sec-WebSocket-Version": version})
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{port + 1}", f"http://localhost:{port}", "http://10.1.2.3",
                   f"http://127.0.0.1:{port}.evil.example", "file://", "x" * 3000, f"ws://127.0.0.1:{port}"):
        refused(port, 403, headers={"Origin": origin})
    refused(port, 421, headers={"Host": "evil.example", "Origin": "http://evil.example"})
    print("ok   handshakes")


def frames_do_not_matter(site):
    c = client(site, "frames")
    ws = c.sock
    c.subscribe("f/#")
    packets = [publish(f"f/{i}", b"x" * i, version=4) for i in range(200)]
    ws.send_frame(b"".join(packets))
    for i in range(200):
        c.expect_publish(f"f/{i}", b"x" * i)
    whole = b"".join(packets[:20])
    ws.send_raw(b"".join(frame(whole[i:i + 1]) for i in range(len(whole))))
    for i in range(20):
        c.expect_publish(f"f/{i}", b"x" * i)
    print("ok   many packets in a frame, one byte in a frame")

    for i in range(0, len(whole), 7):
        ws.send_frame(whole[i:i + 7], BINARY if i == 0 else CONTINUATION, fin=i + 7 >= len(whole))
        if i == 21:
            ws.send_frame(b"are you there", PING)
            _, opcode, payload = ws.recv_frame()
            while opcode != PONG:
                c.data += payload
                _, opcode, payload = ws.recv_frame()
            assert payload == b"are you there"
        ws.send_frame(b"", CONTINUATION, fin=False) if i + 7 < len(whole) else None
    for i in range(20):
        c.expect_publish(f"f/{i}", b"x" * i)
    for byte in frame(PINGREQ):
        ws.send_raw(bytes([byte]))
        time.sleep(0.002)
    c.expect(PINGRESP)
    ws.send_frame(b"")
    ws.send_frame(b"unasked", PONG)
    ws.send_raw(frame(PINGREQ) + frame(PINGREQ))
    c.expect(PINGRESP)
    c.expect(PINGRESP)
    c.disconnect()
    print("ok   fragments with a ping between them, a frame in bytes, empty frames")


def big_ones_arrive_whole(site):
    payload = os.urandom(1000000)
    for version in (4, 5):
        with client(site, "big-ws", version) as over_ws, mqtt.Client(site.port, version=version, timeout=20) as over_tcp:
            over_tcp.connect("big-tcp")
            over_ws.subscribe("big/#", qos=1)
            over_tcp.subscribe("big/#", qos=1)
            for sender in (over_ws, over_tcp):
                sender.send(publish("big/x", payload, version=version))
                for receiver in (over_ws, over_tcp):
                    receiver.expect_publish("big/x", payload)
    print("ok   1 MB both ways, 3.1.1 and 5")


def a_slow_reader_gets_everything(site):
    count, size = 300, 50000
    with client(site, "slow") as slow, mqtt.Client(site.port, version=4, timeout=30) as fast:
        slow.subscribe("slow/#")
        fast.connect("fast")
        for i in range(count):
            fast.send(publish(f"slow/{i}", bytes([i & 255]) * size, version=4))
        fast.ping()
        time.sleep(1)
        for i in range(count):
            slow.expect_publish(f"slow/{i}", bytes([i & 255]) * size)
    print("ok   %d MB waited for a slow reader" % (count * size // 1000000))


def wrong_frames_close(site):
    def opened():
        ws = open_websocket(site.web_port)
        c = mqtt.Client(site.web_port, version=4, sock=ws)
        c.connect("wrong-%s" % time.monotonic_ns())
        return ws

    for what, send, want in (
            ("text", lambda ws: ws.send_frame(PINGREQ, TEXT), (1002, 1003)),
            ("empty text", lambda ws: ws.send_frame(b"", TEXT), (1002, 1003)),
            ("text in fragments", lambda ws: ws.send_frame(PINGREQ, TEXT, fin=False), (1002, 1003)),
            ("continuation of nothing", lambda ws: ws.send_frame(PINGREQ, CONTINUATION), (1002,)),
            ("binary within fragments", lambda ws: ws.send_raw(frame(PINGREQ, fin=False) + frame(PINGREQ)), (1002,)),
            ("unknown opcode", lambda ws: ws.send_frame(PINGREQ, 3), (1002,)),
            ("unknown control", lambda ws: ws.send_frame(b"", 11), (1002,)),
            ("ping in fragments", lambda ws: ws.send_frame(b"", PING, fin=False), (1002,)),
            ("reserved bit", lambda ws: ws.send_raw(bytes([0xC2, 0x80, 0, 0, 0, 0])), (1002,)),
            ("ping of 126 bytes", lambda ws: ws.send_frame(b"x" * 126, PING), (None, 1002)),
            ("length with its top bit", lambda ws: ws.send_raw(bytes([0x82, 0xFF]) + b"\xff" * 8 + b"abcd"), (None, 1002))):
        ws = opened()
        send(ws)
        code = ws.expect_close()
        assert code in want, (what, code)
        ws.close()
    for what, data in (("a packet of type 0", b"\x00\x00"), ("HTTP within", b"GET / HTTP/1.1\r\nHost: " + b"x" * 99)):
        ws = opened()
        ws.send_frame(data)
        assert ws.expect_close() in (1000, 1002), what
        ws.close()
    print("ok   wrong frames and packets close the connection")


def both_sides_can_close(site):
    watcher = mqtt.Client(site.port, version=4)
    watcher.connect("watcher")
    watcher.subscribe("will/#")
    ws = open_websocket(site.web_port)
    ws.send_frame(mqtt.connect("a", version=4, will={"topic": "will/closed", "payload": b"1"}))
    ws.recv(4)
    ws.send_frame(b"\x03\xe9going away", CLOSE)
    assert ws.expect_close() == 1001
    assert ws.sock.recv(10) == b"", "the server hangs up first (RFC 6455, 7.1.1)"
    watcher.expect_publish("will/closed")

    ws = open_websocket(site.web_port)
    ws.send_frame(mqtt.connect("b", version=4, will={"topic": "will/gone", "payload": b"1"}))
    ws.recv(4)
    ws.close()
    watcher.expect_publish("will/gone")

    ws = open_websocket(site.web_port)
    c = mqtt.Client(site.web_port, version=4, sock=ws)
    c.connect("c", will={"topic": "will/never", "payload": b"1"})
    c.send(mqtt.disconnect())
    assert ws.expect_close() == 1000
    ws.send_frame(b"\x03\xe8", CLOSE)
    assert ws.sock.recv(10) == b""
    watcher.expect_nothing()

    first = client(site, "same")
    second = client(site, "same")
    first.expect_closed()
    assert first.sock.close_code == 1000, first.sock.close_code
    second.ping()
    second.kill()
    watcher.kill()
    print("ok   closes from both sides, wills, take-over")


def come_and_go(site):
    for i in range(300):
        ws = open_websocket(site.web_port)
        if i % 3:
            ws.send_frame(mqtt.connect(f"go-{i}", version=4))
        if i % 3 == 2:
            ws.recv(4)
            ws.send_frame(publish("go/x", b"y" * 100, version=4)[:50])
        ws.close()
    with client(site, "still-there") as c:
        c.ping()
    print("ok   300 came and went")


def main():
    with Workplace() as w:
        site = WebSite(w)
        handshakes(site.web_port)
        frames_do_not_matter(site)
        big_ones_arrive_whole(site)
        a_slow_reader_gets_everything(site)
        wrong_frames_close(site)
        both_sides_can_close(site)
        come_and_go(site)
        stay = client(site, "at-the-end")
        site.program.stop()
        assert stay.expect_closed(5) in (None, 0x8B)
        print("ok   an orderly end with a client connected")


main()
