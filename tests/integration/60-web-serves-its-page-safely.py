"""Does the web port serve its page, all of it and nothing else, to those it may?

Content types, security headers on every answer, ETag and 304, HEAD, 404, 405,
paths that try to escape, Host headers of DNS rebinding, connections that say
nothing, slowly.
"""
import os
import re
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
import mqtt
from programs import Workplace
from web import WebSite
from ws import read_head, request

TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
         "svg": "image/svg+xml"}
POLICY = {"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
          "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"}


def check_headers(headers, what):
    assert set(headers["content-security-policy"].split("; ")) == POLICY, (what, headers)
    for name, value in (("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"),
                        ("cache-control", "no-cache"), ("cross-origin-resource-policy", "same-origin")):
        assert headers.get(name) == value, (what, name, headers)
    assert "libwebsockets" not in str(headers), headers


def ask(port, want, **how):
    status, headers, body = request(port, **how)
    assert status == want, (how, status, body)
    check_headers(headers, how)
    return headers, body


def links_of(path, body):
    if path == "/":
        found = re.findall(rb'(?:src|href)="([^"]*)"', body)
    else:
        found = re.findall(rb'from "([^"]*)"', body) + re.findall(rb"url\(([^)]*)\)", body)
    return ["/" + link.decode().removeprefix("./") for link in found]


def page_is_whole(port):
    todo, seen = ["/"], {}
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        headers, body = ask(port, 200, path=path)
        assert headers["content-type"] == TYPES[path.split(".")[1] if path != "/" else "html"], (path, headers)
        assert int(headers["content-length"]) == len(body) > 0
        assert b"http://" not in body.replace(b"http://www.w3.org/2000/svg", b""), path + " names another host"
        seen[path] = headers["etag"]
        todo += links_of(path, body)
    assert len(seen) >= 5, seen
    assert len(set(seen.values())) == len(seen), seen
    print("ok   page:", " ".join(sorted(seen)))
    return seen


def tags_are_honoured(port, path, tag):
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag), tag
    for value in (tag, "W/" + tag, f'"other", {tag}', "*"):
        headers, body = ask(port, 304, path=path, headers={"If-None-Match": value})
        assert headers["etag"] == tag and body == b"", (value, headers, body)
    for value in ('"other"', tag[:-2] + '"'):
        ask(port, 200, path=path, headers={"If-None-Match": value})
    headers, body = ask(port, 200, path=path + "?v=2")
    assert headers["etag"] == tag and body
    headers, body = ask(port, 200, method="HEAD", path=path)
    assert headers["etag"] == tag and body == b"" and int(headers["content-length"]) > 0
    print("ok   ETag, 304, HEAD")


def nothing_else_is_served(port, known):
    for path in ("/nope", "/index.html", "/app", "/app.js/", "/page/app.js", "/mqtt/x", "/etc/passwd", "/%00",
                 "/app.js%00.css", "/..", "/../", "/../web.h", "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
                 "/..%2f..%2fetc%2fpasswd", "/....//etc/passwd", "/.%2e/etc/passwd", "//etc/passwd", "/\\..\\x"):
        try:
            status, headers, body = request(port, path=path)
        except ConnectionError:
            continue
        # lws takes what is left of a path such as "/.." for "/".
        assert status in (400, 403, 404) or headers.get("etag") == known["/"], (path, status, body)
        assert b"root:" not in body
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        status, headers, _ = request(port, method=method, headers={"Content-Length": "3"}, body=b"abc")
        assert status == 405 and headers["allow"] == "GET, HEAD", (method, status, headers)
        check_headers(headers, method)
    headers, _ = ask(port, 426, path="/mqtt")
    assert headers["upgrade"] == "websocket"
    print("ok   404, 405, 426, no way out")


def names_are_checked(port):
    for host in ("127.0.0.1", f"127.0.0.1:{port}", "localhost", f"LOCALHOST:{port}", "plant7.local", f"Plant7.Local:{port}",
                 "[::1]", "192.168.7.9:80"):
        ask(port, 200, headers={"Host": host})
    for host in ("evil.example", "plant7.local.evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "a" * 400):
        ask(port, 421, headers={"Host": host})
        ask(port, 421, path="/app.js", headers={"Host": host})
    ask(port, 400, headers={"Host": None})
    print("ok   Host")


def one_connection_serves_many(port):
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        for path in ("/", "/style.css", "/nope", "/app.js"):
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            status, headers, rest = read_head(s)
            while len(rest) < int(headers["content-length"]):
                rest += s.recv(65536)
            assert status == (404 if path == "/nope" else 200), (path, status)
    print("ok   keep-alive")


def garbage_harms_nobody(port):
    for data in (b"\x00" * 100, b"\xff\xfe\x16\x03\x01", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000,
                 b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                 b"CONNECT example.org:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04abcd",
                 b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), 5) as s:
            s.settimeout(15)
            got = b""
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while True:
                    more = s.recv(65536)
                    if not more:
                        break
                    got += more
            except (BrokenPipeError, ConnectionResetError):
                pass
        assert b" 200 " not in got, (data[:40], got[:200])
        ask(port, 200)
    print("ok   garbage")


def silence_is_ended(site):
    begin = time.monotonic()
    silent = [socket.create_connection(("127.0.0.1", site.web_port), 5) for _ in range(100)]
    slow = [socket.create_connection(("127.0.0.1", site.web_port), 5) for _ in range(100)]
    for s in slow:
        s.sendall(b"GET / HTTP/1.1\r\n")
    with mqtt.Client(site.port, version=4) as c:
        c.connect("meanwhile")
        while time.monotonic() - begin < 8:
            for s in slow:
                try:
                    s.sendall(b"X")
                except OSError:
                    pass
            c.ping()
            time.sleep(1)
    ask(site.web_port, 200, timeout=40)
    print("ok   200 silent and slow connections: served after %.0f s" % (time.monotonic() - begin))
    for s in silent + slow:
        s.settimeout(40)
        try:
            while s.recv(65536):
                pass
        except ConnectionResetError:
            pass
        s.close()
    print("ok   all of them closed after %.0f s" % (time.monotonic() - begin))
    assert time.monotonic() - begin < 60


def main():
    with Workplace() as w:
        site = WebSite(w)
        known = page_is_whole(site.web_port)
        tags_are_honoured(site.web_port, "/app.js", known["/app.js"])
        nothing_else_is_served(site.web_port, known)
        names_are_checked(site.web_port)
        one_connection_serves_many(site.web_port)
        garbage_harms_nobody(site.web_port)
        silence_is_ended(site)
        site.program.stop()


main()
