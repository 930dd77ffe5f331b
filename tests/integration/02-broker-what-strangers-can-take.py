#!/usr/bin/python3
"""Can a client take what is another's: his session or messages, descriptors, lines of the log?"""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from lib.mqtt import *
from lib.programs import WIREPOST, Workplace, free_port, wait_for

CONFIG = """
web: {{enabled: false}}
broker:
  allow_anonymous: true
  acl: acl.yaml
  listeners:
    - {{port: {plain}}}
    - {{port: {one}, mount: one/}}
    - {{port: {two}, mount: two/}}
    - {{port: {narrow}, limits: {{connections: 20}}}}
"""
RULES = "everyone: {readwrite: ['+/t', 'share/%c', 'share/all'], read: ['share/closing'], write: ['share/#']}\n"


class Place:
    def __init__(self, w):
        self.w = w
        self.plain, self.one, self.two, self.narrow = (free_port() for _ in range(4))
        w.write("acl.yaml", RULES)
        config = w.write("wirepost.yaml", CONFIG.format(plain=self.plain, one=self.one, two=self.two, narrow=self.narrow))
        self.program = w.start([WIREPOST, "run", "-c", config], ready="broker running")

    def rules(self, text):
        self.w.write("acl.yaml", text)
        self.program.process.send_signal(signal.SIGHUP)
        self.program.wait_for_log("reload: (?!nothing)")

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.program.process.pid))


def a_session_stays_below_its_mount(p):
    for port in (p.two, p.plain):
        with Client(p.one) as c:
            c.connect("shared", clean=False, session_expiry=60)
            c.subscribe("t", qos=1)
        with Client(p.one) as c:
            c.connect("other")
            c.publish("t", "of one", qos=1)
        with Client(port) as c:
            assert not c.connect("shared", clean=False, session_expiry=60).session_present
            c.expect_nothing()
        with Client(port) as c:  # where it was, it goes on
            assert c.connect("shared", clean=False, session_expiry=60).session_present
            c.disconnect(0, session_expiry=0)


def connections_that_are_refused_hold_few_descriptors(p):
    before = p.descriptors()
    clients, most = [], 0
    for i in range(600):
        c = Client(p.narrow)
        c.send(connect("x", will={"topic": "no/+"}))
        clients.append(c)
        c.expect(CONNACK)
        most = max(most, p.descriptors() - before)
    print("    (at most %d descriptors for 600 connections that do not end)" % most)
    assert most < 256 + 20 + 10, most  # those that linger, the limit of connections, and some to spare
    for c in clients:
        c.kill()
    wait_for(lambda: p.descriptors() <= before, 10, "the descriptors")


def what_waits_for_one_member_of_a_share_holds_up_no_other(p):
    with Client(p.plain) as away, Client(p.plain) as here, Client(p.plain) as sender:
        for c, id in ((away, "away"), (here, "here")):
            c.connect(id, clean=False, session_expiry=60)
            c.subscribe("$share/g/share/#", qos=1)
        sender.connect("sender")
        away.kill()
        sender.publish("share/away", "1", qos=1)
        for i in range(3):
            sender.publish("share/all", str(i), qos=1)
            here.ack(PUBACK, here.expect_publish("share/all", str(i)).id)
        here.kill()  # and what waits for both is not stuck behind
        sender.publish("share/all", "later", qos=1)
    with Client(p.plain) as here, Client(p.plain) as away:
        assert here.connect("here", clean=False, session_expiry=60).session_present
        here.ack(PUBACK, here.expect_publish("share/all", "later").id)
        assert away.connect("away", clean=False, session_expiry=60).session_present
        away.ack(PUBACK, away.expect_publish("share/away", "1").id)


def what_no_member_may_read_any_more_holds_up_nobody(p):
    with Client(p.plain) as one, Client(p.plain) as sender:
        one.connect("here", clean=False, session_expiry=60)
        one.kill()
        sender.connect("sender")
        for i in range(100):
            sender.publish("share/closing", str(i), qos=1)
        p.rules(RULES.replace("read: ['share/closing'], ", ""))
        for c, id in ((one, "here"), (sender, "sender")):
            c.kill()
    with Client(p.plain) as one, Client(p.plain) as sender:
        one.connect("here", clean=False, session_expiry=60)
        sender.connect("sender")
        sender.publish("share/all", "goes on", qos=1)
        one.expect_publish("share/all", "goes on")


def what_clients_call_themselves_does_not_write_the_log(p):
    for id in ("a\nerror: forged", "\x1b[31mred", "\u009b31mred", "\x7f", "\u00fc" * 40):
        with Client(p.plain, 4) as c:
            c.connect(id)
            c.publish("no/" + id, "x", qos=1)
    log = open(p.program.log_path, "rb").read()
    text = log.decode()  # no character is cut in two
    assert "\nerror: forged" not in text and "a?error: forged" in text
    for control in "\x1b\u009b\x7f":
        assert control not in text, repr(control)
    assert "\u00fc" * 30 in text


def a_hundred_thousand_users_are_read(w):
    users, port = w.path("users"), free_port()
    subprocess.run([WIREPOST, "passwd", "-b", users, "anna", "secret"], check=True, timeout=30)
    of_anna = open(users).read().strip().split(":")[1]
    with open(users, "w") as f:
        f.writelines("user%d:%s\r\n" % (i, of_anna) for i in range(100000))
        f.write("anna:" + of_anna)  # and no end of line
    config = w.write("many.yaml", "web: {enabled: false}\nbroker: {users: users, listeners: [{port: %d}]}\n" % port)
    gateway = w.start([WIREPOST, "run", "-c", config], port=port, seconds=60)
    for user in ("anna", "user0", "user99999"):
        with Client(port, timeout=20) as c:
            c.connect("x", username=user, password="secret")
    gateway.stop()
    assert subprocess.run([WIREPOST, "passwd", "-b", users, "otto", "secret"], timeout=60).returncode == 0


with Workplace() as w:
    place = Place(w)
    for check in (a_session_stays_below_its_mount, connections_that_are_refused_hold_few_descriptors,
                  what_waits_for_one_member_of_a_share_holds_up_no_other,
                  what_no_member_may_read_any_more_holds_up_nobody, what_clients_call_themselves_does_not_write_the_log):
        check(place)
        print("ok: " + check.__name__.replace("_", " "), flush=True)
    place.program.stop()
    a_hundred_thousand_users_are_read(w)
    print("ok: a hundred thousand users are read", flush=True)
