/*
 * subscribing - one filter that a client subscribes to or leaves, by a packet of its own or on its behalf: past those
 * who listen, to the subscription, to the retained messages that it is owed. Loop thread only.
 */
#ifndef WP_BROKER_SUBSCRIBING_H
#define WP_BROKER_SUBSCRIBING_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/router.h"
#include "core/str.h"

struct session;

/* 3.8.3.1 */
enum retain_handling { RETAIN_SEND, RETAIN_SEND_IF_NEW, RETAIN_DO_NOT_SEND };

struct subscribing {
    struct str filter; /* valid */
    struct subscription_options options;
    uint8_t retain_handling;
    bool by_client;
};

/* The code for SUBACK or UNSUBACK. *ret_close: the connection is to be closed with this reason; else 0. The retained
 * messages of a client that is here follow with catch_up_begin(). */
uint8_t subscribing_add(struct session *s, const struct subscribing *what, uint8_t *ret_close);
uint8_t subscribing_remove(struct session *s, const struct subscribing *what, uint8_t *ret_close);

#endif
