#!/usr/bin/python3
"""Is QoS 2 exactly once, and QoS 1 repeated in order, when the connection breaks at every step?"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lib.mqtt import DISCONNECT, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, ack, publish
from lib.programs import WIREPOST, Workplace, wait_for
from lib.server import Server


def start_pub(server, *args, lines=None):
    p = subprocess.Popen([WIREPOST, "pub", "-h", "127.0.0.1", "-p", str(server.port), "-t", "t", *args],
                         stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    if lines:
        p.stdin.write(b"".join(b"%s\n" % line for line in lines))
    p.stdin.close()
    return p


def ended(p, status=0):
    said = p.stderr.read().decode()
    assert p.wait(20) == status, (p.returncode, said)
    return said


def qos_2_continues_where_it_broke(server):
    p = start_pub(server, "-q", "2", "-m", "once")
    peer = server.accept()
    assert peer.connect_packet.clean and peer.connect_packet.props["session_expiry"] > 0
    first = peer.expect_publish("t", "once", qos=2, dup=False)
    peer.kill()                                                     # before PUBREC

    peer = server.accept(session_present=True)
    assert not peer.connect_packet.clean
    again = peer.expect_publish("t", "once", qos=2, dup=True)
    assert again.id == first.id
    peer.release(first.id)
    peer.kill()                                                     # before PUBCOMP

    peer = server.accept(session_present=True)
    released = peer.expect(PUBREL)                                  # and no PUBLISH
    assert released.id == first.id
    peer.send(ack(PUBCOMP, first.id))
    bye = peer.expect(DISCONNECT)
    assert bye.props.get("session_expiry") == 0, bye                # this run's session is of no use any more
    ended(p)


def a_lost_session_sends_it_as_new(server, version):
    p = start_pub(server, "-q", "2", "-m", "again", "-V", version)
    peer = server.accept()
    peer.release(peer.expect_publish("t", "again", qos=2, dup=False).id)
    peer.kill()
    peer = server.accept(session_present=False)
    new = peer.expect_publish("t", "again", qos=2, dup=False)
    peer.release(new.id)
    peer.send(ack(PUBCOMP, new.id, version=int(version[0])))
    ended(p)


def qos_1_is_repeated_in_order(server):
    p = start_pub(server, "-q", "1", "-l", lines=[b"1", b"2", b"3", b"4"])
    peer = server.accept(receive_maximum=3)
    got = [peer.expect(PUBLISH) for _ in range(3)]
    peer.expect_nothing()                                           # the fourth waits: receive maximum
    peer.send(ack(PUBACK, got[1].id))                               # out of order
    fourth = peer.expect_publish("t", "4", dup=False)
    peer.kill()
    peer = server.accept(session_present=True, receive_maximum=1)
    for payload, old in ((b"1", got[0]), (b"3", got[2]), (b"4", fourth)):
        q = peer.expect_publish("t", payload, dup=True)
        assert q.id == old.id
        peer.expect_nothing(0.2)                                    # one at a time now
        peer.send(ack(PUBACK, q.id))
    peer.expect(DISCONNECT)
    ended(p)


def incoming_qos_2_is_printed_once(w, server):
    s = w.start([WIREPOST, "sub", "-h", "127.0.0.1", "-p", str(server.port), "-t", "in/#", "-q", "2"])
    peer = server.accept()
    assert peer.answer_subscribe(2) == [("in/#", 2)]
    peer.send(publish("in/a", "exactly once", qos=2, id=5))
    assert peer.expect(PUBREC).id == 5
    peer.kill()
    peer = server.accept(session_present=True)                      # subscriptions are in the session
    peer.send(publish("in/a", "exactly once", qos=2, id=5, dup=True))
    assert peer.expect(PUBREC).id == 5
    peer.send(ack(PUBREL, 5))
    assert peer.expect(PUBCOMP).reason == 0
    peer.send(ack(PUBREL, 5))
    assert peer.expect(PUBCOMP).reason == 0x92
    peer.send(publish("in/a", "another", qos=2, id=5))
    peer.expect(PUBREC)
    wait_for(lambda: "another" in s.log(), 5, "the next message")
    assert s.log().count("exactly once") == 1, s.log()
    peer.kill()
    peer = server.accept(session_present=False)
    assert peer.answer_subscribe(2) == [("in/#", 2)]                # the server forgot: asked again
    s.stop()


def main():
    with Workplace() as w, Server() as server:
        qos_2_continues_where_it_broke(server)
        for version in ("5", "311"):
            a_lost_session_sends_it_as_new(server, version)
        qos_1_is_repeated_in_order(server)
        incoming_qos_2_is_printed_once(w, server)
    print("QoS 1 and 2 continued, repeated or began anew as the session allowed")


if __name__ == "__main__":
    main()
