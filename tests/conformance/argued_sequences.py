"""Sequences of mosquitto's tests about which we disagree, and why we are right.

(pattern of the sequence's name, pattern of the disagreement, argument). Sections of MQTT 5.0 unless another standard
is named.
"""
import re

ARGUED = [
    (r"DISALLOWED PROP", r"wanted 0[2e]0082, got 0[2e]0081",
     "2.2.2.2: a property that is not valid for the packet's type makes a Malformed Packet: 0x81"),
    (r"(AUTH|CONNACK|DISCONNECT|PUBREL|FORBIDDEN): (F0 long|F[1248]|2[1248]|E[1248]|6[346A]|0[0-9A])", r"got 0e0081",
     "2.1.3, 2.1.2: wrong flags, a reserved type or a wrong length make a Malformed Packet: 0x81"),
    (r"CONNACK: issue 2163", r"got 0e0081", "2.1.3: its flags are not zero: a Malformed Packet, 0x81"),
    (r"U\+00[0179]F|U\+0001|0x00[0179]F|0x0001", r"still connected|nothing received|got 0[2b]0000",
     "1.5.4 (3.1.1: 1.5.3): control characters should not be sent, a receiver MAY close: they are let pass"),
    (r"Client ID with", r"wanted 020085, got 020081",
     "[MQTT-1.5.4-1], [MQTT-1.5.4-2]: text that is not UTF-8, or holds U+0000, makes a Malformed Packet: 0x81"),
    (r"PUBREL.*62 ", r"got 70030001" "92", "3.7.2.1: 0x92, packet identifier not found, is what PUBCOMP has for this"),
    (r"PUBREC.*50 ", r"got 62030001" "92", "3.6.2.1: 0x92, packet identifier not found, is what PUBREL has for this"),
    (r"PUBLISH: 30 topic 0", r"got 0e0082", "3.3.2.1: an empty Topic Name without an alias is a Protocol Error: 0x82"),
    (r"retain handling=3", r"got 0e0082", "3.8.3.1: Retain Handling 3 is a Protocol Error: 0x82"),
    (r"SUBSCRIBE: 82 QoS 3 \[MQTT-3-8.3-4\]", r"got 0e0082", "3.8.3.1: Maximum QoS 3 is a Protocol Error: 0x82"),
    (r"no topic or qos|short 3", r"got 0e0082", "3.8.3, 3.10.3: a packet without a filter is a Protocol Error: 0x82"),
    (r"mid 0|zero mid", r"got 0e0082",
     "1.2, [MQTT-2.2.1-3]: the packet can be read, its identifier is not allowed: a Protocol Error, 0x82"),
    (r"topic( \S+)? len 0|multiple zero", r"got 0e008f",
     "2.4, table 2-6: 0x8F in a DISCONNECT says which part of the packet is wrong; the connection ends all the same"),
    (r"topic with [+#]", r"got 0e0090",
     "2.4, table 2-6: 0x90 in a DISCONNECT says which part of the packet is wrong; the connection ends all the same"),
    (r"proto ver [26]", r"got 020001",
     "3.1.1: [MQTT-3.1.2-2] wants 0x01; of a level that nobody knows nobody knows whether it has 0x84"),
    (r"QoS 2 PUBLISH|34 QoS 2 Dup 0|3C QoS 2 Dup 1|qos1 nolocal", r"got [45]003....10$",
     "3.4.2.1, 3.5.2.1: 0x10, no matching subscribers, may be said in place of 0x00"),
    (r"Dup flow\*3", r"still connected|got 500304d210$",
     "[MQTT-4.3.3-9]: every PUBLISH with this identifier is to be answered by PUBREC until there is a PUBREL"),
    (r"self publish qos2|retain as normal qos2", r"wanted 5002000[12], got 3",
     "4.3.3: onward delivery may begin with the PUBLISH; figure 4.3 sets no order between it and the PUBREC"),
    (r"connection/state", r"got 5003007b87", "4.7.2: servers should keep clients from publishing to $-topics; $SYS is ours alone"),
]


def argument_for(name, why):
    for names, whys, argument in ARGUED:
        if re.search(names, name) and re.search(whys, why):
            return argument
    return None
