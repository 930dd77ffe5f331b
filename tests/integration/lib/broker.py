"""Runs checks against the broker alone (the program at $BROKER_ALONE: tests/tools/broker_alone.c).

    def who_comes_first(port): ...
    run(who_comes_first, ..., keepalive_max_s=20)

Each run is one broker with these settings. A check is a function of the port; its name is the sentence it proves.
"""
import os
import re
import sys

from lib.programs import Workplace

BROKER_ALONE = os.environ.get("BROKER_ALONE",
                              os.path.join(os.path.dirname(__file__), "../../../build/tests/broker_alone"))


def start(w, preexec_fn=None, **settings):
    """The program, and the port it chose."""
    listening = r"listening on \S+ port (\d+)"
    p = w.start([BROKER_ALONE] + ["%s=%s" % s for s in settings.items()], ready=listening, preexec_fn=preexec_fn)
    return p, int(re.search(listening, p.log()).group(1))


def run(*checks, **settings):
    only = sys.argv[1:]
    checks = [c for c in checks if not only or c.__name__ in only]
    if not checks:
        return
    with Workplace() as w:
        broker, port = start(w, **settings)
        for check in checks:
            try:
                check(port)
            except BaseException:
                print("FAILED: " + check.__name__.replace("_", " "), flush=True)
                raise
            print("ok: " + check.__name__.replace("_", " "), flush=True)
        broker.stop()
