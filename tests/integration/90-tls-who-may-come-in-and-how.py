#!/usr/bin/python3
"""Does a listener with TLS speak only what is safe, believe only the certificates it should, and take no harm from
whatever else comes?"""
import os
import random
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.certificates import Authority  # noqa: E402
from lib.mqtt import Client, Closed, publish  # noqa: E402
from lib.programs import WIREPOST, Workplace, free_port, wait_for  # noqa: E402
from lib.tls import V11, V12, V13, client_context, common_name, tls_client, tls_socket  # noqa: E402

CONFIGURATION = """
web: {{enabled: false}}
log: {{level: debug}}
broker:
  listeners:
    - {{port: {plain}}}
    - port: {open}
      tls:
        cert: {server.cert}
        key: {server.key}
        sni:
          - {{name: mqtt.plant.example, cert: {plant.cert}, key: {plant.key}}}
          - {{name: "*.site.example", cert: {site.cert}, key: {site.key}}}
    - {{port: {modern}, tls: {{cert: {server.cert}, key: {server.key}, min_version: "1.3"}}}}
    - port: {optional}
      tls: {{cert: {server.cert}, key: {server.key}, client_ca: {ca.cert}, crl: {crl}, username_from: cn}}
    - port: {required}
      tls:
        cert: {server.cert}
        key: {server.key}
        client_ca: {ca.cert}
        require_client_cert: true
        username_from: subject
    - port: {ruled}
      allow_anonymous: true
      acl: {acl}
      tls: {{cert: {server.cert}, key: {server.key}, client_ca: {ca.cert}, username_from: cn}}
"""

RULES = """
everyone: {subscribe: ["#"], read: ["#"]}
users:
  - {name: pump, write: ["pumps/%u/#"]}
"""


class Bench:
    """The broker, its ports and the certificates."""

    def __init__(self, w):
        self.ca, self.foreign = Authority(w.path("ca"), "plant CA"), Authority(w.path("foreign"), "foreign CA")
        names = {"names": ["localhost"], "addresses": ["127.0.0.1"]}
        self.server = self.ca.issue("server", key="rsa:2048", **names)
        self.plant = self.ca.issue("plant", names=["mqtt.plant.example"])
        self.site = self.ca.issue("site", names=["*.site.example"])
        self.pump = self.ca.issue("pump", subject="/O=plant/CN=pump")
        self.revoked = self.ca.issue("revoked")
        self.expired = self.ca.issue("expired", first_day=-10, last_day=-1)
        self.nameless = self.ca.issue("nameless", subject="/O=plant")
        self.stranger = self.foreign.issue("stranger")
        self.ca.revoke(self.revoked)
        self.crl = self.ca.crl()
        for name in ("plain", "open", "modern", "optional", "required", "ruled"):
            setattr(self, name, free_port())
        self.acl = w.write("acl.yaml", RULES)
        config = w.write("wirepost.yaml", CONFIGURATION.format(**vars(self)))
        self.broker = w.start([WIREPOST, "run", "-c", config], ready="broker running")

    def is_served(self, port, **options):
        with tls_client(port, self.ca, **options) as c:
            c.connect("served")

    def is_refused(self, port, why, **options):
        """The broker logs this reason; the client finds that there is no session."""
        before = len(self.broker.log())
        try:
            with tls_client(port, self.ca, **options) as c:
                c.connect("refused")
        except (ssl.SSLError, OSError, Closed):
            pass
        else:
            raise AssertionError("it came in")
        wait_for(lambda: why in self.broker.log()[before:], 10, why)


def versions_before_1_2_are_refused(b):
    b.is_refused(b.open, "no version of TLS that both allow", oldest=V11, newest=V11, ciphers="ALL:@SECLEVEL=0")
    b.is_refused(b.modern, "no version of TLS that both allow", oldest=V12, newest=V12)


def versions_1_2_and_1_3_are_accepted_and_1_3_is_preferred(b):
    for port, options, version in ((b.open, {"newest": V12}, "TLSv1.2"), (b.open, {"oldest": V13}, "TLSv1.3"),
                                   (b.open, {}, "TLSv1.3"), (b.modern, {}, "TLSv1.3")):
        with tls_client(port, b.ca, **options) as c:
            c.connect("v")
            assert c.sock.version() == version, c.sock.version()
            assert c.sock.compression() is None


def only_ciphers_with_forward_secrecy_and_authentication_are_taken(b):
    every = subprocess.run(["openssl", "ciphers", "-tls1_2", "-s", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
                           capture_output=True, text=True, timeout=60, check=True).stdout.strip().split(":")
    taken = []
    for cipher in every:
        try:
            context = client_context(b.ca, newest=V12, ciphers=cipher + ":@SECLEVEL=0")
        except ssl.SSLError:
            continue  # one of TLS 1.3
        try:
            with tls_socket(b.open, context) as s:
                taken.append(s.cipher()[0])
        except (ssl.SSLError, OSError):
            pass
    print("   %d offered, taken: %s" % (len(every), " ".join(taken)))
    assert taken and all(re.match(r"ECDHE-\w+-(AES\d+-GCM|CHACHA20-POLY1305)", c) for c in taken), taken


def the_server_chooses_the_cipher(b):
    chosen = set()
    for order in ("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384",
                  "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"):
        with tls_socket(b.open, client_context(b.ca, newest=V12, ciphers=order)) as s:
            chosen.add(s.cipher()[0])
    assert chosen == {"ECDHE-RSA-AES256-GCM-SHA384"}, chosen


def nobody_may_renegotiate(b):
    p = subprocess.Popen(["openssl", "s_client", "-connect", "127.0.0.1:%d" % b.open, "-tls1_2", "-CAfile", b.ca.cert],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    timer = threading.Timer(30, p.kill)
    timer.start()
    lines = []
    for line in p.stdout:
        lines.append(line)
        if "Verify return code" in line:
            p.stdin.write("R\n")
            p.stdin.flush()
        if "no renegotiation" in line:
            break
    timer.cancel()
    p.kill()
    p.communicate()
    assert "no renegotiation" in lines[-1], "".join(lines)


def a_certificate_is_asked_for_or_required(b):
    b.is_served(b.optional)
    b.is_served(b.optional, certificate=b.pump)
    b.is_refused(b.required, "the peer has shown no certificate")
    b.is_served(b.required, certificate=b.pump)


def a_certificate_that_is_not_good_is_refused_though_none_is_needed(b):
    for version in (V12, V13):
        only = {"oldest": version, "newest": version}
        b.is_refused(b.optional, "no TLS session (certificate revoked)", certificate=b.revoked, **only)
        b.is_refused(b.optional, "no TLS session (certificate has expired)", certificate=b.expired, **only)
        b.is_refused(b.optional, "no TLS session (unknown CA)", certificate=b.stranger, **only)
        b.is_refused(b.required, "no TLS session (unknown CA)", certificate=b.stranger, **only)


def a_list_is_the_listeners_own(b):
    b.is_served(b.required, certificate=b.revoked)


def the_user_name_is_the_certificates(b):
    for port, name in ((b.optional, "pump"), (b.required, "CN=pump,O=plant")):
        before = len(b.broker.log())
        with tls_client(port, b.ca, certificate=b.pump) as c:
            c.connect("named", username="root", password=b"guess")
        wait_for(lambda: "user '%s' by certificate" % name in b.broker.log()[before:], 10, name)
    b.is_refused(b.optional, "its certificate holds no user name", certificate=b.nameless)


def rules_hold_for_the_user_of_the_certificate(b):
    with tls_client(b.ruled, b.ca, certificate=b.pump) as pump, tls_client(b.ruled, b.ca) as nobody:
        pump.connect("p", username="valve")
        nobody.connect("n", username="pump", password=b"x")
        assert pump.publish("pumps/pump/speed", b"1", qos=1).reason in (0, 0x10)
        assert pump.publish("pumps/valve/speed", b"1", qos=1).reason == 0x87
        assert nobody.publish("pumps/pump/speed", b"1", qos=1).reason == 0x87


def the_certificate_is_that_of_the_name_asked_for(b):
    context = client_context(b.ca)
    context.check_hostname = False
    for name, cn in (("localhost", "server"), (None, "server"), ("mqtt.plant.example", "plant"),
                     ("MQTT.Plant.Example", "plant"), ("a.site.example", "site"), ("a.b.site.example", "server")):
        with tls_socket(b.open, context, name=name) as s:
            assert common_name(s) == cn, (name, common_name(s))
    with tls_client(b.open, b.ca, name="mqtt.plant.example") as c:
        c.connect("sni")


def sessions_are_resumed(b):
    for version in (V12, V13):
        context = client_context(b.ca, certificate=b.pump, oldest=version, newest=version)
        with tls_client(b.required, context=context) as c:
            c.connect("first")
            session = c.sock.session
            assert not c.sock.session_reused
        before = len(b.broker.log())
        with tls_client(b.required, context=context, session=session) as c:
            c.connect("second")
            assert c.sock.session_reused, version
        said = wait_for(lambda: re.search(r"TLSv\S+, \S+, resumed \((\d+) of (\d+) TLS sessions were resumed\)",
                                          b.broker.log()[before:]), 10, "the count")
        assert "user 'CN=pump,O=plant' by certificate" in b.broker.log()[before:]
        print("   " + said.group(0))


def a_session_of_one_listener_is_none_at_another(b):
    context = client_context(b.ca, certificate=b.revoked)
    with tls_client(b.required, context=context) as c:
        c.connect("first")
        session = c.sock.session
    b.is_refused(b.optional, "no TLS session (certificate revoked)", context=context, session=session)


def foreign_clients_are_served(b):
    for version in ("tlsv1.2", "tlsv1.3"):
        common = ["-h", "localhost", "-p", str(b.required), "--cafile", b.ca.cert, "--cert", b.pump.cert,
                  "--key", b.pump.key, "--tls-version", version, "-t", "foreign/" + version]
        subprocess.run(["mosquitto_pub", *common, "-m", "hello", "-q", "2", "-r", "-V", "5"], timeout=30, check=True)
        got = subprocess.run(["mosquitto_sub", *common, "-C", "1", "-q", "1"], timeout=30, check=True,
                             capture_output=True, text=True).stdout
        assert got == "hello\n", got


def packets_of_any_size_go_both_ways(b):
    with tls_client(b.open, b.ca) as sub, tls_client(b.open, b.ca) as pub:
        sub.connect("sub")
        pub.connect("pub")
        sub.subscribe("size/#", qos=0)
        many = b"".join(publish("size/small", b"%d" % i, version=5) for i in range(5000))
        pub.send(many)
        for i in range(5000):
            sub.expect_publish("size/small", b"%d" % i)
        body = random.Random(1).randbytes(1000000)
        pub.send(publish("size/large", body, version=5))
        sub.expect_publish("size/large", body, timeout=30)


def one_who_does_not_read_gets_everything_later(b):
    with tls_client(b.open, b.ca) as sub, tls_client(b.open, b.ca) as pub:
        sub.connect("slow")
        pub.connect("fast")
        sub.subscribe("slow/#", qos=0)
        body = random.Random(2).randbytes(100000)
        for i in range(200):
            pub.send(publish("slow/%d" % i, body, version=5))
        pub.ping()
        for i in range(200):
            sub.expect_publish("slow/%d" % i, body, timeout=30)


def closed(sock, seconds):
    sock.settimeout(seconds)
    try:
        while sock.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


def garbage_hurts_nobody(b):
    chance = random.Random(3)
    plain = bytes.fromhex("100c00044d5154540402003c0000")
    hello = ssl.MemoryBIO()
    try:
        client_context(b.ca).wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = hello.read()
    with tls_client(b.open, b.ca) as other:
        other.connect("other")
        for i in range(60):
            damaged = bytearray(hello)
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            data = (plain, b"GET / HTTP/1.1\r\n\r\n", chance.randbytes(2000), bytes(damaged), hello[:chance.randrange(len(hello))],
                    hello + chance.randbytes(500))[i % 6]
            with socket.create_connection(("127.0.0.1", b.open)) as s:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                closed(s, 20)
            other.ping()
    before = len(b.broker.log())
    with socket.create_connection(("127.0.0.1", b.open)) as s:
        s.sendall(plain)
        closed(s, 20)
    assert "wrong version number: not TLS?" in b.broker.log()[before:]


def tls_at_a_plain_port_is_refused(b):
    try:
        tls_socket(b.plain, client_context(b.ca))
    except (ssl.SSLError, OSError):
        pass
    else:
        raise AssertionError("a plain port spoke TLS")
    Client(b.plain).connect("plain")


def a_damaged_record_ends_the_session_alone(b):
    with tls_client(b.open, b.ca) as other, tls_client(b.open, b.ca) as c:
        other.connect("other")
        c.connect("damaged")
        with socket.socket(fileno=os.dup(c.sock.fileno())) as raw:
            raw.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
            closed(raw, 20)
        other.ping()


def handshakes_that_take_too_long_are_closed(b):
    began = time.monotonic()
    silent = [socket.create_connection(("127.0.0.1", b.open)) for _ in range(50)]
    for s in silent[25:]:
        s.sendall(b"\x16\x03\x01\x02\x00\x01")
    b.is_served(b.open)
    for s in silent:
        closed(s, 30)
        s.close()
    print("   %d of them were closed after %.1f s" % (len(silent), time.monotonic() - began))


def many_handshakes_at_once_stall_nobody(b):
    longest, done, errors = [0.0], threading.Event(), []

    def storm():
        try:
            for _ in range(15):
                b.is_served(b.open)
        except Exception as e:  # noqa: BLE001
            errors.append(e)

    def watch():
        with Client(b.plain) as c:
            c.connect("watching")
            while not done.is_set():
                began = time.monotonic()
                c.ping()
                longest[0] = max(longest[0], time.monotonic() - began)

    watcher = threading.Thread(target=watch)
    watcher.start()
    storms = [threading.Thread(target=storm) for _ in range(12)]
    for t in storms:
        t.start()
    for t in storms:
        t.join()
    done.set()
    watcher.join()
    assert not errors, errors
    print("   180 handshakes by 12 clients; the longest PINGREQ of another took %.0f ms" % (longest[0] * 1000))


CHECKS = [versions_before_1_2_are_refused, versions_1_2_and_1_3_are_accepted_and_1_3_is_preferred,
          only_ciphers_with_forward_secrecy_and_authentication_are_taken, the_server_chooses_the_cipher,
          nobody_may_renegotiate, a_certificate_is_asked_for_or_required,
          a_certificate_that_is_not_good_is_refused_though_none_is_needed, a_list_is_the_listeners_own,
          the_user_name_is_the_certificates, rules_hold_for_the_user_of_the_certificate, the_certificate_is_that_of_the_name_asked_for, sessions_are_resumed,
          a_session_of_one_listener_is_none_at_another, foreign_clients_are_served, packets_of_any_size_go_both_ways,
          one_who_does_not_read_gets_everything_later, garbage_hurts_nobody, tls_at_a_plain_port_is_refused,
          a_damaged_record_ends_the_session_alone, handshakes_that_take_too_long_are_closed,
          many_handshakes_at_once_stall_nobody]


def main():
    only = sys.argv[1:]
    with Workplace() as w:
        b = Bench(w)
        for check in CHECKS:
            if only and check.__name__ not in only:
                continue
            try:
                check(b)
            except BaseException:
                print("FAILED: " + check.__name__.replace("_", " "), flush=True)
                raise
            print("ok: " + check.__name__.replace("_", " "), flush=True)
        b.broker.stop()


main()
