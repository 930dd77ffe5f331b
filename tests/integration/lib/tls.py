"""MQTT over TLS for tests.

    with tls_client(port, ca, certificate=pump, newest=ssl.TLSVersion.TLSv1_2) as c:
        c.connect("me")
"""
import socket
import ssl
import warnings

from lib.mqtt import Client

V11, V12, V13 = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def client_context(ca, certificate=None, oldest=V12, newest=V13, ciphers=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca.cert)
    if certificate:
        context.load_cert_chain(certificate.cert, certificate.key)
    if ciphers:
        context.set_ciphers(ciphers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = oldest, newest
    return context


def tls_socket(port, context, name="localhost", session=None, timeout=15):
    plain = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    try:
        return context.wrap_socket(plain, server_hostname=name, session=session)
    except BaseException:
        plain.close()
        raise


def tls_client(port, ca=None, version=5, context=None, name="localhost", session=None, **options):
    context = context or client_context(ca, **options)
    return Client(0, version=version, sock=tls_socket(port, context, name, session), timeout=15)


def common_name(sock):
    """Of the certificate that the server has shown."""
    return dict(pair for part in sock.getpeercert()["subject"] for pair in part)["commonName"]
