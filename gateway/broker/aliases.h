/*
 * aliases - numbers in place of topics, on one connection and each way (3.3.2.3.4, 3.3.4).
 *
 * From the client: whatever it sets. To the client: topics are given aliases
 * until there are none left; then a topic takes the place of another when it
 * comes for the second time while that has not: so topics that seldom come take
 * none from those that often do. Nothing is held for connections without. Loop thread only.
 */
#ifndef WP_BROKER_ALIASES_H
#define WP_BROKER_ALIASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "mqtt/reason.h"

struct aliases; /* NULL: none yet */

void aliases_free(struct aliases *a); /* Accepts NULL. */

/* The topic an alias stands for, or the topic set for it. most: the highest the client was told of, at every call the
 * same. MQTT_SUCCESS, or why the connection must end. */
enum mqtt_reason aliases_resolve(struct aliases **a, uint8_t most, uint16_t alias, struct str *topic);

/* The client takes aliases up to this one, not 0. Without memory it gets none. */
void aliases_offer(struct aliases **a, uint16_t most);

struct alias_choice {
    uint16_t alias; /* 0: none */
    bool known;     /* to the client: the topic itself need not be sent */
};

/* Which alias the topic is to be sent with. */
struct alias_choice aliases_choose(struct aliases *a, struct str topic);

/* The topic was sent with an alias that the client did not know: now it does. */
void aliases_remember(struct aliases *a, uint16_t alias, struct str topic);

#endif
