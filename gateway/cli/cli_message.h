/*
 * cli_message - how `wirepost sub` and `rpc` show a message.
 */
#ifndef WP_CLI_MESSAGE_H
#define WP_CLI_MESSAGE_H

#include "cli/cli_mqtt_options.h"
#include "mqtt/packet.h"

/* Appends it as the options say: the payload and a line feed, or more. now_ms: when it came, since 1970. */
void message_show(struct buf *out, const struct mqtt_options *o, const struct mqtt_packet *publish, int64_t now_ms);

#endif
