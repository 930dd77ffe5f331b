/*
 * entrance - where a client came in, and so what holds for it.
 *
 *   listener --owns--> entrance <--points to-- conn
 *
 * Each listener has one, and the broker one for what is not a listener's, such
 * as the web port. Its settings change in place when the configuration is read
 * again, but for the mount; an entrance that goes takes its connections with it. Loop thread only.
 */
#ifndef WP_BROKER_ENTRANCE_H
#define WP_BROKER_ENTRANCE_H

#include <stdint.h>

struct broker;
struct entrance_settings;

struct entrance {
    const struct entrance_settings *settings; /* borrowed; of the configuration in force */
    uint32_t connections;                     /* that came in there and are still open */
};

/* Closes the connections that came in there, MQTT 5 clients with reason 0x98. Not while routing. */
void entrance_close(struct broker *b, const struct entrance *e);

#endif
