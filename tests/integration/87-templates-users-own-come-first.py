#!/usr/bin/python3
"""Which template does a device get when there are several of one name, and can people see that?

Templates beside the configuration, in /etc/wirepost/templates and in /usr/share/wirepost/templates; the last two
are tried in a mount namespace of their own where the machine allows that.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

WIREPOST = os.environ["WIREPOST"]

TEMPLATE = """\
name: meter
summary: the %(where)s meter
manufacturer: Acme
tags: [{name: %(where)s, table: input, address: 0, type: u16, unit: V}]
"""
CONFIG = """\
gateway: {id: test}
buses:
  - name: line
    type: modbus-tcp
    host: 127.0.0.1
    devices: [{name: device, unit: 1, template: %s}]
"""
# As root of a namespace: two empty folders where templates are looked for.
NAMESPACE = """\
set -e
mount -t tmpfs tmpfs /etc
mount -t tmpfs tmpfs /usr/share
mkdir -p /etc/wirepost/templates /usr/share/wirepost/templates
"""
failed = False


def check(what, good, seen):
    global failed
    print("%s: %s" % ("ok" if good else "FAILED", what))
    if not good:
        print(seen)
        failed = True


def run(*args):
    done = subprocess.run([WIREPOST, *args], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


def beside_the_configuration(folder):
    config = folder / "main.yaml"
    config.write_text(CONFIG % "meter")
    code, said = run("check", "-c", str(config))
    check("a missing template is an error that names the places", code == 1 and "/usr/share/wirepost/templates" in said, said)
    (folder / "templates").mkdir()
    (folder / "templates/meter.yaml").write_text(TEMPLATE % {"where": "own"})
    code, said = run("check", "-c", str(config), "--plan")
    path = "template %s/templates/meter.yaml" % folder
    check("the plan names the file", code == 0 and path in said, said)


def listing(folder):
    config = str(folder / "main.yaml")
    (folder / "templates/other.yaml").write_text("name: other\nsummary: something else\ntags: [\n")
    code, said = run("templates", "-c", config)
    check("templates are listed with their summary", code == 0 and "meter " in said and "the own meter" in said, said)
    check("one that cannot be read is listed as such", "other " in said and "cannot be read" in said, said)
    code, said = run("templates", "-c", config, "ACME")
    check("a word finds the maker", code == 0 and "the own meter" in said and "other" not in said, said)
    code, said = run("templates", "-c", config, "nothing")
    check("a word that none has is said", code == 1 and "there is no such template: nothing" in said, said)
    code, said = run("templates", "-c", config, "--long", "meter")
    check("--long names the file", code == 0 and str(folder / "templates/meter.yaml") in said, said)


def example_of_the_readme(folder):
    readme = (pathlib.Path(__file__).resolve().parents[2] / "README.md").read_text()
    pump = folder / "templates/pump.yaml"
    pump.write_text(re.search("^name: pump\n.*?(?=```)", readme, re.M | re.S).group())
    code, said = run("check", "--template", str(pump))
    check("the README's own template has no findings", code == 0 and said == "%s: no findings\n" % pump, said)
    config = folder / "pump-main.yaml"
    config.write_text(CONFIG.replace("template: %s", "template: pump, parameters: {rated_flow: 60}"))
    code, said = run("check", "-c", str(config))
    check("and a device can give its parameter", code == 0 and "1 device, 2 tags" in said, said)


def places_in_order(folder):
    """Shipped, then the machine's, then the configuration's own: each hides those before it."""
    config = folder / "main.yaml"
    steps = [("shipped", "/usr/share/wirepost/templates"), ("machine", "/etc/wirepost/templates"),
             ("own", str(folder / "templates"))]
    script = NAMESPACE + "mkdir -p %s; rm -f %s/*\n" % (folder / "templates", folder / "templates")
    for where, place in steps:
        (folder / (where + ".yaml")).write_text(TEMPLATE % {"where": where})
        script += "cp %s %s/meter.yaml\necho step %s\n" % (folder / (where + ".yaml"), place, where)
        script += "%s check -c %s --plan\n%s templates -c %s\n" % (WIREPOST, config, WIREPOST, config)
    allowed = subprocess.run(["unshare", "-rm", "sh", "-c", NAMESPACE], capture_output=True, timeout=30)
    if allowed.returncode != 0:
        print("left out: this machine allows no mount namespace: " + allowed.stderr.decode().strip())
        return
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, timeout=60)
    parts = done.stdout.split("step ")[1:]
    check("each step ran", done.returncode == 0 and len(parts) == 3, done.stdout + done.stderr)
    for (where, place), said in zip(steps, parts):
        check("%s counts for more than what was there" % place,
              "template %s/meter.yaml" % place in said and "the %s meter" % where in said, said)
        check("and is listed once", said.count("\nmeter ") == 1, said)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        beside_the_configuration(folder)
        listing(folder)
        example_of_the_readme(folder)
        places_in_order(folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
