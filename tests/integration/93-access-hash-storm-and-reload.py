#!/usr/bin/python3
"""Do guesses of passwords keep anybody else waiting? Do other users and rules hold at once, and are wrong files refused?"""
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
sys.path.insert(0, os.path.dirname(__file__))
from lib.gateway import Site
from lib.mqtt import *
from lib.programs import WIREPOST, Workplace, free_port, wait_for

CONFIG = """
web: {{enabled: false}}
broker:
  users: users
  acl: acl
  logins: {{{logins}}}
  listeners:
    - {{port: {port}}}
    - {{port: {open}, allow_anonymous: {anonymous}}}
"""
SITE = """
gateway: {{id: site, data_dir: {folder}/data}}
broker:
  users: users
  logins: {{failed_delay: 0}}
  sys_interval: 1s
  listeners: [{{port: {port}}}]
web: {{enabled: false, listen: {{port: {web_port}}}}}
buses:
  - name: plc
    type: modbus-tcp
    host: 127.0.0.1
    port: {plc_port}
    timeout: 300ms
    devices:
      - name: tank
        unit: 1
        tags:
          - {{name: level, table: input, address: 4, type: u32, poll: 100ms, max_interval: 100ms}}
{bridges}
"""


def passwd(path, user, password):
    subprocess.run([WIREPOST, "passwd", "-b", path, user, password], check=True, timeout=30)


class Broker:
    def __init__(self, w, logins="failed_delay: 0", rules="pattern readwrite #\n"):
        self.w, self.port, self.open, self.logins, self.anonymous = w, free_port(), free_port(), logins, "true"
        self.users = w.path("users")
        for user in ("anna", "otto"):
            passwd(self.users, user, user)
        w.write("acl", rules)
        self.configure()
        self.program = w.start([WIREPOST, "run", "-c", w.path("main.yaml")], port=self.open)

    def configure(self):
        self.w.write("main.yaml", CONFIG.format(port=self.port, open=self.open, logins=self.logins, anonymous=self.anonymous))

    def reload(self, pattern=r"reload: (?!nothing was changed)"):
        """Waits for what the log says of it, as many times as it was asked."""
        before = len(re.findall(pattern, self.program.log()))
        self.program.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(re.findall(pattern, self.program.log())) > before, 15, "%r in the log" % pattern)

    def client(self, user, id=None, port=None, version=5, host=None, **kw):
        c = Client(port or self.port, version)
        if user:
            kw.update(username=user, password=kw.pop("password", user))
        c.connect(id or "id-%s" % user, **kw)
        return c


def from_address(port, address):
    return Client(port, sock=socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(address, 0)))


class Storm(threading.Thread):
    """Connects with guesses, from several addresses at once, until it is told to stop."""

    def __init__(self, port, addresses, at_once=8):
        super().__init__(daemon=True)
        self.port, self.addresses, self.at_once, self.done, self.count, self.codes = port, addresses, at_once, False, 0, set()
        self.start()

    def run(self):
        while not self.done:
            clients = []
            for address in self.addresses:
                for i in range(self.at_once):
                    c = from_address(self.port, address)
                    c.send(connect("storm", username=("anna", "nobody")[i % 2], password="guess %d" % self.count))
                    clients.append(c)
                    self.count += 1
            for c in clients:
                try:
                    self.codes.add(c.recv(20).reason)
                except (Closed, Timeout):
                    pass
                c.kill()

    def stop(self):
        self.done = True
        self.join(40)


# ---- hash storms ----

def polling_and_clients_go_on_in_a_storm(w):
    site = Site(w, SITE)
    passwd(w.path("users"), "anna", "anna")
    w.start([WIREPOST, "simulate", "-c", site.file], port=site.plc_port)
    site.start_gateway()
    with Client(site.port) as c:
        c.connect("c", username="anna", password="anna")
        c.subscribe("wp/site/d/tank/json", "ping")
        storm = Storm(site.port, ["127.0.0.%d" % n for n in range(2, 8)])
        wait_for(lambda: storm.count > 60, 20, "the storm")
        slowest, readings, begun = 0, 0, time.monotonic()
        for n in range(50):
            sent = time.monotonic()
            c.publish("ping", str(n))
            while True:
                p = c.expect(PUBLISH)
                if p.topic == "ping":
                    break
                readings += 1
            slowest = max(slowest, time.monotonic() - sent)
            time.sleep(0.05)
        lasted = time.monotonic() - begun
        with Client(site.port) as late:
            late.connect("late", username="anna", password="anna")  # known by now: it does not wait in any queue
        storm.stop()
        print("    (%d guesses; 50 round trips, the slowest %.0f ms; %d readings in %.1f s; codes %s)" % (
            storm.count, slowest * 1000, readings, lasted, sorted(map(hex, storm.codes))))
        assert readings > 10, readings
        assert storm.codes <= {0x86, 0x89, 0x97}, storm.codes
    site.gateway.stop()


def refusals(clients, least):
    """The codes of those that are answered, once at least so many are."""
    codes = {}

    def enough():
        for c in clients:
            try:
                codes[c] = codes.get(c) or c.recv(0.02).reason
            except Timeout:
                pass
        return len(codes) >= least
    wait_for(enough, 20, "%d refusals" % least)
    return set(codes.values())


def too_many_that_wait_are_refused_unheard(w):
    b = Broker(w, "waiting: 5, waiting_per_address: 3, failed_delay: 30s")
    with b.client("otto", "known"):
        pass

    def guess(address, count=8, version=5):
        clients = [from_address(b.port, address) for _ in range(count)]
        for c in clients:
            c.version = version
            c.send(connect("x", version, username="anna", password="guess"))
        return clients
    first = guess("127.0.0.2")  # three wait, and one more if the first has been checked by then: the next has to wait for 30 s
    assert refusals(first, 4) == {0x97}
    second = guess("127.0.0.3")
    assert refusals(second, 5) == {0x89}
    third = guess("127.0.0.4", 8, version=4)
    assert refusals(third, 7) == {3}
    with b.client("otto", "known"):
        pass  # a password that was right before waits for nobody
    for c in first + second + third:
        c.kill()
    b.program.stop()


def a_wrong_password_costs_its_address_time(w):
    b = Broker(w, "failed_delay: 1s")
    with from_address(b.port, "127.0.0.2") as wrong, from_address(b.port, "127.0.0.2") as right, Client(b.port) as other:
        begun = time.monotonic()
        wrong.send(connect("x", username="anna", password="guess"))
        time.sleep(0.1)
        right.send(connect("y", username="anna", password="anna"))
        other.connect("z", username="otto", password="otto")
        assert wrong.expect(CONNACK).reason == 0x86
        assert right.expect(CONNACK).reason == 0
        assert time.monotonic() - begun >= 1
    b.program.stop()


def clients_may_go_while_their_password_is_checked(w):
    b = Broker(w, "failed_delay: 0, waiting: 500, waiting_per_address: 500")
    for round in range(3):
        clients = [Client(b.port) for _ in range(60)]
        for i, c in enumerate(clients):
            c.send(connect("x", username="anna", password="guess" if i % 2 else "anna"))
        for c in clients[:50]:
            c.kill()
        for c in clients[50:]:
            try:
                assert c.recv(20).reason in (0, 0x86)
            except Closed:
                pass  # taken over by another x
            c.kill()
    with b.client("anna") as c:
        c.ping()
    clients = [Client(b.port) for _ in range(20)]
    for c in clients:
        c.send(connect("x", username="otto", password="guess"))
    b.program.stop()  # while passwords wait


# ---- reload ----

def users_that_go_or_change_are_disconnected(w):
    b = Broker(w)
    passwd(b.users, "ida", "ida")
    b.reload()
    with b.client("anna") as anna, b.client("otto") as otto, b.client("ida", version=4) as ida, b.client(None, "x", b.open) as someone:
        subprocess.run([WIREPOST, "passwd", "-D", b.users, "ida"], check=True, timeout=30)
        passwd(b.users, "otto", "other")
        b.reload()
        assert otto.expect_closed() == 0x98
        ida.expect_closed()
        anna.ping()
        someone.ping()
    with Client(b.port) as c:
        c.connect("x", username="otto", password="otto", reason=0x86)
    with Client(b.port) as c:
        c.connect("x", username="ida", password="ida", reason=0x86)
    b.client("otto", password="other").disconnect()
    b.program.stop()


def anonymous_clients_go_when_they_are_no_longer_served(w):
    b = Broker(w)
    with b.client(None, "x", b.open) as someone, b.client("anna", "a", b.open) as anna:
        b.anonymous = "false"
        b.configure()
        b.reload()
        assert someone.expect_closed() == 0x87
        anna.ping()
    b.program.stop()


def rules_hold_at_once(w):
    b = Broker(w, rules="user anna\ntopic a/#\nuser otto\ntopic readwrite #\n")
    with b.client("anna", "keeps", clean=False, session_expiry=100) as c:
        c.subscribe("a/#", qos=1)
    with b.client("anna") as anna, b.client("otto") as otto:
        anna.subscribe("a/#", qos=1)
        otto.publish("a/x", "1", qos=1)
        anna.expect_publish("a/x", "1")
        anna.ack(PUBACK, 1)
        w.write("acl", "user anna\ntopic b/#\nuser otto\ntopic readwrite #\n")
        b.reload()
        otto.publish("a/x", "2", qos=1)
        assert anna.publish("a/x", "no", qos=1).reason == 0x87
        anna.subscribe("a/y", codes=[0x87])
        anna.subscribe("b/#")
        otto.publish("b/x", "3")
        anna.expect_publish("b/x", "3")
        w.write("acl", "user anna\ntopic a/#\nuser otto\ntopic readwrite #\n")
        b.reload()
        otto.publish("a/x", "4", qos=1)
        anna.expect_publish("a/x", "4")  # the subscription was there all the time
    with b.client("anna", "keeps", clean=False, session_expiry=100) as c:
        assert [c.expect(PUBLISH).payload for _ in range(2)] == [b"1", b"4"]  # the one in between was not for her
    b.program.stop()


def what_was_queued_is_judged_again(w):
    b = Broker(w, rules="user anna\ntopic a/#\nuser otto\ntopic readwrite #\n")
    with b.client("anna", "keeps", clean=False, session_expiry=100) as c:
        c.subscribe("a/#", qos=1)
    with b.client("otto") as otto:
        otto.publish("a/open", "1", qos=1)
        otto.publish("a/secret", "2", qos=1)
        otto.publish("a/open", "3", qos=1)
    w.write("acl", "user anna\ntopic a/open\n")
    b.reload()
    with b.client("anna", "keeps", clean=False, session_expiry=100) as c:
        for want in ("1", "3"):
            c.expect_publish("a/open", want)
        c.expect_nothing()
    b.program.stop()


def a_qos_2_message_that_was_taken_is_acknowledged_whatever_the_rules_are_now(w):
    b = Broker(w, rules="user anna\ntopic a/#\nuser otto\ntopic readwrite #\n")
    with b.client("otto") as otto:
        otto.subscribe("+/x")
        with b.client("anna", "keeps", clean=False, session_expiry=100) as anna:
            anna.send(publish("a/x", "1", qos=2, id=7))
            otto.expect_publish("a/x", "1")
        w.write("acl", "user anna\ntopic b/#\nuser otto\ntopic readwrite #\n")
        b.reload()
        with b.client("anna", "keeps", clean=False, session_expiry=100) as anna:
            for topic, payload in (("a/x", "1"), ("b/x", "2")):
                anna.send(publish(topic, payload, qos=2, id=7, dup=topic == "a/x"))
                p = anna.expect(PUBREC)
                if p.reason < 0x80:
                    anna.ack(PUBREL, 7)
                    assert anna.expect(PUBCOMP).reason == 0
        otto.expect_publish("b/x", "2")
        otto.expect_nothing()
    b.program.stop()


def a_will_is_judged_again(w):
    b = Broker(w, rules="pattern readwrite #\n")
    with b.client("otto") as otto:
        otto.subscribe("will/#")
        for allowed in (True, False):
            gone = b.client("anna", will={"topic": "will/anna", "payload": b"gone"})
            if not allowed:
                w.write("acl", "user otto\ntopic readwrite #\n")
                b.reload()
            gone.kill()
            if allowed:
                otto.expect_publish("will/anna", "gone")
        otto.publish("will/otto", "mine")
        otto.expect_publish("will/otto", "mine")
    b.program.stop()


def rules_that_come_hold_for_those_who_are_there(w):
    b = Broker(w)
    main = open(w.path("main.yaml")).read()
    w.write("main.yaml", main.replace("  acl: acl\n", ""))
    b.reload()
    with b.client(None, "x", b.open) as c, b.client("otto") as otto:
        c.subscribe("#")
        otto.publish("a", "1")
        c.expect_publish("a", "1")
        w.write("acl", "topic read b\nuser otto\ntopic readwrite #\n")
        w.write("main.yaml", main)
        b.reload()
        otto.publish("a", "2")
        otto.publish("b", "3")
        c.expect_publish("b", "3")
        w.write("main.yaml", main.replace("  acl: acl\n", ""))
        b.reload()
        otto.publish("a", "4")
        c.expect_publish("a", "4")
    b.program.stop()


def wrong_files_are_refused_and_nothing_changes(w):
    b = Broker(w, rules="user anna\ntopic a/#\n")
    good = {name: open(w.path(name)).read() for name in ("users", "acl")}
    wrong = [("users", good["users"] + "broken\n", r"users:3:1: there is no ':'"),
             ("users", "anna:$argon2id$v=19$x\n", r"users:1:6: the hash of user 'anna', of kind '\$argon2id\$'"),
             ("acl", "user anna\ntopic a/#\ntopic reed b\n", r"acl:3:7: before the topic"),
             ("acl", "users:\n  - name: anna\n    red: [a]\n", r"acl:3:5: a user has no key 'red'; did you mean 'read'"),
             ("acl", "users: [\n", r"acl:\d+:\d+: ")]
    with b.client("anna") as anna:
        for name, text, said in wrong:
            w.write(name, text)
            b.reload(r"reload: nothing was changed")
            assert re.search(said, b.program.log()), (said, b.program.log()[-800:])
            anna.publish("a/x", "still", qos=1)
            assert anna.publish("b", "no", qos=1).reason == 0x87
            b.client("otto").disconnect()
            with Client(b.port) as c:
                c.connect("y", username="otto", password="no", reason=0x86)
            w.write(name, good[name])
        os.rename(w.path("acl"), w.path("away"))
        b.reload(r"reload: nothing was changed")
        assert "cannot read" in b.program.log()
        os.rename(w.path("away"), w.path("acl"))
        w.write("acl", good["acl"] + "topic b\n")
        b.reload(r"1 file changed \(.*/acl\)")
        assert anna.publish("b", "yes", qos=1).reason in (0, 0x10)
    b.program.stop()


def main():
    checks = [polling_and_clients_go_on_in_a_storm, too_many_that_wait_are_refused_unheard, a_wrong_password_costs_its_address_time,
              clients_may_go_while_their_password_is_checked, users_that_go_or_change_are_disconnected,
              anonymous_clients_go_when_they_are_no_longer_served, rules_hold_at_once, what_was_queued_is_judged_again,
              a_qos_2_message_that_was_taken_is_acknowledged_whatever_the_rules_are_now,
              a_will_is_judged_again, rules_that_come_hold_for_those_who_are_there, wrong_files_are_refused_and_nothing_changes]
    only = sys.argv[1:]
    for check in checks:
        if only and check.__name__ not in only:
            continue
        with Workplace() as w:
            try:
                check(w)
            except BaseException:
                print("FAILED: " + check.__name__.replace("_", " "), flush=True)
                raise
            print("ok: " + check.__name__.replace("_", " "), flush=True)


if __name__ == "__main__":
    main()
