#!/usr/bin/python3
"""When certificates change and the configuration is read again: does everybody stay connected, do those who come later
see the new ones, and does a bad one change nothing?"""
import os
import re
import shutil
import signal
import ssl
import sys

sys.path.insert(0, os.path.dirname(__file__))
from lib.certificates import Authority  # noqa: E402
from lib.mqtt import Closed  # noqa: E402
from lib.programs import WIREPOST, Workplace, free_port  # noqa: E402
from lib.tls import V12, V13, client_context, common_name, tls_client, tls_socket  # noqa: E402

CONFIGURATION = """
web: {{enabled: false}}
log: {{level: debug}}
broker:
  listeners:
    - port: {one}
      tls: {{cert: server.crt, key: server.key}}
    - port: {two}
      tls:
        cert: server.crt
        key: server.key
        client_ca: ca.crt
        crl: ca.crl
        require_client_cert: true
        sni: [{{name: plant.example, cert: plant.crt, key: plant.key}}]
"""


class Bench:
    def __init__(self, w):
        self.w, self.ca, self.later_ca = w, Authority(w.path("ca"), "plant CA"), Authority(w.path("later"), "later CA")
        self.names = {"names": ["localhost"], "addresses": ["127.0.0.1"]}
        self.pump, self.valve = self.ca.issue("pump"), self.ca.issue("valve")
        self.put("server", self.ca.issue("server-1", **self.names))
        self.put("plant", self.ca.issue("plant-1", names=["plant.example"]))
        shutil.copy(self.ca.cert, w.path("ca.crt"))
        shutil.copy(self.ca.crl(), w.path("ca.crl"))
        self.one, self.two = free_port(), free_port()
        self.config = w.write("wirepost.yaml", CONFIGURATION.format(**vars(self)))
        self.broker = w.start([WIREPOST, "run", "-c", self.config], ready="broker running")

    def put(self, name, certificate):
        shutil.copy(certificate.cert, self.w.path(name + ".crt"))
        shutil.copy(certificate.key, self.w.path(name + ".key"))

    def reload(self, pattern):
        """Has the configuration read again; what the log says from then on, up to a line with this pattern."""
        before = len(self.broker.log())
        self.broker.process.send_signal(signal.SIGHUP)
        self.broker.wait_for_log(r"(?s)\A.{%d}.*?%s" % (before, pattern))
        return self.broker.log()[before:]

    def shown(self, port=None, certificate=None, name="localhost"):
        context = client_context(self.ca, certificate=certificate)
        context.check_hostname = False
        with tls_socket(port or self.one, context, name=name) as s:
            return common_name(s)

    def may_come(self, certificate, **options):
        try:
            with tls_client(self.two, self.ca, certificate=certificate, **options) as c:
                c.connect("comes")
                return True
        except (ssl.SSLError, OSError, Closed):
            return False


def a_new_certificate_is_shown_to_those_who_come_later(b):
    with tls_client(b.one, b.ca, newest=V12) as old, tls_client(b.one, b.ca, oldest=V13) as new:
        old.connect("1.2")
        new.connect("1.3")
        old.subscribe("swap/#", qos=1)
        assert b.shown() == "server-1"
        b.put("server", b.ca.issue("server-2", key="rsa:2048", **b.names))
        said = b.reload("reload: ")
        assert "server.crt: new certificates or rules of TLS" in said, said
        assert re.search(r"reload: 2 files changed \(\S*server\.crt, \S*server\.key\)", said), said
        assert b.shown() == "server-2"
        new.publish("swap/a", b"still here", qos=1)
        old.expect_publish("swap/a", b"still here")


def a_reload_without_a_change_keeps_sessions_resumable(b):
    context = client_context(b.ca)
    with tls_client(b.one, context=context) as c:
        c.connect("first")
        session = c.sock.session
    said = b.reload("reload: ")
    assert "reload: nothing has changed" in said, said
    with tls_client(b.one, context=context, session=session) as c:
        c.connect("second")
        assert c.sock.session_reused


def a_bad_certificate_refuses_the_reload_and_the_old_one_stays(b):
    good = b.ca.issue("server-3", **b.names).read()
    for cert, key, why in ((None, b.pump.read()[1], r"server\.key: does not belong to \S*server\.crt"),
                           ("damaged", None, r"server\.crt: holds no certificate in PEM form"),
                           (good[0][:200], None, r"server\.crt: "),
                           (good[0], good[1].replace("PRIVATE", "PUBLIC"), r"server\.key: holds no private key")):
        with tls_client(b.one, b.ca) as c:
            c.connect("stays")
            for name, text in (("server.crt", cert), ("server.key", key)):
                if text:
                    b.w.write(name, text)
            said = b.reload("reload: nothing was changed")
            b.broker.wait_for_log(r"error: reload: \S*wirepost\.yaml:\d+:\d+: \S*" + why)
            assert b.shown() == "server-2", said
            c.ping()
        print("   " + said.strip().replace(b.w.folder + "/", "").replace("\n", "\n   "))
    os.remove(b.w.path("server.key"))
    b.reload(r"server\.key: No such file or directory")
    b.put("server", b.ca.issue("server-3", **b.names))
    b.reload("new certificates")
    assert b.shown() == "server-3"


def a_certificate_by_name_is_changed_too(b):
    assert b.shown(b.two, b.pump, "plant.example") == "plant-1"
    b.put("plant", b.ca.issue("plant-2", names=["plant.example"]))
    b.reload("new certificates")
    assert b.shown(b.two, b.pump, "plant.example") == "plant-2"
    assert b.shown(b.two, b.pump, "localhost") == "server-3"


def who_is_revoked_does_not_come_again_by_an_old_session(b):
    context = client_context(b.ca, certificate=b.valve)
    with tls_client(b.two, context=context) as c:
        c.connect("valve")
        session = c.sock.session
        assert b.may_come(b.pump)
        b.ca.revoke(b.valve)
        shutil.copy(b.ca.crl(), b.w.path("ca.crl"))
        b.reload("new certificates")
        assert not b.may_come(b.valve)
        assert not b.may_come(b.valve, context=context, session=session)
        assert b.may_come(b.pump)
        c.ping()


def another_ca_is_believed_from_then_on(b):
    sensor = b.later_ca.issue("sensor")
    assert not b.may_come(sensor)
    shutil.copy(b.later_ca.cert, b.w.path("ca.crt"))
    shutil.copy(b.later_ca.crl(), b.w.path("ca.crl"))
    b.reload("new certificates")
    assert b.may_come(sensor)
    assert not b.may_come(b.pump)


def without_tls_the_same_port_is_another_listener(b):
    with tls_client(b.one, b.ca) as c:
        c.connect("goes")
        with open(b.config) as f:
            text = f.read()
        b.w.write("wirepost.yaml", text.replace("tls: {cert: server.crt, key: server.key}", "bind: 127.0.0.1"))
        b.reload("no longer listening on 127.0.0.1 port %d" % b.one)
        assert c.expect_closed(15) == 0x98
        b.w.write("wirepost.yaml", text)
        b.reload("listening on 127.0.0.1 port %d with TLS" % b.one)
        assert b.shown() == "server-3"


def what_is_soon_not_valid_any_more_is_said(b):
    b.put("server", b.ca.issue("server-4", last_day=9.5, **b.names))
    said = b.reload("reload: ")
    assert "warning: broker: " in said and "server.crt: valid for 9 more days only, until 20" in said, said
    b.put("server", b.ca.issue("server-5", first_day=-9, last_day=-2, **b.names))
    b.broker.stop()
    b.broker = b.w.start([WIREPOST, "run", "-c", b.config], ready="broker running")
    b.broker.wait_for_log(r"warning: broker: \S*server\.crt: not valid any more since 20")


CHECKS = [a_new_certificate_is_shown_to_those_who_come_later, a_reload_without_a_change_keeps_sessions_resumable,
          a_bad_certificate_refuses_the_reload_and_the_old_one_stays, a_certificate_by_name_is_changed_too,
          who_is_revoked_does_not_come_again_by_an_old_session, another_ca_is_believed_from_then_on,
          without_tls_the_same_port_is_another_listener, what_is_soon_not_valid_any_more_is_said]


def main():
    with Workplace() as w:
        b = Bench(w)
        for check in CHECKS:
            try:
                check(b)
            except BaseException:
                print("FAILED: " + check.__name__.replace("_", " "), flush=True)
                raise
            print("ok: " + check.__name__.replace("_", " "), flush=True)
        b.broker.stop()


main()
