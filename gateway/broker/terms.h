/*
 * terms - on which client and server talk: what the server leaves out of MQTT, as the configuration says, and what the
 * client asks to be told or spared (3.1.2.11, 3.2.2.3). A client's terms are those that it was told: a reload changes
 * them for those who come later. Loop thread only.
 */
#ifndef WP_BROKER_TERMS_H
#define WP_BROKER_TERMS_H

#include "broker/conn.h"

/* MQTT_SUCCESS, or why nobody may come in with this CONNECT. */
enum mqtt_reason terms_check_connect(const struct conn *c, const struct mqtt_packet *p);

/* Whether clients are sent elsewhere; then why, and where to. */
bool terms_redirect(const struct conn *c, enum mqtt_reason *ret_reason, struct mqtt_props *ret_props);

/* The client comes in. */
void terms_take(struct conn *c, const struct mqtt_packet *p);

/* What an MQTT 5 client is told of them in CONNACK. Borrows from the settings and from broker.props. */
void terms_tell(const struct conn *c, const struct mqtt_packet *p, struct mqtt_props *out);

/* For a conn that has `checked` set: MQTT_SUCCESS, or what is wrong with the PUBLISH. */
enum mqtt_reason terms_check_publish(const struct conn *c, const struct mqtt_packet *p);

#endif
