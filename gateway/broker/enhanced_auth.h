/*
 * enhanced_auth - the exchange of AUTH packets with a client that names a method in its CONNECT (4.12).
 *
 *   CONNECT -> listener -> AUTH (continue) -> client -> AUTH -> listener -> ... -> CONNACK
 *   later:     AUTH (re-authenticate) -> listener -> ... -> AUTH (success), or DISCONNECT
 *
 * Who decides is a listener to the events auth_start and auth_continue; without one every method is refused with
 * 0x8C. Such connections are in a list of their own, so that all others hold nothing for it. Loop thread only.
 */
#ifndef WP_BROKER_ENHANCED_AUTH_H
#define WP_BROKER_ENHANCED_AUTH_H

#include "broker/conn.h"

/* The CONNECT names a method. Lets in, refuses, or asks on. raw: its bytes. */
void auth_begin(struct conn *c, const struct mqtt_packet *connect, struct str raw);

/* An AUTH packet, or before CONNACK any other one. */
void handle_auth(struct conn *c, const struct mqtt_packet *p);

/* What CONNACK says of it. The connection has `authenticates` set. */
void auth_tell(const struct conn *c, struct mqtt_props *out);

/* The same; the connection has gone. */
void auth_conn_gone(struct conn *c);

/* Exchanges with this listener end: their clients are refused when they next say something. */
void auth_listener_gone(struct broker *b, const struct events_listener *l);

#endif
