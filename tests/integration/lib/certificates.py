"""Certificates made on the spot by the openssl command.

    ca = Authority(w.path("ca"), "plant CA")
    pump = ca.issue("pump")                     # pump.cert, pump.key: paths of PEM files
    server = ca.issue("server", names=["localhost"], addresses=["127.0.0.1"])
    ca.revoke(pump); ca.crl()                   # the path of a list made now
"""
import datetime
import os
import subprocess

SETTINGS = """
[ca]
default_ca = this
[this]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
certificate = {folder}/ca.crt
private_key = {folder}/ca.key
default_md = sha256
default_crl_days = 30
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = optional
organizationName = optional
[req]
distinguished_name = empty
[empty]
"""


def openssl(*args):
    done = subprocess.run(["openssl", *args], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, "openssl %s: %s" % (" ".join(args), done.stderr)


def moment(days):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return at.strftime("%Y%m%d%H%M%SZ")


class Certificate:
    def __init__(self, folder, name):
        self.cert, self.key = os.path.join(folder, name + ".crt"), os.path.join(folder, name + ".key")

    def read(self):
        """Both files, to be written elsewhere."""
        with open(self.cert) as cert, open(self.key) as key:
            return cert.read(), key.read()


class Authority:
    def __init__(self, folder, cn):
        os.makedirs(folder)
        self.folder, self.config = folder, os.path.join(folder, "settings")
        self.cert, self.key = os.path.join(folder, "ca.crt"), os.path.join(folder, "ca.key")
        self.count = 0
        with open(self.config, "w") as f:
            f.write(SETTINGS.format(folder=folder))
        open(os.path.join(folder, "index"), "w").close()
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "365",
                "-subj", "/CN=" + cn, "-keyout", self.key, "-out", self.cert)

    def issue(self, cn, subject=None, names=(), addresses=(), first_day=-1, last_day=365, key="ec"):
        """subject: instead of /CN=..., as openssl takes it; days count from now."""
        self.count += 1
        made = Certificate(self.folder, "%s-%d" % (cn.replace("*", "any"), self.count))
        request = made.cert + ".request"
        alternatives = ["DNS:" + n for n in names] + ["IP:" + a for a in addresses]
        algorithm = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else [key]
        openssl("req", "-newkey", *algorithm, "-nodes", "-config", self.config, "-subj", subject or "/CN=" + cn,
                "-keyout", made.key, "-out", request,
                *(["-addext", "subjectAltName=" + ",".join(alternatives)] if alternatives else []))
        openssl("ca", "-batch", "-notext", "-preserveDN", "-config", self.config, "-in", request, "-out", made.cert,
                "-startdate", moment(first_day), "-enddate", moment(last_day))
        return made

    def revoke(self, certificate):
        openssl("ca", "-config", self.config, "-revoke", certificate.cert)

    def crl(self, name="ca.crl"):
        path = os.path.join(self.folder, name)
        openssl("ca", "-config", self.config, "-gencrl", "-out", path)
        return path
