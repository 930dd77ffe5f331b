"""Is the web port bound to the configured address alone, and does a failure say why?

IPv4, IPv6 and all addresses; a port in use; an address that is not ours; the
same port again right after a restart with connections open.
"""
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from programs import WIREPOST, Workplace, free_port
from web import WebSite
from ws import open_websocket, request


def answers(address, port):
    try:
        return request(port, address=address, headers={"Host": "localhost"})[0] == 200
    except OSError:
        return False


def bound_to(w, bind, reachable, not_reachable):
    site = WebSite(w, bind=bind)
    for address in reachable:
        assert answers(address, site.web_port), (bind, address)
    for address in not_reachable:
        assert not answers(address, site.web_port), (bind, address)
    site.program.stop()
    print("ok   bind", bind)


def fails(w, bind, web_port, pattern):
    site = WebSite(w, bind=bind, web_port=web_port, wait=False)
    status = site.program.process.wait(15)
    assert status != 0 and re.search(pattern, site.program.log()), (status, site.program.log())
    print("ok   refused:", re.search(pattern, site.program.log()).group())


def main():
    with Workplace() as w:
        has_v6 = os.path.exists("/proc/net/if_inet6") and "00000000000000000000000000000001" in open("/proc/net/if_inet6").read()
        bound_to(w, "127.0.0.1", ["127.0.0.1"], ["127.0.0.2", "::1"])
        bound_to(w, "127.0.0.2", ["127.0.0.2"], ["127.0.0.1", "::1"])
        bound_to(w, "0.0.0.0", ["127.0.0.1", "127.0.0.2"], ["::1"])
        if has_v6:
            bound_to(w, "::1", ["::1"], ["127.0.0.1"])
            bound_to(w, "::", ["::1"], ["127.0.0.1"])

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            fails(w, "127.0.0.1", port, r"error: web: cannot listen on 127\.0\.0\.1:%d \(Address already in use\)" % port)
        fails(w, "198.51.100.7", free_port(), r"error: web: cannot listen on 198\.51\.100\.7:\d+ \(Cannot assign requested address\)")

        site = WebSite(w)
        held = [open_websocket(site.web_port), socket.create_connection(("127.0.0.1", site.web_port))]
        for end in ("stop", "kill"):
            getattr(site.program, end)()
            site.program = site.start()
            assert answers("127.0.0.1", site.web_port)
            held.append(open_websocket(site.web_port))
        site.program.stop()
        print("ok   the same port again after a restart")


main()
