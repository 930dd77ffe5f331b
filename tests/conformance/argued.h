/*
 * argued - packets of other projects' tests about which we disagree, and why we are right.
 *
 * By the name they have there. Sections of MQTT 5.0 unless another standard is named.
 */
#ifndef WP_TESTS_ARGUED_H
#define WP_TESTS_ARGUED_H

static const struct argued {
    const char *name;
    const char *why;
} argued[] = {
    /* mochi-mqtt/server: what its encoder is to write, or what its decoder lets pass */
    {"TConnectSpecInvalidUTF8NoSkip",
     "[MQTT-1.5.4-3]: U+FEFF is a character like any other; the test is that it stays"},
    {"TConnackProtocolViolationNoSession", "3.1.1: 3.2.2.3: return codes 6-255 are reserved; 0x82 is one of MQTT 5"},
    {"TConnackBadProtocolVersion", "3.1.1: [MQTT-3.2.2-4]: session present with a refusal; and code 0x82 is reserved"},
    {"TConnackBadClientID", "3.1.1: [MQTT-3.2.2-4]: session present with a refusal; and code 0x85 is reserved"},
    {"TConnackServerUnavailable", "3.1.1: [MQTT-3.2.2-4]: session present with a refusal; and code 0x88 is reserved"},
    {"TConnackBadUsernamePassword", "3.1.1: [MQTT-3.2.2-4]: session present with a refusal; and code 0x86 is reserved"},
    {"TConnackNotAuthorised", "3.1.1: [MQTT-3.2.2-4]: session present with a refusal; and code 0x87 is reserved"},
    {"TConnackDropProperties", "2.1.4: the remaining length is 40, the bytes are 38: we wait for two more"},
    {"TConnackDropPropertiesPartial", "2.1.4: the remaining length is 40, the bytes are 38: we wait for two more"},
    {"TPublishDup", "[MQTT-3.3.1-2]: DUP must be 0 at QoS 0"},
    {"TPublishSpecQos0NoPacketID", "2.1.4: the remaining length is 12, the bytes are 14: two begin another packet"},
    {"TPubrecMalReasonCode", "3.5.2.1: without a reason the remaining length is 2, as here"},
    {"TSubackInvalidSharedNoLocal", "[MQTT-3.9.3-2]: 0x82 is no reason code of SUBACK (table 3-8)"},
    {"TDisconnectDropProperties", "2.1.4: the remaining length is 39, the bytes are 37: we wait for two more"},
    {"TDisconnectMalReasonCode", "3.14.2.1: without a reason the remaining length is 0, as here"},
    /* mqttjs/mqtt-packet */
    {"connect MQTT bridge 131", "3.1: protocol version is 3; 0x83 is a private agreement of one broker: code 1"},
    {"connect MQTT bridge 132", "3.1.1: [MQTT-3.1.2-2]: 0x84 is no protocol level; one broker's private agreement"},
    {"Version 4 CONACK in Version 5 mode",
     "3.2.2.3.1: no property length; read as a 3.1.1 server's code 1: no MQTT 5 there"},
    {"Version 5 CONNACK test 1", "3.2.2.2: the reason code is missing"},
    {"Version 5 CONNACK test 2", "3.2.2.3.1: the property length is missing; CONNACK has no short form"},
    {"Cannot parse username", "3.1: section 3.1: with the flag set the name may still be missing: the length decides"},
    {"connack MQTT 5 with properties", "3.2.2.3.4: a maximum QoS other than 0 or 1 is a protocol error"},
    {"connack MQTT 5 with properties and doubled user properties", "3.2.2.3.4: the same"},
};

#endif
