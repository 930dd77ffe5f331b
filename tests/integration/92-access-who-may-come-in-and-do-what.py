#!/usr/bin/python3
"""Who may come in with what password, and what may each publish, be given and subscribe to? The same as at mosquitto, with its own files?"""
import os
import pty
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
sys.path.insert(0, os.path.dirname(__file__))
from lib.mqtt import *
from lib.programs import WIREPOST, Workplace, free_port

RULES = """
everyone: {read: ["public/#"], readwrite: ["own/%u/#", "client/%c/#"]}
anonymous: {write: ["box"]}
groups:
  - {name: operators, users: [anna, otto], readwrite: ["plant/#"], deny: ["plant/secret/#"]}
users:
  - {name: anna, write: ["public/#", "$SYS/not/really"], read: ["plant/secret/+/for-anna", "box"]}
  - {name: eve, read: ["plant/#"], write: ["wp/site/request/#", "plant/answers"]}
  - {name: ida, readwrite: ["#"], subscribe: ["plant/#", "wp/+/response/#"]}
"""

CONFIG = """
gateway: {{id: site, data_dir: {folder}/data}}
web: {{enabled: false}}
broker:
  users: users
  acl: acl.yaml
  logins: {{failed_delay: 0}}
  listeners:
    - {{port: {closed}}}
    - {{port: {open}, allow_anonymous: true}}
    - {{port: {hall}, mount: hall/}}
"""

PASSWORDS = {"eve": "eve", "anna": "secret", "otto": "gr\u00fcn", "ida": "x" * 100}
DENIED = {5: 0x87, 4: 5, 3: 5}
WRONG = {5: 0x86, 4: 4, 3: 4}


def passwd(*args, **options):
    return subprocess.run([WIREPOST, "passwd", *args], capture_output=True, text=True, timeout=30, **options)


def make_users(w):
    """One by each program that people have: yescrypt, mosquitto's PBKDF2 and its older SHA-512."""
    users, more = w.path("users"), w.path("more")
    for user in ("anna", "eve"):
        assert passwd("-b", users, user, PASSWORDS[user]).returncode == 0
    subprocess.run(["mosquitto_passwd", "-b", users, "otto", PASSWORDS["otto"]], check=True, timeout=30)
    subprocess.run(["mosquitto_passwd", "-c", "-H", "sha512", "-b", more, "ida", PASSWORDS["ida"]], check=True, timeout=30)
    with open(users, "a") as f:
        f.write(open(more).read())
    os.chmod(users, 0o600)


class Site:
    def __init__(self, w):
        self.w = w
        self.closed, self.open, self.hall = (free_port() for _ in range(3))
        make_users(w)
        w.write("acl.yaml", RULES)
        config = w.write("site.yaml", CONFIG.format(folder=w.folder, closed=self.closed, open=self.open, hall=self.hall))
        self.gateway = w.start([WIREPOST, "run", "-c", config], port=self.hall)

    def client(self, user, id=None, port=None, version=5, **kw):
        c = Client(port or self.closed, version)
        if user:
            kw.update(username=user, password=PASSWORDS[user])
        c.connect(id or "id-%s" % user, **kw)
        return c


def users_of_each_kind_come_in(site):
    for user in PASSWORDS:
        for version in (3, 4, 5):
            for _ in range(2):  # hashed, then known
                site.client(user, version=version).disconnect()


def others_do_not(site):
    cases = [("anna", "wrong"), ("anna", ""), ("anna", "secret "), ("otto", "secret"), ("nobody", "secret"),
             ("", "secret"), ("anna", b"secret\0"), ("anna", b"secret\0more"), ("ANNA", "secret"), ("anna", None)]
    for user, password in cases:
        for version in (4, 5):
            with Client(site.closed, version) as c:
                c.connect("x", reason=WRONG[version], username=user, password=password)
                c.expect_closed()


def anonymous_clients_come_in_where_it_is_said(site):
    for version in (3, 4, 5):
        with Client(site.closed, version) as c:
            c.connect("x", reason=DENIED[version])
            c.expect_closed()
        with Client(site.open, version) as c:
            c.connect("x")
    with Client(site.open) as c:
        c.connect("x", reason=0x86, username="anna", password="wrong")


def foreign_clients_come_in(site):
    def pub(*args):
        return subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(site.closed), "-t", "public/m", "-m", "hello", *args],
                              capture_output=True, text=True, timeout=20)
    with site.client("anna") as c:
        c.subscribe("public/#")
        assert pub("-u", "anna", "-P", "secret", "-q", "1").returncode == 0
        c.expect_publish("public/m", "hello")
    for args in (["-u", "anna", "-P", "wrong"], ["-u", "nobody", "-P", "x"], []):
        result = pub(*args)
        assert result.returncode != 0 and "efused" in result.stderr + result.stdout, result
    result = pub("-V", "5", "-u", "otto", "-P", PASSWORDS["otto"], "-q", "1", "-d")
    assert "RC:135" in result.stdout or "not authori" in (result.stdout + result.stderr).lower(), result


def what_may_not_be_published_is_refused(site):
    with site.client("ida", "watcher") as watcher, site.client("anna") as anna:
        watcher.subscribe("plant/#")
        for topic in ("plant/secret/x", "plant/secret", "elsewhere", "own/otto/x", "client/other/x", "own/anna"):
            may = topic == "own/anna"
            for qos, kind in ((1, PUBACK), (2, PUBREC)):
                p = anna.publish(topic, "no", qos=qos)
                assert (p.reason < 0x80) == may and (may or (p.type == kind and p.reason == 0x87)), (topic, p)
            anna.publish(topic, "no")
        for qos in (0, 1, 2):
            anna.publish("plant/q%d" % qos, "yes", qos=qos)
            watcher.expect_publish("plant/q%d" % qos, "yes")
        assert anna.publish("$SYS/not/really", "no", qos=1).reason == 0x87  # the broker's own, whatever a rule says
        anna.ping()
    for version in (3, 4):
        with site.client("ida", "watcher") as watcher, site.client("anna", version=version) as anna:
            watcher.subscribe("plant/#")
            for qos in (1, 2, 0):
                anna.publish("plant/secret/x", "no", qos=qos)  # acknowledged all the same
                anna.publish("plant/fine", "yes", qos=qos)
                watcher.expect_publish("plant/fine", "yes")
            watcher.expect_nothing()
    assert "may not publish to plant/secret/x" in site.gateway.log()


def a_second_qos_2_publish_is_refused_like_the_first(site):
    with site.client("anna") as anna:
        for _ in range(2):
            anna.send(publish("plant/secret/x", "no", qos=2, id=7))
            assert anna.expect(PUBREC).reason == 0x87
        anna.send(ack(PUBREL, 7))
        assert anna.expect(PUBCOMP).reason == 0x92


def a_will_where_one_may_not_publish_is_refused(site):
    for version in (4, 5):
        with Client(site.closed, version) as c:
            c.connect("w", reason=DENIED[version], username="anna", password="secret", will={"topic": "plant/secret/x"})
            c.expect_closed()
    with site.client("ida", "watcher") as watcher:
        watcher.subscribe("plant/#")
        site.client("anna", "w", will={"topic": "plant/will", "payload": b"gone"}).kill()
        watcher.expect_publish("plant/will", "gone")


def a_subscription_brings_what_may_be_read(site):
    with site.client("anna", "watcher") as watcher, site.client("ida", "sender") as ida:
        ida.publish("public/kept", "retained", retain=True, qos=1)
        ida.publish("plant/secret/kept", "retained", retain=True, qos=1)
        watcher.subscribe("#", "+/secret/+", qos=1)
        watcher.expect_publish("public/kept", "retained")
        for topic in ("plant/secret/a", "plant/secret/b/for-anna", "elsewhere", "client/sender/x"):
            ida.publish(topic, "no", qos=1)
        ida.publish("client/watcher/x", "yes", qos=1)
        watcher.expect_publish("client/watcher/x", "yes")
        ida.publish("public/kept", "", retain=True, qos=1)
        watcher.expect_publish("public/kept", "")
        watcher.expect_nothing()
        ida.publish("plant/secret/kept", "", retain=True, qos=1)


def a_subscription_that_would_bring_nothing_is_refused(site):
    refused = ["plant/secret/x", "plant/secret/#", "elsewhere/#", "own/otto/+", "$SYS/#", "$share/g/elsewhere", "client/other/#"]
    granted = ["#", "plant/#", "plant/+/x", "own/anna/x", "public/a", "$share/g/public/#", "client/id-anna/#"]
    for version, code in ((5, 0x87), (4, 0x80)):
        with site.client("anna", version=version) as c:
            c.subscribe(*refused, codes=[code] * len(refused))
            c.subscribe(*granted)
            c.subscribe("elsewhere", "public/x", qos=1, codes=[code, 1])
    with site.client("ida") as c:  # where subscriptions are named
        c.subscribe("plant/x", "plant/#", "#", "+/x", "public/x", codes=[0, 0, 0x87, 0x87, 0x87])


def names_that_are_patterns_open_nothing(site):
    with site.client("ida", "sender") as ida:
        for id in ("+", "#", "a/b", "$SYS"):
            with site.client("anna", id, port=site.open) as c:
                c.subscribe("client/%s/x" % id if id in ("a/b",) else "client/+/x", "client/#", codes=[0x87, 0x87])
                assert c.publish("client/a/b/x", "no", qos=1).reason == 0x87
        with site.client(None, "plain", port=site.open) as c:
            c.subscribe("client/plain/x")
            ida.publish("client/plain/x", "yes")
            c.expect_publish("client/plain/x", "yes")


def anonymous_clients_have_their_own_rules(site):
    with site.client(None, "someone", port=site.open) as c, site.client("anna") as anna:
        anna.subscribe("box")
        assert c.publish("box", "letter", qos=1).reason == 0
        anna.expect_publish("box", "letter")
        assert c.publish("plant/x", "no", qos=1).reason == 0x87
        c.subscribe("box", "public/x", "own/anna/#", codes=[0x87, 0, 0x87])


def a_session_is_its_users_alone(site):
    with site.client("anna", "shared", clean=False, session_expiry=60) as c:
        c.subscribe("plant/#", qos=1)
    with site.client("ida", "sender") as ida:
        ida.publish("plant/x", "for anna", qos=1)
    with Client(site.closed) as c:
        p = c.connect("shared", clean=False, session_expiry=60, username="otto", password=PASSWORDS["otto"])
        assert not p.session_present
        c.expect_nothing()


def rules_speak_of_topics_as_the_broker_knows_them(site):
    with site.client("otto", "in-the-hall", port=site.hall) as c:
        assert c.publish("plant/x", "no", qos=1).reason == 0x87  # it is hall/plant/x
        c.subscribe("plant/#", codes=[0x87])
    with site.client("ida", "in-the-hall", port=site.hall) as c:
        assert c.publish("plant/x", "yes", qos=1).reason in (0, 0x10)


def the_gateways_requests_are_topics_like_others(site):
    with site.client("otto") as otto, site.client("ida") as ida:
        assert otto.publish("wp/site/request/status", "{}", qos=1).reason == 0x87
        assert otto.publish("wp/site/d/x/v/y/set", "1", qos=1).reason == 0x87
        ida.subscribe("wp/+/response/#")
        ida.publish("wp/site/request/audit", "{}", qos=1)
        assert ida.expect(PUBLISH).topic == "wp/site/response/audit"


def answers_are_no_way_round_the_rules(site):
    with site.client("eve") as eve, site.client("ida") as ida:
        ida.subscribe("plant/#", "wp/+/response/#")
        for topic, want in (("plant/alarm", "wp/site/response/audit"), ("plant/answers", "plant/answers")):
            eve.publish("wp/site/request/audit", "{}", qos=1, response_topic=topic)
            p = ida.expect(PUBLISH)
            assert p.topic == want, p
            ida.expect_nothing(0.1)


# ---- wirepost passwd ----

def passwd_keeps_the_rest_of_the_file(w):
    path = w.write("p", "# kept\notto:$6$x$y\n\nlast:$6$x$z")
    os.chmod(path, 0o640)
    os.chown(path, os.getuid(), os.getgid())
    before = os.stat(path)
    assert passwd("-s", path, "anna", input="secret\n").returncode == 0
    text = open(path).read().split("\n")
    assert text[:4] == ["# kept", "otto:$6$x$y", "", "last:$6$x$z"] and text[4].startswith("anna:$y$") and text[5:] == [""], text
    after = os.stat(path)
    assert stat.S_IMODE(after.st_mode) == 0o640 and (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert passwd("-D", path, "otto").returncode == 0
    assert passwd("-b", path, "anna", "other").returncode == 0
    again = open(path).read().split("\n")
    assert len(again) == 5 and again[3].startswith("anna:$y$") and again[3] != text[4], again
    assert os.listdir(w.folder).count("p") == 1 and not [n for n in os.listdir(w.folder) if n.startswith("p.")]


def passwd_makes_a_file_for_its_owner_alone(w):
    path = w.path("new")
    assert passwd("-b", path, "anna", "secret").returncode == 0
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def passwd_follows_a_link(w):
    path = w.write("target", "")
    os.symlink(path, w.path("link"))
    assert passwd("-b", w.path("link"), "anna", "secret").returncode == 0
    assert os.path.islink(w.path("link")) and "anna:" in open(path).read()


def passwd_loses_nobody_when_run_at_once(w):
    path = w.path("at-once")
    running = [subprocess.Popen([WIREPOST, "passwd", "-b", path, "user%d" % i, "x"]) for i in range(8)]
    assert [p.wait(30) for p in running] == [0] * 8
    users = sorted(line.split(":")[0] for line in open(path))
    assert users == ["user%d" % i for i in range(8)], users


def passwd_refuses_what_cannot_be(w):
    path = w.path("none")
    for args, status in ((["-b", path, "a:b", "x"], 1), (["-b", path, "a\nb", "x"], 1), (["-b", path, "", "x"], 1),
                         (["-b", path, "#a", "x"], 1), (["-b", path, "anna", ""], 1), (["-b", path, "anna", "x" * 512], 1),
                         (["-D", path, "anna"], 1), (["-b", path, "anna"], 64), ([path], 64), (["-s", "-D", path, "a"], 64),
                         (["-b", w.folder, "anna", "x"], 1)):
        result = passwd(*args)
        assert result.returncode == status and result.stderr, (args, result)
    assert not os.path.exists(path)
    assert passwd("-s", path, "anna", input="").returncode == 1


def on_a_terminal(w, answers):
    """What a person sees that answers so, and the exit status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(WIREPOST, [WIREPOST, "passwd", w.path("typed"), "anna"])
    seen = b""
    for answer in answers:
        while not seen.rstrip(b" ").endswith(b":"):
            seen += os.read(fd, 1000)
        os.write(fd, answer + b"\n")
        seen += b"|"
    while True:
        try:
            more = os.read(fd, 1000)
        except OSError:
            more = b""
        if not more:
            break
        seen += more
    return seen, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def passwd_asks_twice_and_shows_nothing(w):
    seen, status = on_a_terminal(w, [b"geheim", b"geheim"])
    assert status == 0 and b"geheim" not in seen and b"again" in seen, (seen, status)
    assert open(w.path("typed")).read().startswith("anna:$y$")
    before = open(w.path("typed")).read()
    seen, status = on_a_terminal(w, [b"geheim", b"gehein"])
    assert status == 1 and b"not the same" in seen and open(w.path("typed")).read() == before, (seen, status)


# ---- with mosquitto's own files, the same as mosquitto ----

LINES = """
topic read free/#
topic write in/+
user anna
topic a/#
topic deny a/secret/#
topic read b/+/c
topic write w/#
topic a/secret/but
pattern readwrite own/%u/#
pattern read client/%c
pattern deny own/%u/locked
pattern deny a/shut
user otto
topic deny own/otto/mine
topic readwrite own/otto/#
topic read #
topic deny closed
pattern write %c/up
user ida
topic readwrite $SYS/x
topic readwrite with blanks/in it
"""

TOPICS = ["free/x", "free", "in/x", "in/x/y", "a", "a/x", "a/secret", "a/secret/but", "a/secret/x", "a/shut", "b/x/c", "b/c", "b//c", "w/x",
          "own/anna/x", "own/anna/locked", "own/otto/mine", "own/otto/x", "own/otto", "client/c1", "client/c2", "c1/up", "closed",
          "with blanks/in it", "elsewhere", "own/%u/x", "own//x", "client/%c"]


def collect(client, marker, send_marker):
    """All topics that come before the marker, which is sent when all else has been."""
    got = set()
    send_marker()
    while True:
        p = client.expect(PUBLISH)
        if p.topic == marker:
            return got
        got.add(p.topic)


def verdicts(port, user, id):
    """(what the client can publish, what it is given), by looking."""
    login = {"username": user, "password": PASSWORDS[user]} if user else {}
    writes, reads = set(), set()
    with Client(port, 4) as root, Client(port, 4) as c:
        root.connect("root", username="root", password="root")
        c.connect(id, **login)
        root.subscribe("#")
        for topic in TOPICS:
            c.publish(topic, "x", qos=1)
        writes = collect(root, "end", lambda: root.publish("end", "x"))
        root.unsubscribe("#")
        for topic in ["#"] + TOPICS:
            c.send(subscribe(9, [(topic, 0)], 4))
            c.expect(SUBACK)
        for topic in TOPICS:
            root.publish(topic, "x", qos=1)
        c.send(packet(PINGREQ, 0, b""))
        while True:
            p = c.recv()
            if p.type == PINGRESP:
                break
            reads.add(p.topic)
    return writes, reads


def verdicts_are_mosquittos(w):
    subprocess.run(["mosquitto_passwd", "-c", "-b", w.path("m.passwd"), "root", "root"], check=True, timeout=30)
    for user, password in PASSWORDS.items():
        subprocess.run(["mosquitto_passwd", "-b", w.path("m.passwd"), user, password], check=True, timeout=30)
    w.write("m.acl", LINES + "user root\ntopic readwrite #\n")
    if os.getuid() == 0:
        os.chmod(w.folder, 0o755)
        os.chmod(w.path("m.passwd"), 0o644)
    theirs, ours = free_port(), free_port()
    w.start_mosquitto(theirs, "password_file %s\nacl_file %s" % (w.path("m.passwd"), w.path("m.acl")))
    config = w.write("ours.yaml", "web: {enabled: false}\nbroker: {users: m.passwd, acl: m.acl, allow_anonymous: true, "
                     "listeners: [{port: %d}]}\n" % ours)
    w.start([WIREPOST, "run", "-c", config], port=ours)
    compared = 0
    for user in [None, *PASSWORDS]:
        for id in ("c1", "c2"):
            want, got = verdicts(theirs, user, id), verdicts(ours, user, id)
            assert want == got, "%s as %s: mosquitto says %s, we say %s" % (user, id, *(
                [sorted(a - b) for a, b in zip(x, y)] for x, y in ((want, got), (got, want))))
            compared += 2 * len(TOPICS)
    print("    (%d verdicts compared)" % compared)


def main():
    of_site = [users_of_each_kind_come_in, others_do_not, anonymous_clients_come_in_where_it_is_said, foreign_clients_come_in,
               what_may_not_be_published_is_refused, a_second_qos_2_publish_is_refused_like_the_first,
               a_will_where_one_may_not_publish_is_refused, a_subscription_brings_what_may_be_read,
               a_subscription_that_would_bring_nothing_is_refused, names_that_are_patterns_open_nothing,
               anonymous_clients_have_their_own_rules, a_session_is_its_users_alone,
               rules_speak_of_topics_as_the_broker_knows_them, the_gateways_requests_are_topics_like_others,
               answers_are_no_way_round_the_rules]
    of_folder = [passwd_keeps_the_rest_of_the_file, passwd_makes_a_file_for_its_owner_alone, passwd_follows_a_link, passwd_loses_nobody_when_run_at_once,
                 passwd_refuses_what_cannot_be, passwd_asks_twice_and_shows_nothing, verdicts_are_mosquittos]
    only = sys.argv[1:]
    for checks, make in ((of_site, Site), (of_folder, lambda w: w)):
        checks = [c for c in checks if not only or c.__name__ in only]
        if not checks:
            continue
        with Workplace() as w:
            subject = make(w)
            for check in checks:
                try:
                    check(subject)
                except BaseException:
                    print("FAILED: " + check.__name__.replace("_", " "), flush=True)
                    raise
                print("ok: " + check.__name__.replace("_", " "), flush=True)
            for p in w.programs:
                p.stop(status=None if "mosquitto" in p.args[0] else 0)


if __name__ == "__main__":
    main()
