"""Does the control socket stand bad input, too many clients, dead daemons and second ones?

    {"request": "read", ...}\\n on data_dir/control.sock; each answer is a line of JSON
"""
import json
import os
import re
import socket
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from programs import WIREPOST, Workplace, free_port, wait_for
from pty_slave import PtySlave, Unit

CONFIG = """
gateway: {{id: test, data_dir: {folder}/data}}
broker: {{listeners: [{{port: {port}}}]}}
buses:
  - name: line
    type: modbus-rtu
    port: {{device: {device}, baud: 19200}}
    timeout: 200ms
    devices: [{{name: meter, unit: 5, tags: [{{name: x, table: holding, address: 0, type: u16}}]}}]
"""


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.settimeout(15)
        self.file = self.socket.makefile("rb")

    def say(self, what):
        data = what if isinstance(what, bytes) else json.dumps(what).encode()
        self.socket.sendall(data + b"\n")

    def hear(self):
        line = self.file.readline()
        return json.loads(line) if line else None

    def ask(self, what):
        self.say(what)
        return self.hear()

    def ended(self):
        try:
            return self.file.readline() == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.file.close()
        self.socket.close()


READ = {"request": "read", "device": "meter", "table": "holding", "address": 0}


def good(path):
    c = Client(path)
    for rid in (1, "a", None, [1], 1.5):
        answer = c.ask(dict(READ, id=rid))
        assert answer["status"] == "done" and answer["values"] == [7] and answer["id"] == rid, answer
    c.say(dict(READ, id=1))
    c.say(dict(READ, id=2))
    assert sorted(c.hear()["id"] for _ in range(2)) == [1, 2]
    c.close()


def bad(path):
    c = Client(path)
    for line, code in ((b"hello", "bad_request"), (b"[]", "bad_request"), (b"{}", "bad_request"), (b"null", "bad_request"),
                       (b'{"request": 5}', "bad_request"), (b'{"request":"raed"}', "no_such_request"),
                       (b"\xff\xfe\x00", "bad_request"), (b"[" * 5000, "bad_request"),
                       (b'{"request":"read","device":"meter","table":"holding","address":-1}', "bad_request"),
                       (b'{"request":"log","level":"loud"}', "bad_request")):
        answer = c.ask(line)
        assert answer["status"] == "failed" and answer["code"] == code and answer["error"], (line[:50], answer)
    assert "did you mean 'read'?" in c.ask(b'{"request":"raed"}')["error"]
    assert c.ask(b"\n\n" + json.dumps(READ).encode())["status"] == "done"
    c.close()

    c = Client(path)
    try:
        c.socket.sendall(b"x" * 200000)
    except (BrokenPipeError, ConnectionResetError):
        pass
    try:
        assert c.hear()["code"] == "too_long"
        assert c.ended()
    except ConnectionResetError:
        pass
    c.close()
    print("bad lines: refused with a reason")


def many(path, slave):
    c = Client(path)
    for i in range(20):             # more than one client may have at once
        c.say(dict(READ, id=i))
    answers = [c.hear() for _ in range(20)]
    refused = [a for a in answers if a["status"] == "failed"]
    assert refused and all(a["code"] == "busy" for a in refused), answers
    assert sum(a["status"] == "done" for a in answers) >= 8, answers
    c.close()

    clients = [Client(path) for _ in range(40)]
    served = 0
    for client in clients:
        try:
            served += client.ask(READ) is not None
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert served == 16, served
    for client in clients:
        client.close()
    wait_for(lambda: can_ask(path), 15, "a place for a new client")
    print("20 requests at once: %d refused; 40 clients at once: %d served" % (len(refused), served))


def can_ask(path):
    try:
        c = Client(path)
        answer = c.ask(READ)
        c.close()
        return answer
    except OSError:
        return None


def gone(path, slave):
    """Clients that leave in the middle: a half line, and a scan."""
    c = Client(path)
    c.socket.sendall(b'{"request": "re')
    c.close()
    c = Client(path)
    c.say({"request": "scan", "bus": "line", "id": 9})
    assert c.hear()["status"] == "accepted"
    c.say({"request": "cancel", "id": 8})       # another's
    c.say({"request": "cancel", "id": 9})
    last = c.hear()
    while last["status"] in ("progress", "unit"):
        last = c.hear()
    assert last["status"] == "cancelled" and last["id"] == 9, last
    c.say({"request": "scan", "bus": "line"})
    assert c.hear()["status"] == "accepted"
    c.close()

    def scan_again():
        c = Client(path)
        answer = c.ask({"request": "scan", "bus": "line", "units": "5"})
        c.close()
        return answer["status"] == "accepted"
    wait_for(scan_again, 15, "the end of the scan whose client has gone")


def status(config, runs):
    done = subprocess.run([WIREPOST, "status", "-c", config], capture_output=True, text=True, timeout=30)
    print(done.stdout + done.stderr, end="")
    assert done.returncode == (0 if runs else 1), (done.stdout, done.stderr)
    if runs:
        assert re.search(r"^test: runs, 0 clients connected\nbus line +up since \d+.*\n  meter +up, answers in \d+ ms\n$",
                         done.stdout), done.stdout
    else:
        assert "no gateway runs with" in done.stderr, done.stderr


def main():
    with Workplace() as w, PtySlave({5: Unit(holding={0: 7})}, baud=19200) as slave:
        config = w.write("a.yaml", CONFIG.format(folder=w.folder, port=free_port(), device=slave.path))
        path = w.path("data/control.sock")
        gateway = w.start([WIREPOST, "run", "-c", config], ready="line: up")
        mode = stat.S_IMODE(os.stat(path).st_mode)
        assert mode == 0o660, oct(mode)
        status(config, runs=True)
        good(path)
        bad(path)
        many(path, slave)
        gone(path, slave)

        gateway.kill()
        assert os.path.exists(path)
        gateway = w.start([WIREPOST, "run", "-c", config], ready="line: up")
        good(path)
        print("the socket of a killed gateway: replaced")

        other = w.write("b.yaml", CONFIG.format(folder=w.folder, port=free_port(), device=slave.path))
        second = w.start([WIREPOST, "run", "-c", other])
        wait_for(lambda: not second.running() or "another gateway listens" in second.log(), 15, "a word of the second gateway")
        print("a second gateway: %s" % [line for line in second.log().splitlines() if "warning" in line or "error" in line][:2])
        second.stop(status=None)
        good(path)

        gateway.stop()
        assert not os.path.exists(path)
        status(config, runs=False)
        print("after a stop: no socket is left")


main()
