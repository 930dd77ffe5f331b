"""What does a gateway say that cannot start, and does it leave alone what another one is using?

A data directory in use, one that is a file, one below a file, a port in use: each ends with exit status 1 and one line
that names the reason. The database of the gateway that runs is not set aside, and keeps working.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from programs import WIREPOST, Workplace, free_port

CONFIG = """
gateway: {id: site, data_dir: %s}
broker: {listeners: [{port: %d}]}
web: {enabled: false}
"""


def fails(w, data, port, pattern):
    p = w.start([WIREPOST, "run", "-c", w.write("fails.yaml", CONFIG % (data, port))])
    p.process.wait(15)
    errors = [line for line in p.log().splitlines() if line.startswith("error:")]
    print(errors)
    assert p.process.returncode == 1, p.process.returncode
    assert len(errors) == 2 and re.search(pattern, errors[0]), "wanted %s" % pattern
    assert errors[1].startswith("error: gateway: not started"), errors[1]


with Workplace() as w:
    port, data = free_port(), w.path("data")
    running = w.start([WIREPOST, "run", "-c", w.write("runs.yaml", CONFIG % (data, port))], port=port)
    before = sorted(os.listdir(data))

    fails(w, data, free_port(), r"wirepost\.db cannot be opened \(another wirepost is using it\)")
    fails(w, w.path("other"), port, r"port %d \(Address already in use\)" % port)
    fails(w, w.write("file", ""), free_port(), r"cannot create the data directory \(Not a directory\)")
    fails(w, w.path("file/below"), free_port(), r"cannot create the data directory \(Not a directory\)")

    assert sorted(os.listdir(data)) == before, os.listdir(data)
    assert running.running()
    running.stop()
