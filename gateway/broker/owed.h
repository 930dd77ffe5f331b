/*
 * owed - acknowledgements that a publisher is owed and has to wait for.
 *
 *   conn.owed:  [waits for disk] [settled] [settled] ...   sent from the head, in order (4.6)
 *
 * A PUBACK or PUBREC waits until its message is settled (core/message.h), and
 * behind those that wait. One whose connection has gone stays until its
 * message is settled: a QoS 2 message may then be claimed by the client's next
 * connection. Loop thread only.
 */
#ifndef WP_BROKER_OWED_H
#define WP_BROKER_OWED_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

struct conn;
struct flow;
struct publication;

/* Acknowledgements that wait; those of QoS 1 among them. */
uint32_t owed_count(const struct conn *c);
uint32_t owed_count_qos1(const struct conn *c);

/* Acknowledges the routed publication now, or when its turn comes. reason: if all is well. */
void owed_ack(struct conn *c, struct publication *p, uint16_t id, uint8_t reason);

/* The same for a message that was not routed. why: a reason string, or none: for MQTT 5, as far as it fits. */
void owed_answer(struct conn *c, uint16_t id, uint8_t qos, uint8_t reason, struct str why);

/* The client sends a QoS 2 message again. True when its PUBREC is still owed and will follow. */
bool owed_claim(struct conn *c, uint16_t id);

/* Tells the publisher that its message was not kept: 0x97, or before MQTT 5 by closing. */
void owed_refuse(struct conn *c, uint16_t id, uint8_t qos);

/* The connection has gone; c->session is still set if it had one. */
void owed_conn_gone(struct conn *c);

/* The session has gone. */
void owed_forget_session(struct flow *f);

#endif
