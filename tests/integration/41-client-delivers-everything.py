#!/usr/bin/python3
"""Do `wirepost pub` and `wirepost sub` carry every byte, in order, at every QoS and version, through Mosquitto?"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from lib.mqtt import Client
from lib.programs import WIREPOST, Workplace, free_port, wait_for

LINES = 3000
BINARY = bytes(range(256)) * 400


def pub(port, *args, stdin=b"", status=0):
    done = subprocess.run([WIREPOST, "pub", "-p", str(port), *args], input=stdin, capture_output=True, timeout=60)
    assert done.returncode == status, (args, done.returncode, done.stderr.decode())
    return done.stderr.decode()


def sub(w, port, broker, *args):
    before = broker.log().count("Sending SUBACK")
    p = w.start([WIREPOST, "sub", "-p", str(port), *args])
    wait_for(lambda: broker.log().count("Sending SUBACK") > before, 10, "the subscription")
    return p


def everything_arrives(w, port, broker, version, qos):
    options = ["-V", version, "-q", str(qos)]
    lines = b"".join(b"line %d\n" % i for i in range(LINES))
    expected = lines + BINARY + b"\n" + "last é\n".encode()
    s = sub(w, port, broker, *options, "-t", "many/+", "-C", str(LINES + 2), "-W", "60")
    # A subscriber that is slower than QoS 0 comes may be given less by the broker: fewer lines there.
    pub(port, *options, "-t", "many/lines", "-l", stdin=lines)
    pub(port, *options, "-t", "many/file", "-f", w.path("binary"))
    pub(port, *options, "-t", "many/text", "-m", "last é")
    s.process.wait(60)
    with open(s.log_path, "rb") as f:
        got = f.read()
    assert s.process.returncode == 0 and got == expected, (version, qos, s.process.returncode, len(got), len(expected), got[-300:])
    print("MQTT %s QoS %d: %d lines and %d bytes came whole and in order" % (version, qos, LINES, len(BINARY)))


def lines_come_from_anywhere(w, port, broker):
    """A pipe that dawdles, a file, nothing at all, an unfinished last line, a line beyond the bound."""
    s = sub(w, port, broker, "-t", "from/+", "-q", "1")
    options = [WIREPOST, "pub", "-p", str(port), "-t", "from/it", "-q", "1", "-l"]
    p = subprocess.Popen(options, stdin=subprocess.PIPE)
    for part in (b"1\n2", b"\n\n", b"3"):
        p.stdin.write(part)
        p.stdin.flush()
        wait_for(lambda: s.log().startswith("1\n"), 10, "the first line while the pipe is open")
    p.stdin.close()
    assert p.wait(20) == 0
    with open(w.write("lines", "4\n5"), "rb") as f:
        assert subprocess.run(options, stdin=f, timeout=20).returncode == 0
    assert subprocess.run(options, stdin=subprocess.DEVNULL, timeout=20).returncode == 0
    wait_for(lambda: s.log() == "1\n2\n\n3\n4\n5\n", 10, "all lines")
    said = pub(port, "-t", "from/it", "-l", stdin=b"x" * (17 << 20), status=1)
    assert "longer than 16 MiB" in said, said
    s.stop()
    print("lines from pipes and files: as they should be")


def topics_are_shown(w, port, broker):
    s = sub(w, port, broker, "-t", "x/#", "-t", "y", "-v", "-C", "2", "-W", "20")
    pub(port, "-t", "x/1", "-m", "one")
    pub(port, "-t", "y", "-m", "")
    s.process.wait(30)
    assert s.log() == "x/1 one\ny \n", s.log()


def retained_and_properties(port):
    pub(port, "-t", "kept", "-m", "v", "-r", "-q", "1", "-D", "unit=kW h", "-D", "empty=")
    with Client(port) as c:
        c.connect("reader")
        c.subscribe("kept", qos=1)
        p = c.expect_publish("kept", "v", retain=True)
        assert p.props == {"user": [("unit", "kW h"), ("empty", "")]}, p


def the_will_is_published(w, port, broker):
    with Client(port) as c:
        c.connect("mourner")
        c.subscribe("will/#")
        will = ["--will-topic", "will/t", "--will-payload", "gone", "--will-qos", "1", "--will-retain"]
        s = sub(w, port, broker, "-t", "nothing", *will)
        s.stop()
        c.expect_nothing(0.5)
        s = sub(w, port, broker, "-t", "nothing", *will)
        s.kill()
        c.expect_publish("will/t", "gone")


def wrong_use_says_so(port):
    for args, text in ((["-t", "a/#", "-m", "x"], "no topic to publish to"), (["-t", "a"], "one of -m, -f, -l and -n"),
                       (["-t", "a", "-m", "x", "-q", "3"], "--qos has to be 0 to 2"), (["-t", "a", "-m", "x", "y"], "too many"),
                       (["-t", "a", "-m", "x", "-V", "311", "-D", "a=b"], "no properties")):
        said = pub(port, *args, status=64)
        assert text in said, said
    said = pub(port, "-t", "a", "-f", "/nonexistent", status=1)
    assert "/nonexistent: No such file" in said, said


def main():
    with Workplace() as w:
        port = free_port()
        broker = w.start_mosquitto(port, "max_queued_messages 0\n")
        with open(w.path("binary"), "wb") as f:
            f.write(BINARY)
        for version in ("5", "311"):
            for qos in (0, 1, 2):
                everything_arrives(w, port, broker, version, qos)
        lines_come_from_anywhere(w, port, broker)
        topics_are_shown(w, port, broker)
        retained_and_properties(port)
        the_will_is_published(w, port, broker)
        wrong_use_says_so(port)
        assert pub(port, "-t", "quiet", "-m", "x") == ""
    print("retained, user properties, will, wrong use: as they should be")


if __name__ == "__main__":
    main()
