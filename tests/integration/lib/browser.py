"""A headless Chromium, steered over chromedriver's plain HTTP (W3C WebDriver).

    with Workplace() as w, Browser(w) as b:
        b.open(url)
        b.wait_for("return document.title === 'x'", 10)
        b.screenshot("page.png")
"""
import base64
import json
import shutil
import time
import urllib.request

from programs import free_port

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars"]


class Browser:
    def __init__(self, workplace, flags=()):
        self.port = free_port()
        driver = shutil.which("chromedriver")
        assert driver, "chromedriver is missing: install chromium-driver"
        self.program = workplace.start([driver, f"--port={self.port}"], port=self.port)
        options = {"args": [*FLAGS, "--user-data-dir=" + workplace.path("chromium"), *flags]}
        capabilities = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.session = "/session/" + answer["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.ask("DELETE", self.session)

    def ask(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, url):
        self.ask("POST", self.session + "/url", {"url": url})

    def run(self, script):
        """The value that the script returns."""
        return self.ask("POST", self.session + "/execute/sync", {"script": script, "args": []})

    def wait_for(self, script, seconds):
        """Runs the script until it returns something true; that, and how long it took."""
        begin = time.monotonic()
        while True:
            value = self.run(script)
            if value:
                return value, time.monotonic() - begin
            if time.monotonic() - begin > seconds:
                raise AssertionError(f"waited {seconds} s for {script!r}; the page says:\n{self.run('return document.body.innerText')}")
            time.sleep(0.05)

    def command(self, name, **params):
        """A command of the Chrome DevTools Protocol."""
        return self.ask("POST", self.session + "/goog/cdp/execute", {"cmd": name, "params": params})

    def resize(self, width, height):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def colour_scheme(self, name):
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def screenshot(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.ask("GET", self.session + "/screenshot")))

    def console(self):
        """What the page wrote to its console since the last call: refused resources, errors, warnings."""
        return [entry["message"] for entry in self.ask("POST", self.session + "/se/log", {"type": "browser"})]
