"""Do the plugins payload-check and redact keep their promises to real clients?

mosquitto_pub and mosquitto_sub, with users: bad payloads are refused with a reason, fields are taken out for those who
are not to see them, and rules that make no sense are refused at the start.
"""
import json
import os
import re
import shutil
import signal
import subprocess

from lib.mqtt import Client, publish
from lib.plugins import configuration, plugin, start
from lib.programs import WIREPOST, Workplace, free_port, wait_for

SCHEMA = {
    "type": "object",
    "required": ["value", "unit"],
    "properties": {
        "value": {"type": "number", "minimum": -40, "maximum": 125},
        "unit": {"type": "string", "enum": ["C", "F"]},
        "name": {"type": "string", "minLength": 1, "maxLength": 5},
        "marks": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
        "place": {"type": "object", "required": ["x"], "additionalProperties": False,
                  "properties": {"x": {"type": "number"}, "y": {"type": ["number", "null"]}}},
    },
}
GOOD = [
    {"value": 20.5, "unit": "C"},
    {"value": -40, "unit": "F", "name": "häß", "marks": [1, 2, 3], "place": {"x": 1, "y": None}, "more": {"a": []}},
]
BAD = [
    ('{"value": 20.5}', "'unit' is missing"),
    ('{"value": 200, "unit": "C"}', "value: 200 is more than 125"),
    ('{"value": -40.5, "unit": "C"}', "value: -40.5 is less than -40"),
    ('{"value": "20", "unit": "C"}', "value: must be of type number"),
    ('{"value": 1, "unit": "K"}', "unit: is none of the values"),
    ('{"value": 1, "unit": "C", "name": ""}', "name: has 0 characters, at least 1"),
    ('{"value": 1, "unit": "C", "name": "toolong"}', "name: has 7 characters, at most 5"),
    ('{"value": 1, "unit": "C", "marks": [1, 2.5]}', r"marks\[1\]: must be of type integer"),
    ('{"value": 1, "unit": "C", "marks": [1, 2, 3, 4]}', "marks: has 4 items, at most 3"),
    ('{"value": 1, "unit": "C", "place": {"x": 1, "z": 2}}', r"place\.z: is not expected"),
    ('{"value": 1, "unit": "C", "place": {"x": true}}', r"place\.x: must be of type number"),
    ('{"value": 1, "unit": "C", "value": 200}', "value: 200 is more than 125"),  # readers differ in which they take
    ('[1]', "must be of type object"),
    ('20.5 C', "the payload is not JSON"),
    ('{"value": 1, "unit": "C"', "the payload is not JSON"),
    ('', "the payload is not JSON"),
]


def users(w):
    """A file of users: each one's password is the name."""
    path = w.path("users.passwd")
    for name in ("service", "guest"):
        done = subprocess.run([WIREPOST, "passwd", path, name], input=("%s\n%s\n" % (name, name)).encode(), timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
    return path


def mosquitto_pub(port, topic, payload, *more):
    done = subprocess.run(["mosquitto_pub", "-V", "5", "-p", str(port), "-t", topic, "-m", payload, *more], timeout=30,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode()


class Subscriber:
    """mosquitto_sub, whose lines are the payloads."""

    def __init__(self, w, port, user, *topics, version="5"):
        who = ["-u", user, "-P", user] if user else []
        asked = [a for t in topics for a in ("-t", t)]
        self.program = w.start(["stdbuf", "-oL", "mosquitto_sub", "-V", version, "-p", str(port), "-q", "1", "-d", *who, *asked],
                               ready="Subscribed")

    def payloads(self):
        return [line for line in self.program.log().split("\n") if line.startswith(("{", "["))]

    def wait(self, count):
        return wait_for(lambda: len(self.payloads()) >= count and self.payloads(), 10, "%d payloads" % count)


def bad_payloads_are_refused_with_a_reason(w):
    rules = [{"filter": "sensors/+/state", "schema": SCHEMA}]
    broker, port, _ = start(w, [{"path": plugin("payload-check"), "options": {"rules": rules}}])
    sub = Subscriber(w, port, None, "sensors/#")
    for payload in GOOD:
        code, said = mosquitto_pub(port, "sensors/a/state", json.dumps(payload, ensure_ascii=False), "-q", "1")
        assert code == 0 and "Warning" not in said, said
    for payload, why in BAD:
        with Client(port) as c:
            c.connect("raw")
            p = c.publish("sensors/a/state", payload.encode(), qos=1)
            assert p.reason == 0x99 and re.search(why, p.props["reason_string"]), (payload, p)
        code, said = mosquitto_pub(port, "sensors/a/state", payload, "-q", "1")
        assert re.search("[Pp]ayload format invalid", said), (payload, code, said)
        print("  %-55s %s" % (payload, p.props["reason_string"]), flush=True)
    code, said = mosquitto_pub(port, "sensors/other", "anything goes", "-q", "1")
    assert code == 0 and "Warning" not in said, said
    mosquitto_pub(port, "sensors/a/state", "{}", "-q", "0")
    mosquitto_pub(port, "sensors/a/state", json.dumps(GOOD[0]), "-r", "-q", "1")
    code, said = mosquitto_pub(port, "sensors/a/state", "", "-r", "-q", "1")  # clears what is retained
    assert code == 0 and "Warning" not in said, said
    got = sub.wait(3)
    assert [json.loads(p) for p in got] == [*GOOD, GOOD[0]], got
    broker.stop()


def whoever_sends_them_can_be_thrown_out(w):
    rules = [{"filter": "a/#", "schema": {"type": "object"}}]
    broker, port, _ = start(w, [{"path": plugin("payload-check"), "options": {"rules": rules, "on_bad": "close"}}])
    with Client(port) as c:
        c.connect("raw")
        c.publish("b", b"1", qos=1)
        c.publish("a/b", b"{}", qos=1)
        c.send(publish("a/b", b"1"))
        assert c.expect_closed() == 0x98
    broker.stop()


MESSAGE = '{"value": 1.10, "big": 12345678901234567890, "serial": "s\\"{1", "position": {"exact": [1,2], "near": "x"},' \
          ' "list": [{"id": 1, "serial": 2}, {"id": 2}], "s\\u0065rial": 3}'


def fields_are_taken_out_for_those_not_to_see_them(w):
    rules = [
        {"filter": "sensors/#", "fields": ["serial", "position.exact", "list.serial"], "except_users": ["service"]},
        {"filter": "sensors/+/staff", "fields": ["phone"], "only_users": ["guest"]},
    ]
    broker, port, config = start(w, [{"path": plugin("redact"), "options": {"rules": rules}}], users=users(w),
                                 allow_anonymous=True)
    service, guest = Subscriber(w, port, "service", "#"), Subscriber(w, port, "guest", "#")
    nobody = Subscriber(w, port, None, "sensors/#", version="311")
    mosquitto_pub(port, "sensors/1", MESSAGE, "-q", "1", "-r")
    want = '{"value": 1.10,"big": 12345678901234567890,"position": {"near": "x"},"list": [{"id": 1}, {"id": 2}]}'
    assert service.wait(1) == [MESSAGE]
    assert guest.wait(1) == [want], guest.payloads()
    assert nobody.wait(1) == [want], nobody.payloads()
    print("  " + MESSAGE + "\n  " + want, flush=True)
    late = Subscriber(w, port, "guest", "sensors/1")  # what is retained, too
    assert late.wait(1) == [want]

    mosquitto_pub(port, "sensors/2", '{"serial":1}', "-q", "1")
    mosquitto_pub(port, "sensors/2", '{ "untouched" : [ ] }', "-q", "0")
    mosquitto_pub(port, "elsewhere", '{"serial":1}', "-q", "1")
    assert guest.wait(4)[1:] == ["{}", '{ "untouched" : [ ] }', '{"serial":1}']
    assert nobody.wait(3)[1:] == ["{}", '{ "untouched" : [ ] }']

    mosquitto_pub(port, "sensors/3", '["not", {"serial": 1]', "-q", "1")  # cannot be looked at: withheld
    lenient = '{"a":\x01"b,","serial":5}'
    with Client(port) as c:  # which lenient readers take for JSON, each in its own way: withheld, too
        c.connect("lenient")
        c.publish("sensors/3", lenient.encode(), qos=1)
    mosquitto_pub(port, "sensors/9/staff", '{"phone": "1", "name": "x"}', "-q", "1")
    assert guest.wait(5)[4:] == ['{"name": "x"}']
    assert nobody.wait(4)[3:] == ['{"phone": "1", "name": "x"}']
    assert service.wait(7)[4:] == ['["not", {"serial": 1]', lenient, '{"phone": "1", "name": "x"}']

    with open(config) as f:  # other rules, the same clients
        settings = json.load(f)
    settings["broker"]["plugins"][0]["options"]["rules"] = [{"filter": "#", "fields": ["name"]}]
    w.write("wirepost.yaml", json.dumps(settings))
    broker.process.send_signal(signal.SIGHUP)
    broker.wait_for_log("reload: ")
    mosquitto_pub(port, "sensors/9/staff", '{"phone": "1", "name": "x"}', "-q", "1")
    for each, count in ((service, 8), (guest, 6), (nobody, 5)):
        assert each.wait(count)[-1] == '{"phone": "1"}', each.payloads()
    broker.stop()


def check_refused(w, name, options, words):
    config = w.write("refused.yaml", configuration(free_port(), [{"path": plugin(name), "options": options}]))
    done = subprocess.run([WIREPOST, "run", "-c", config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    said = done.stdout.decode()
    assert done.returncode != 0 and re.search(words, said), said


def rules_that_make_no_sense_are_refused(w):
    check_refused(w, "payload-check", {}, "has no 'rules'")
    check_refused(w, "payload-check", {"rules": "x"}, "'rules' must be a list")
    check_refused(w, "payload-check", {"rule": []}, "no option 'rule'")
    check_refused(w, "payload-check", {"rules": [{"filter": "a"}]}, "rule 1 needs 'filter'")
    check_refused(w, "payload-check", {"rules": [], "on_bad": "shout"}, "'on_bad' must be refuse, drop or close")
    for schema, words in (({"pattern": "x"}, "the keyword 'pattern' is not known"), ({"type": "text"}, "'type' must be"),
                          ({"properties": {"a": {"items": {"minimum": "1"}}}}, "a: 'minimum' must be a number"),
                          ({"minLength": -1}, "must be a count"), ([], "a schema must be a mapping")):
        check_refused(w, "payload-check", {"rules": [{"filter": "a", "schema": schema}]}, words)
    check_refused(w, "redact", {}, "needs the option 'rules'")
    check_refused(w, "redact", {"rules": [{"filter": "a"}]}, "a rule needs 'filter'")
    check_refused(w, "redact", {"rules": [{"filter": "a", "fields": [], "user": "x"}]}, "a rule may have")
    check_refused(w, "redact", {"rules": [{"filter": "a", "fields": [], "only_users": "x"}]}, "must be lists of user names")


def main():
    assert shutil.which("mosquitto_pub"), "mosquitto-clients are not installed"
    assert os.path.exists(plugin("redact")), plugin("redact")
    for check in (bad_payloads_are_refused_with_a_reason, whoever_sends_them_can_be_thrown_out,
                  fields_are_taken_out_for_those_not_to_see_them, rules_that_make_no_sense_are_refused):
        with Workplace() as w:
            check(w)
        print("ok: " + check.__name__.replace("_", " "), flush=True)


main()
