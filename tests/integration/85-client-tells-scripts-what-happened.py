#!/usr/bin/python3
"""Do pub, sub and rpc tell a script what happened: exit status, words, every kind of output, answers to requests?"""
import base64
import json
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(__file__))
from lib.certificates import Authority
from lib.mqtt import PUBACK, PUBLISH, Client, Closed, Timeout, ack
from lib.programs import WIREPOST, Workplace, free_port, wait_for
from lib.server import Server

HERE, UNREACHED, REFUSED, DENIED, TIME, USAGE = 1, 2, 3, 4, 5, 64

CONFIGURATION = """
gateway: {{id: plant7, data_dir: {data}}}
broker:
  sys_interval: 0s
  listeners:
    - {{port: {plain}}}
    - {{port: {tls}, tls: {{cert: {server.cert}, key: {server.key}}}}}
    - {{port: {strict}, tls: {{cert: {server.cert}, key: {server.key}, client_ca: {ca.cert}, require_client_cert: true}}}}
    - {{port: {elsewhere}, tls: {{cert: {other.cert}, key: {other.key}}}}}
    - {{port: {expired}, tls: {{cert: {late.cert}, key: {late.key}}}}}
web: {{listen: {{port: {web}}}}}
"""


def run(*args, status=0, stdin=b"", seconds=60):
    """stdout and stderr; the exit status has to be this one."""
    done = subprocess.run([WIREPOST, *map(str, args)], input=stdin, capture_output=True, timeout=seconds)
    assert done.returncode == status, (args, done.returncode, done.stdout, done.stderr.decode())
    return done.stdout, done.stderr.decode()


def says(status, text, *args, **more):
    err = run(*args, status=status, **more)[1]
    assert text in err, (args, text, err)


def unreached(ports):
    pub = ("pub", "-t", "t", "-m", "x", "--tries", "1")
    says(UNREACHED, "name lookup: ", *pub, "-h", "no-such-host.invalid")
    nobody = free_port()
    says(UNREACHED, "cannot connect to 127.0.0.1:%d (Connection refused), giving up after 1 attempt\n" % nobody,
         *pub, "-h", "127.0.0.1", "-p", nobody)
    says(UNREACHED, "giving up after 2 attempts", *pub[:-1], "2", "-h", "127.0.0.1", "-p", nobody)
    says(UNREACHED, "1 not", *pub[:-2], "-W", "1", "-h", "127.0.0.1", "-p", nobody)
    says(UNREACHED, "", "sub", "-t", "t", "-W", "1", "-h", "127.0.0.1", "-p", nobody)
    says(UNREACHED, "no connection within 1 s", "rpc", "t", "-W", "1", "-h", "127.0.0.1", "-p", nobody)
    says(UNREACHED, "does this port speak TLS?", *pub, "-h", "127.0.0.1", "-p", ports["plain"], "--tls")
    says(UNREACHED, "before it answered CONNECT", *pub, "-h", "127.0.0.1", "-p", ports["tls"])
    print("unreached: said why, status 2")


def certificates(ca, pump, ports):
    pub = ("pub", "-t", "t", "-m", "x", "-q", "1")
    trust = ("--cafile", ca.cert)

    def at(name, host="127.0.0.1"):
        return ("-L", "mqtts://%s:%d" % (host, ports[name]))
    run(*pub, *at("tls"), *trust)
    run(*pub, *at("tls", "localhost"), *trust)
    run(*pub, *at("tls"), *trust, "--tls-version", "1.3")
    run(*pub, "-h", "127.0.0.1", "-p", ports["tls"], *trust)
    says(REFUSED, "unknown CA", *pub, *at("tls"))
    says(REFUSED, "127.0.0.1", *pub, *at("elsewhere"), *trust)
    says(REFUSED, "expired", *pub, *at("expired"), *trust)
    for name in ("tls", "elsewhere", "expired"):
        run(*pub, *at(name), "--insecure")
    says(REFUSED, "TLS: ", *pub, *at("strict"), *trust)
    run(*pub, *at("strict"), *trust, "--cert", pump.cert, "--key", pump.key)
    says(HERE, "/nonexistent/ca.crt", *pub, *at("tls"), "--cafile", "/nonexistent/ca.crt")
    says(HERE, pump.key, *pub, *at("tls"), *trust, "--cert", pump.key, "--key", pump.key)
    print("certificates: those not accepted are named with the reason, status 3; files of ours that are wrong: 1")


def websockets(ports):
    pub = ("pub", "-t", "t", "-m", "x", "-q", "1", "--tries", "1")
    run(*pub, "-L", "ws://127.0.0.1:%d" % ports["web"])
    says(REFUSED, "ws://127.0.0.1:%d/nothing (WebSocket: the server answered 'HTTP/1." % ports["web"],
         *pub, "-L", "ws://127.0.0.1:%d/nothing" % ports["web"])
    says(UNREACHED, "does this port speak HTTP?", *pub, "-L", "ws://127.0.0.1:%d" % ports["plain"])
    print("WebSockets: what is none is said, status 3")


def broken_websockets(w):
    """Servers that answer with something else."""
    answers = ((b"HTTP/1.1 503 Later\r\n\r\n", UNREACHED, "503 Later"), (b"SSH-2.0-x\r\n\r\n", REFUSED, "does not speak HTTP"),
               (b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", REFUSED,
                "another WebSocket request"))
    with Server() as server:
        for answer, status, text in answers:
            p = w.start([WIREPOST, "pub", "-t", "t", "-m", "x", "--tries", "1", "-L", "ws://127.0.0.1:%d" % server.port])
            peer = server.accept_silent()
            wait_for(lambda: b"\r\n\r\n" in peer.sock.recv(4096), 10, "the request")
            peer.send(answer)
            assert p.process.wait(20) == status and text in p.log(), (p.process.returncode, p.log())
            peer.kill()


def refusals(w):
    with Server() as server:
        def start(command, *args):
            return w.start([WIREPOST, command, "-h", "127.0.0.1", "-p", str(server.port), *args], stdin=subprocess.DEVNULL)

        def ends(p, status, *texts):
            assert p.process.wait(20) == status, (p.process.returncode, p.log())
            assert all(text in p.log() for text in texts), (texts, p.log())

        p = start("pub", "-t", "t", "-m", "x", "-q", "1")
        peer = server.accept()
        peer.send(ack(PUBACK, peer.expect(PUBLISH).id, 0x99, reason_string="no number in it\x07"))
        ends(p, DENIED, "refused message 1 (payload format invalid: no number in it?)")

        p = start("pub", "-t", "t", "-m", "x", "-q", "1", "-v")
        peer = server.accept()
        peer.send(ack(PUBACK, peer.expect(PUBLISH).id, 0x10))
        ends(p, 0, "acknowledged: message 1 (no matching subscribers)")

        p = start("sub", "-t", "t", "-i", "twin")
        peer = server.accept()
        peer.answer_subscribe()
        peer.disconnect(0x8E)
        ends(p, DENIED, "session taken over), giving up")

        p = start("pub", "-t", "t", "-m", "x")
        server.accept_silent().answer_connect(reason=0x9D, server_reference="other.example:1883")
        ends(p, REFUSED, "refused: server moved, to other.example:1883")

        p = start("pub", "-V", "311", "-t", "t", "-m", "x", "-q", "1")   # 3.1.1 has no other way to refuse it
        for _ in range(3):
            peer = server.accept()
            peer.expect(PUBLISH)
            peer.kill()
        ends(p, DENIED, "ended 3 connections in place of an acknowledgement of message 1")

        p = start("pub", "-t", "t", "-m", "x", "-q", "1", "-W", "1")
        server.accept().expect(PUBLISH)
        ends(p, TIME, "0 messages acknowledged, 1 not")
    print("refusals: status 4, with the broker's words")


def wrong_use():
    for args, text in ((["sub"], "no topic given (-t)"), (["rpc"], "no topic given"), (["rpc", "a/#"], "no topic to publish to"),
                       (["rpc", "a", "b", "c"], "'c' is one word too many"), (["rpc", "a", "b", "-f", "/dev/null"], "one of"),
                       (["rpc", "a", "-V", "311"], "--response-topic has to"), (["sub", "-t", "a", "--json", "--hex"], "--json"),
                       (["sub", "-t", "a", "-V", "311", "--no-local"], "no such options"), (["sub", "-t", "a", "-c"], "needs --id"),
                       (["pub", "-t", "a", "-m", "x", "-L", "http://a"], "begins with mqtt://"),
                       (["pub", "-t", "a", "-m", "x", "-L", "mqtt://a", "--cafile", "/x"], "TLS needs a URL"),
                       (["pub", "-t", "a", "-m", "x", "--key", "/x"], "--key needs"),
                       (["pub", "-t", "a", "-m", "x", "--queue", "5"], "--queue is for --lines"),
                       (["pub", "-t", "a", "-m", "x", "-p", "70000"], "--port has to be 1 to 65535"),
                       (["pub", "-t", "a", "-m", "x", "--colour"], "colour")):
        says(USAGE, text, *args)
    for command in ("pub", "sub", "rpc"):
        out = run(command, "--help")[0].decode()
        assert "Exit status: 0 done" in out and max(map(len, out.splitlines())) <= 100, out
    print("wrong use: status 64, with what is wrong")


def who_and_where(w):
    with Server() as server:
        secret = w.write("secret", "p:w\n")
        place = "mqtt://me%%40here:p%%3aw@127.0.0.1:%d" % server.port
        for args in (["-L", place], ["-L", place.replace(":p%3aw", ""), "--password-file", secret]):
            p = w.start([WIREPOST, "pub", "-t", "t", "-m", "x", *args])
            peer = server.accept()
            p.process.wait(20)
            assert peer.connect_packet.flags & 0xC0 == 0xC0 and peer.connect_packet.version == 5
        p = w.start([WIREPOST, "sub", "-t", "t", "-h", "127.0.0.1", "-p", str(server.port), "-i", "me", "-c"])
        peer = server.accept(session_present=True)
        assert not peer.connect_packet.clean and peer.connect_packet.props["session_expiry"] == 0xFFFFFFFF
        p.stop()


def output(ports):
    """Every form of a message, byte by byte."""
    binary = bytes(range(256))
    message = ("-t", "form/a", "-r", "-q", "1")
    props = ("-D", "unit=°C", "-D", "unit=K", "--content-type", "text/plain", "--response-topic", "form/b", "--correlation", "c1",
             "-e", "100", "--utf8")
    place = ("-h", "127.0.0.1", "-p", ports["plain"])
    once = ("-C", "1", "-W", "20", "-t", "form/a", *place)
    run("pub", *message, *props, *place, "-m", "21.5")
    assert run("sub", *once)[0] == b"21.5\n"
    assert run("sub", *once, "-v")[0] == b"form/a 21.5\n"
    assert run("sub", *once, "-N")[0] == b"21.5"
    assert run("sub", *once, "-x")[0] == b"32312e35\n"
    got = json.loads(run("sub", *once, "--json", "-q", "1")[0])
    assert 95 <= got.pop("expiry") <= 100 and got.pop("ts") > 1700000000000, got
    assert got == {"topic": "form/a", "qos": 1, "retain": True, "payload": "21.5", "utf8": True, "content_type": "text/plain",
                   "response_topic": "form/b", "correlation": "c1", "user_properties": [["unit", "°C"], ["unit", "K"]]}, got
    run("pub", *message, *place, "-f", "-", stdin=binary)
    assert run("sub", *once)[0] == binary + b"\n"
    assert run("sub", *once, "-x")[0] == binary.hex().encode() + b"\n"
    got = json.loads(run("sub", *once, "-j", "-V", "311")[0])
    assert base64.b64decode(got["payload_base64"]) == binary and "payload" not in got, got
    run("pub", *message, *place, "-n")
    says(TIME, "0 of 1 messages within 1 s", "sub", "-C", "1", "-W", "1", "-t", "form/a", *place)
    run("sub", "-W", "1", "-t", "form/a", *place)
    run("pub", *message, *place, "-m", "kept")
    assert run("sub", "-W", "1", "-t", "form/a", "--retain-handling", "2", *place)[0] == b""
    with open("/dev/full", "wb") as full:
        done = subprocess.run([WIREPOST, "sub", *map(str, once)], stdout=full, stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == HERE and b"No space left" in done.stderr, done
    run("pub", *message, *place, "-n")
    print("output: payload, topic, hexadecimal, JSON, of text and of all 256 bytes")


def the_queue_is_bounded(w, ports):
    """Lines that come while there is no broker: as many as told wait, the rest is dropped and counted."""
    port = free_port()
    lines = b"".join(b"%d\n" % i for i in range(10))
    p = subprocess.Popen([WIREPOST, "pub", "-t", "q", "-l", "-q", "1", "-p", str(port), "-h", "127.0.0.1", "--queue", "4"],
                         stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdin.write(lines)
    p.stdin.close()
    p.stdin = None
    broker = w.start_mosquitto(port, name="late")
    said = p.communicate(timeout=60)[1].decode()
    assert p.returncode == HERE and "6 messages were dropped" in said, (p.returncode, said)
    assert broker.log().count("Received PUBLISH") == 4, broker.log()
    broker.stop()
    print("queue: 4 of 10 lines waited, 6 were dropped and counted, status 1")


class Answerer:
    """Answers requests to `topic`: first with another's correlation data, then rightly, twice."""

    def __init__(self, port, topic):
        self.client = Client(port)
        self.client.connect("answers")
        self.client.subscribe(topic)
        self.seen, self.ends = [], False
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while not self.ends:
            try:
                p = self.client.recv(0.2)
            except Timeout:
                continue
            except Closed:
                return
            if p.type != PUBLISH:
                continue
            self.seen.append(p)
            to = p.props.get("response_topic", "answers/here")
            more = {"correlation_data": p.props["correlation_data"]} if "correlation_data" in p.props else {}
            if more:
                self.client.publish(to, "not yours", correlation_data=b"other")
            self.client.publish(to, b"re: " + p.payload, **more)
            self.client.publish(to, b"and: " + p.payload, **more)


def requests(w, ports, ca):
    place = ("-h", "127.0.0.1", "-p", ports["plain"])
    answerer = Answerer(ports["plain"], "ask/me")
    assert run("rpc", "ask/me", "hello", *place)[0] == b"re: hello\n"
    assert answerer.seen[-1].props["response_topic"].startswith("response/"), answerer.seen[-1]
    assert run("rpc", "ask/me", *place, "-C", "2", "-D", "a=b")[0] == b"re: \nand: \n"
    assert answerer.seen[-1].props["user"] == [("a", "b")]
    assert run("rpc", "ask/me", "-f", "-", *place, stdin=bytes(range(256)))[0] == b"re: " + bytes(range(256)) + b"\n"
    assert run("rpc", "ask/me", "old", *place, "-V", "311", "--response-topic", "answers/here")[0] == b"re: old\n"
    url = "mqtts://127.0.0.1:%d" % ports["tls"]
    got = json.loads(run("rpc", "ask/me", "x", "-L", url, "--cafile", ca.cert, "--response-topic", "my/own", "-j")[0])
    assert got["topic"] == "my/own" and got["payload"] == "re: x", got
    assert run("rpc", "ask/me", "x", "-L", "ws://127.0.0.1:%d" % ports["web"])[0] == b"re: x\n"
    answerer.ends = True
    says(TIME, "no further answer within 1 s", "rpc", "ask/me", "x", "-C", "3", "-W", "1", *place)
    says(TIME, "nobody is subscribed to ask/nobody", "rpc", "ask/nobody", "-W", "1", *place)
    got = json.loads(run("rpc", "wp/plant7/request/check", *place)[0])
    assert got["status"] == "done", got
    got = json.loads(run("rpc", "wp/plant7/request/log", '{"id": 3, "level": "info"}', *place)[0])
    assert got["status"] == "done" and got["id"] == 3, got
    with Server() as server:
        for offered, chosen in (("answers/for/all", "answers/for/all/me"), ("answers/me/", "answers/me/rpc"), ("a/#", "response/me")):
            p = w.start([WIREPOST, "rpc", "t", "-h", "127.0.0.1", "-p", str(server.port), "-i", "me"])
            peer = server.accept(response_info=offered)
            assert peer.connect_packet.props["request_response_info"] == 1
            assert peer.answer_subscribe(0x87) == [(chosen, 1)]
            assert p.process.wait(20) == DENIED and "no answer could come" in p.log(), p.log()
    print("rpc: answers over TCP, TLS and WebSocket, by other programs and by the gateway; late ones and none: status 5")


def main():
    with Workplace() as w:
        ca = Authority(w.path("ca"), "test CA")
        made = {"server": ca.issue("server", names=["localhost"], addresses=["127.0.0.1"]),
                "other": ca.issue("other", names=["other.example"]),
                "late": ca.issue("late", addresses=["127.0.0.1"], first_day=-10, last_day=-1)}
        ports = {name: free_port() for name in ("plain", "tls", "strict", "elsewhere", "expired", "web")}
        config = w.write("broker.yaml", CONFIGURATION.format(data=w.path("data"), ca=ca, **made, **ports))
        broker = w.start([WIREPOST, "run", "-c", config], ready="plant7 running")
        unreached(ports)
        certificates(ca, ca.issue("pump"), ports)
        websockets(ports)
        broken_websockets(w)
        refusals(w)
        wrong_use()
        who_and_where(w)
        output(ports)
        the_queue_is_bounded(w, ports)
        requests(w, ports, ca)
        broker.stop()


if __name__ == "__main__":
    main()
