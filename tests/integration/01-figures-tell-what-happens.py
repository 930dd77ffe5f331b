#!/usr/bin/python3
"""Do the figures in $SYS and at /metrics tell what happens, under the names that dashboards know?"""
import math
import os
import sys

from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from gateway import Site, Watcher
from mqtt import Client
from programs import Workplace, free_port, wait_for
from ws import request


def names_are_mosquittos(w, ours):
    """Every name that Debian's mosquitto publishes is there, and nothing else under $SYS/broker."""
    port = free_port()
    mosquitto = w.start_mosquitto(port, "sys_interval 1")
    theirs = Watcher(port, "$SYS/#")
    theirs.wait("$SYS/broker/uptime", lambda p: int(p.split()[0]) >= 2)
    wait_for(lambda: "$SYS/broker/load/sockets/15min" in ours.latest, 10, "our $SYS topics")
    missing = sorted(set(theirs.latest) - set(ours.latest))
    own = sorted(t for t in set(ours.latest) - set(theirs.latest)
                 if t.startswith("$SYS/broker/") and not t.startswith("$SYS/broker/connection/"))
    theirs.done = True
    mosquitto.stop()
    assert not missing and not own, (missing, own)
    print("all %d topics of mosquitto" % len(theirs.latest))


def sys_counts(site, sys_topics):
    def figure(topic):
        return float(sys_topics.latest.get("$SYS/broker/" + topic, b"-1").split()[0])

    before = {t: figure(t) for t in ("publish/messages/received", "publish/bytes/received", "load/publish/received/1min")}
    with Client(site.port) as c:
        c.connect("counts", session_expiry=1)
        for _ in range(50):
            c.publish("some/topic", b"0123456789", qos=1)
        wait_for(lambda: figure("publish/messages/received") >= before["publish/messages/received"] + 50, 10, "50 more")
        assert figure("publish/bytes/received") >= before["publish/bytes/received"] + 500
        wait_for(lambda: figure("load/publish/received/1min") > before["load/publish/received/1min"], 10, "a load")
        expired = figure("clients/expired")
    wait_for(lambda: figure("clients/expired") == expired + 1, 10, "the session to expire")
    try:
        Client(site.port).connect("")
        Client(site.port, version=4).connect("", clean=False)
    except AssertionError:
        pass
    wait_for(lambda: float(sys_topics.latest["$SYS/wirepost/broker/connects_refused"]) == 1, 10, "the refused one")
    assert figure("heap/maximum") >= figure("heap/current") >= 0
    print("counts, loads, an expired session and a refused client")


def read_metrics(site):
    status, headers, body = request(site.web_port, path="/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4"), (status, headers)
    return {(s.name, *sorted(s.labels.items())): s.value
            for family in text_string_to_metric_families(body.decode()) for s in family.samples}, len(body)


def metrics_count(site):
    tank = (("bus", "line"), ("device", "tank"))
    wait_for(lambda: read_metrics(site)[0].get(("wirepost_device_online", *tank)) == 1, 20, "the tank to be online")
    m, size = read_metrics(site)
    assert m[("wirepost_bus_up", ("bus", "line"))] == 1
    assert m[("wirepost_bridge_online", ("bridge", "up"))] == 1
    assert m[("wirepost_bridge_acked_total", ("bridge", "up"))] > 0
    assert m[("wirepost_broker_clients_connected",)] >= 1
    assert m[("process_resident_memory_bytes",)] > 1e6 and m[("process_cpu_seconds_total",)] > 0
    answers = m[("wirepost_bus_answers_total", ("bus", "line"))]
    readings = m[("wirepost_good_readings_total",)]
    wait_for(lambda: read_metrics(site)[0][("wirepost_bus_answers_total", ("bus", "line"))] > answers, 10, "answers")
    assert read_metrics(site)[0][("wirepost_good_readings_total",)] >= readings > 0

    assert site.control("fault tank silent").startswith("ok")
    wait_for(lambda: read_metrics(site)[0][("wirepost_device_online", *tank)] == 0, 30, "the tank to be offline")
    assert read_metrics(site)[0][("wirepost_device_timeouts_total", *tank)] > 0
    assert read_metrics(site)[0][("wirepost_bus_up", ("bus", "line"))] == 1
    assert not any(math.isinf(v) for v in m.values())
    print("/metrics: %d samples in %d bytes, all as the client library of Prometheus reads them" % (len(m), size))


def metrics_are_for_those_who_may(site):
    assert request(site.web_port, path="/metrics", headers={"Host": "evil.example"})[0] == 421
    assert request(site.web_port, method="POST", path="/metrics")[0] == 405
    status, headers, body = request(site.web_port, method="HEAD", path="/metrics")
    assert status == 200 and int(headers["content-length"]) > 1000 and body == b""


def main():
    with Workplace() as w:
        site = Site(w)
        site.config(bridge=5)
        upstream = w.start_mosquitto(site.upstream_port)
        site.start_simulator()
        site.start_gateway()
        sys_topics = site.watch("$SYS/#")
        sys_topics.wait("$SYS/broker/connection/up/state", "1")
        names_are_mosquittos(w, sys_topics)
        sys_counts(site, sys_topics)
        metrics_count(site)
        metrics_are_for_those_who_may(site)
        upstream.stop()
        sys_topics.wait("$SYS/broker/connection/up/state", "0")


main()
