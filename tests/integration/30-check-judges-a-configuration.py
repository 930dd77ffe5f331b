#!/usr/bin/python3
"""What does `wirepost check` say and return, and does a wrong configuration start anything?"""
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from lib.programs import WIREPOST, Workplace, free_port

GOOD = """
gateway: {id: test, data_dir: data}
broker: {listeners: [{port: PORT}]}
buses:
  - name: net
    type: modbus-tcp
    host: 127.0.0.1
    devices:
      - {name: a, unit: 1, tags: [{name: x, table: coil, address: 0}, {name: y, table: coil, address: 1}]}
"""


def wirepost(*args, text=None):
    done = subprocess.run([WIREPOST, *args], input=text, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


def a_good_configuration_is_summed_up(w):
    path = w.write("good.yaml", GOOD.replace("PORT", str(free_port())))
    assert wirepost("check", "-c", path) == (
        0, path + ": 1 bus, 1 device, 2 tags, 0 bridges\n"
        "bus net: 1 % of the line at these periods, assuming 10 ms a request\n", "")
    assert wirepost("check", "--config", path)[0] == 0
    assert not os.path.exists(w.path("data")), "check made the data folder"


def a_wrong_one_gets_them_all(w):
    path = w.write("wrong.yaml", GOOD.replace("PORT", "70000").replace("unit: 1", "unti: 1"))
    status, out, err = wirepost("check", "-c", path)
    print(out, end="")
    assert (status, err) == (1, "")
    assert out.splitlines() == [
        path + ":3:29: error: 'port' must be a whole number from 1 to 65535; found '70000'",
        path + ":9:19: error: a device has no key 'unti'; did you mean 'unit'?",
        "2 errors, 0 warnings",
    ]


def warnings_alone_are_no_failure(w):
    path = w.write("warning.yaml", "broker: {listeners: [{port: %d, bind: 0.0.0.0}]}\n" % free_port())
    status, out, _ = wirepost("check", "-c", path)
    assert status == 0 and ": warning: " in out and "0 errors, 1 warning" in out, out


def a_missing_file_is_an_error(w):
    path = w.path("none.yaml")
    assert wirepost("check", "-c", path) == (
        1, path + ": error: cannot read this file: No such file or directory\n1 error, 0 warnings\n", "")


def a_pipe_is_a_file_too(w):
    assert wirepost("check", "-c", "/dev/stdin", text=GOOD.replace("PORT", "1883"))[0] == 0


def wrong_usage_returns_64(w):
    for args in (["x"], ["-x"], ["-c"]):
        status, out, err = wirepost("check", *args)
        assert status == 64 and out == "" and "Usage: wirepost check" in err, (args, status, out, err)
    status, out, err = wirepost("check", "--help")
    assert (status, err) == (0, "") and out.startswith("Usage: wirepost check")


def a_wrong_configuration_starts_nothing(w):
    port = free_port()
    path = w.write("wrong.yaml", GOOD.replace("PORT", str(port)) + "brigdes: []\n")
    status, out, err = wirepost("run", "-c", path)
    assert status == 1, (status, out, err)
    assert "wrong.yaml:10:1: error: the configuration has no key 'brigdes'; did you mean 'bridges'?" in out + err
    assert not os.path.exists(w.path("data"))
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", port)) != 0, "something listens"


with Workplace() as w:
    for test in (a_good_configuration_is_summed_up, a_wrong_one_gets_them_all, warnings_alone_are_no_failure,
                 a_missing_file_is_an_error, a_pipe_is_a_file_too, wrong_usage_returns_64,
                 a_wrong_configuration_starts_nothing):
        test(w)
        print("ok: " + test.__name__.replace("_", " "), flush=True)
