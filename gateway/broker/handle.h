/*
 * handle - what the broker does with one packet of a client: a handle_*.c for
 * each kind. Loop thread only.
 */
#ifndef WP_BROKER_HANDLE_H
#define WP_BROKER_HANDLE_H

#include "broker/conn.h"

/* Of an open connection, but for the first. raw: the packet's bytes. */
void handle_connect(struct conn *c, const struct mqtt_packet *p, struct str raw);
void handle_publish(struct conn *c, const struct mqtt_packet *p, struct str raw);
void handle_subscribe(struct conn *c, const struct mqtt_packet *p);
void handle_unsubscribe(struct conn *c, const struct mqtt_packet *p);
void handle_puback(struct conn *c, const struct mqtt_packet *p);
void handle_pubrec(struct conn *c, const struct mqtt_packet *p);
void handle_pubrel(struct conn *c, const struct mqtt_packet *p);
void handle_pubcomp(struct conn *c, const struct mqtt_packet *p);
void handle_disconnect(struct conn *c, const struct mqtt_packet *p);

/* handle_publish.c: topics only the broker itself publishes. */
bool topic_is_ours(struct str topic);

/* handle_connect.c: refuses a CONNECT that cannot be read. */
void connect_refuse(struct conn *c, uint8_t version, enum mqtt_reason reason);

/* handle_connect.c: asks the judges from `next` on (a node of broker.judges) and lets in or refuses. */
void connect_judge(struct conn *c, const struct mqtt_packet *p, struct str raw, struct list_node *next);

/* The verdict on a CONNECT; JOIN_UNDECIDED: nobody had one. */
void connect_decided(struct conn *c, const struct mqtt_packet *p, uint8_t verdict);

#endif
