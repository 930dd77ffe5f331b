"""Starts and ends the programs a test needs: wirepost itself (the binary at $WIREPOST), mosquitto, a simulator.

    with Workplace() as w:
        port = free_port()
        broker = w.start([WIREPOST, "run", "-c", w.write("a.yaml", text)], ready=r"running")
        ...
        broker.stop()          # SIGTERM, checks that it ends in time
        broker.kill()          # SIGKILL
        broker.log()           # everything it wrote

A Workplace is a temporary folder; at its end all programs are ended and, if the test failed, their logs shown.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

WIREPOST = os.environ.get("WIREPOST", os.path.join(os.path.dirname(__file__), "../../../build/wirepost"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, seconds, what):
    """Calls condition until it is true; its value. AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %s s for %s" % (seconds, what))
        time.sleep(0.02)


def wait_for_port(port, seconds=15, program=None):
    def open_now():
        assert not program or program.running(), "%s ended:\n%s" % (program.args, program.log())
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0
    wait_for(open_now, seconds, "port %d" % port)


class Program:
    def __init__(self, args, log_path, **options):
        self.args, self.log_path = args, log_path
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen(args, stdout=log, stderr=log, **options)

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def running(self):
        return self.process.poll() is None

    def wait_for_log(self, pattern, seconds=15):
        def there():
            found = re.search(pattern, self.log())
            if not found and not self.running():
                raise AssertionError("%s ended with %s:\n%s" % (self.args, self.process.returncode, self.log()))
            return found
        return wait_for(there, seconds, "%r in the log of %s" % (pattern, self.args[0]))

    def stop(self, seconds=15, status=0):
        """Ends it as a person would; its exit status has to be this one (None: any)."""
        if self.running():
            self.process.terminate()
        got = self.process.wait(seconds)
        assert status is None or got == status, "%s ended with %s:\n%s" % (self.args, got, self.log())

    def kill(self):
        if self.running():
            self.process.kill()
        self.process.wait(10)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)


class Workplace:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="wirepost-test-")
        self.programs = []
        return self

    def __exit__(self, kind, value, trace):
        for p in reversed(self.programs):
            if p.running():
                p.resume()
                p.kill()
        if kind:
            for p in self.programs:
                print("--- %s\n%s" % (" ".join(p.args), p.log()[-6000:]), file=sys.stderr)
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def start(self, args, ready=None, port=None, seconds=15, **options):
        """ready: a pattern its log must show; port: one it must listen on; before this returns."""
        p = Program(args, self.path("log-%d" % len(self.programs)), **options)
        self.programs.append(p)
        if ready:
            p.wait_for_log(ready, seconds)
        if port:
            wait_for_port(port, seconds, p)
        return p

    def start_mosquitto(self, port, extra="", name="mosquitto"):
        conf = self.write(name + ".conf", "listener %d 127.0.0.1\nallow_anonymous true\n%s\n" % (port, extra))
        if os.getuid() == 0 and "user " not in extra:
            os.chmod(self.folder, 0o755)
        binary = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        return self.start([binary, "-c", conf, "-v"], port=port)
