"""Runs checks against `wirepost run` as a plain broker.

    def who_comes_first(port): ...
    run(who_comes_first, ..., keepalive_max="20s", bind="0.0.0.0")

Each run is one broker with these settings: keys of the section broker.limits, or of SETTINGS. A check is a
function of the port; its name is the sentence it proves. Arguments of the test are names of checks to run alone.
"""
import os
import re
import sys

from lib.programs import WIREPOST, Workplace, free_port

BROKER_ALONE = os.environ.get("BROKER_ALONE", os.path.join(os.path.dirname(__file__), "../../../build/tests/broker_alone"))
SETTINGS = ("allow_anonymous", "sys_interval", "allow_zero_length_client_id", "client_id_prefix", "queue_qos0_messages",
            "check_payload_format", "response_information", "redirect")


def configuration(port, bind="127.0.0.1", **settings):
    of_broker = {k: v for k, v in settings.items() if k in SETTINGS}
    limits = {k: v for k, v in settings.items() if k not in SETTINGS}
    lines = ["web: {enabled: false}", "broker:", "  listeners: [{port: %d, bind: %s}]" % (port, bind)]
    lines += ["  %s: %s" % item for item in of_broker.items()]
    lines += ["  limits: {%s}" % ", ".join("%s: %s" % item for item in limits.items())]
    return "\n".join(lines) + "\n"


def start(w, preexec_fn=None, **settings):
    """The program, and its port."""
    port = free_port()
    config = w.write("wirepost.yaml", configuration(port, **settings))
    return w.start([WIREPOST, "run", "-c", config], ready="broker running", preexec_fn=preexec_fn), port


def start_holding(w, inflight=1000):
    """The same of a broker that keeps messages to hold/# unsettled: tests/tools/broker_alone.c."""
    listening = r"listening on \S+ port (\d+)"
    p = w.start([BROKER_ALONE, "hold/#", str(inflight)], ready=listening)
    return p, int(re.search(listening, p.log()).group(1))


def run(*checks, start=start, **settings):
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
