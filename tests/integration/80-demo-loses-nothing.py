"""Does the demo end by itself with nothing lost, refuse taken ports in clear words, and leave nothing behind?

Runs scripts/demo with the program under test: to its end, next to a program that
has its ports, and with SIGINT in the middle, as Ctrl-C would.
"""
import glob
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from programs import WIREPOST, wait_for

DEMO = os.path.join(os.path.dirname(__file__), "../../scripts/demo")


def four_free_ports():
    """The first of four neighbours that nobody uses."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        try:
            for offset in range(4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + offset))
            return port
        except (OSError, OverflowError):
            continue


def start(folder, *options):
    return subprocess.Popen([DEMO, *options], env={**os.environ, "WIREPOST": WIREPOST, "TMPDIR": folder},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def summary(process, seconds):
    out, err = process.communicate(timeout=seconds)
    print(out, err)
    found = re.search(r"^readings (\d+), published (\d+), forwarded (\d+), lost (\d+)$", out.splitlines()[-1])
    assert found, "no closing line"
    return [int(number) for number in found.groups()]


def command_lines():
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                yield file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            pass  # it has ended meanwhile


def check_nothing_left(folder):
    left = os.listdir(folder) + [line for line in command_lines() if folder in line]
    assert not left, "left behind: %s" % left


def ends_by_itself(folder):
    demo = start(folder, "--seconds", "8", "--port", str(four_free_ports()))
    readings, published, forwarded, lost = summary(demo, 60)
    assert demo.returncode == 0 and lost == 0
    assert readings > 50 and published > 20 and forwarded == published, "that is not 8 s of the demo"
    check_nothing_left(folder)


def says_which_port_is_taken(folder):
    port = four_free_ports()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + 2))
        other.listen()
        demo = start(folder, "--seconds", "5", "--port", str(port))
        _, err = demo.communicate(timeout=30)
    print(err)
    assert demo.returncode == 1 and "port %d is in use" % (port + 2) in err
    check_nothing_left(folder)


def arrived(folder):
    """Whether the demo has counted something at its upstream: before that it rightly complains when it is ended."""
    for path, _, names in os.walk(folder):
        if "upstream-count.now" in names:
            with open(os.path.join(path, "upstream-count.now")) as f:
                return re.search(r"^messages [1-9]", f.read(), re.M)
    return False


def ends_with_control_c(folder):
    port = four_free_ports()
    demo = start(folder, "--port", str(port))
    wait_for(lambda: arrived(folder), 30, "values at the upstream")
    demo.send_signal(signal.SIGINT)
    assert summary(demo, 30)[3] == 0
    assert demo.returncode == 0
    check_nothing_left(folder)


def main():
    with tempfile.TemporaryDirectory(prefix="wirepost-test-") as folder:
        for part in (ends_by_itself, says_which_port_is_taken, ends_with_control_c):
            print("---", part.__name__)
            part(folder)


main()
