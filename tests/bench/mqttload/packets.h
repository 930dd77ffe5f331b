/*
 * packets - what clients say besides PUBLISH. send_* appends; who handles the event flushes.
 */
#ifndef MQTTLOAD_PACKETS_H
#define MQTTLOAD_PACKETS_H

#include "load.h"

/* First bytes of packets without their flags' meaning. */
enum packet {
    PACKET_CONNECT = 0x10,
    PACKET_PUBLISH = 0x30,
    PACKET_PUBACK = 0x40,
    PACKET_PUBREC = 0x50,
    PACKET_PUBREL = 0x62,
    PACKET_PUBCOMP = 0x70,
    PACKET_SUBSCRIBE = 0x82,
    PACKET_DISCONNECT = 0xe0,
};

/* CONNECT, and writes it. */
void send_connect(struct client *c);

/* The client's SUBSCRIBEs, and writes them. */
void send_subscribes(struct client *c);

void send_ack(struct client *c, enum packet type, unsigned id);

/* Appended only. */
void send_disconnect(struct client *c);

#endif
