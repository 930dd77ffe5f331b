"""A scripted MQTT server for tests of our clients: says exactly what the test tells it to.

    with Server() as server:
        start_client(server.port)
        peer = server.accept(session_present=False, receive_maximum=1)   # takes CONNECT, answers CONNACK
        peer.connect_packet.client_id
        p = peer.expect(PUBLISH); peer.send(ack(PUBACK, p.id))
        peer.kill()
"""
import socket
import struct

from lib.mqtt import CONNACK, CONNECT, PUBREC, PUBREL, SUBACK, SUBSCRIBE, Client, Reader, ack, packet, properties


class ConnectPacket:
    def __init__(self, body):
        r = Reader(body)
        self.protocol = r.binary()
        self.version, self.flags, self.keepalive = r.number("!B"), r.number("!B"), r.number("!H")
        self.clean = bool(self.flags & 2)
        self.props = r.properties() if self.version == 5 else {}
        self.client_id = r.binary().decode()
        self.will_topic = None
        if self.flags & 4:
            if self.version == 5:
                r.properties()
            self.will_topic, self.will_payload = r.binary().decode(), r.binary()
            self.will_qos, self.will_retain = self.flags >> 3 & 3, bool(self.flags & 0x20)


class Peer(Client):
    """One connection of a client, seen from the server."""

    def answer_connect(self, session_present=False, reason=0, **props):
        first = self.expect(CONNECT)
        self.connect_packet = ConnectPacket(first.body)
        self.version = self.connect_packet.version
        body = bytes([session_present, reason]) + (properties(props) if self.version == 5 else b"")
        self.send(packet(CONNACK, 0, body))
        return self

    def answer_subscribe(self, code=0):
        """Takes one SUBSCRIBE and answers this code for each filter; returns the filters."""
        r = Reader(self.expect(SUBSCRIBE).body)
        id, filters = r.number("!H"), []
        if self.version == 5:
            r.properties()
        while r.left():
            filters.append((r.binary().decode(), r.number("!B")))
        body = struct.pack("!H", id) + (properties({}) if self.version == 5 else b"")
        self.send(packet(SUBACK, 0, body + bytes([code] * len(filters))))
        return filters

    def release(self, id):
        """PUBREC for a publish, then takes its PUBREL."""
        self.send(ack(PUBREC, id, version=self.version))
        p = self.expect(PUBREL)
        assert p.id == id, p


class Server:
    def __enter__(self):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.peers = []
        return self

    def __exit__(self, *exc):
        for peer in self.peers:
            peer.kill()
        self.sock.close()

    def accept_silent(self, timeout=15):
        """A connection, nothing said yet."""
        self.sock.settimeout(timeout)
        peer = Peer(0, sock=self.sock.accept()[0])
        self.peers.append(peer)
        return peer

    def accept(self, timeout=15, **connack):
        return self.accept_silent(timeout).answer_connect(**connack)
