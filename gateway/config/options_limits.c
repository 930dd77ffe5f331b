/*
 * options_limits - what clients may cost: one of them, those of one address, and all.
 *
 * The defaults suit a machine with 512 MiB and little else to do: what clients can fill stays below half of it.
 */
#include "broker/broker_settings.h"
#include "config/options.h"
#include "config/text.h"

static const struct schema_choice full_policies[] = {
    {"drop-oldest", ON_FULL_DROP_OLDEST},
    {"drop-newest", ON_FULL_DROP_NEWEST},
    {"disconnect", ON_FULL_DISCONNECT},
    {0},
};

static const struct schema_option client_limit_options[] = {
    {.name = "packet_bytes",
     .type = OPT_SIZE,
     .min = 1024,
     .max = 256 * MIB,
     INTO(struct broker_limits, packet_bytes),
     .preset = "1MiB",
     .help = "Largest packet taken from a client."},
    {.name = "connections",
     .type = OPT_INT,
     .min = 0,
     .max = 1000000,
     INTO(struct broker_limits, connections),
     .preset = "10000",
     .help = "Clients connected at once; 0 for no limit."},
    {.name = "inflight",
     .type = OPT_INT,
     .min = 1,
     .max = 65535,
     INTO(struct broker_limits, inflight),
     .preset = "1000",
     .help = "Unacknowledged QoS 1 and 2 messages, each way and client."},
    {.name = "inflight_bytes",
     .type = OPT_SIZE,
     .min = 0,
     .max = 64 * GIB,
     INTO(struct broker_limits, inflight_bytes),
     .preset = "16MiB",
     .help = "Bytes of those sent to one client; what is beyond waits in its queue. One message always goes. 0 for no "
             "limit."},
    {.name = "queued_messages",
     .type = OPT_INT,
     .min = 0,
     .max = 100000000,
     INTO(struct broker_limits, queued_messages),
     .preset = "100000",
     .help = "Messages kept for one client that is away or slow; 0 for no limit."},
    {.name = "queued_bytes",
     .type = OPT_SIZE,
     .min = 0,
     .max = 64 * GIB,
     INTO(struct broker_limits, queued_bytes),
     .preset = "64MiB",
     .help = "Their bytes, and the bytes waiting to be sent on one connection; 0 for no limit."},
    {.name = "on_full",
     .type = OPT_ENUM,
     .choices = full_policies,
     INTO(struct broker_limits, on_full),
     .preset = "drop-oldest",
     .help = "What becomes of a message for a client whose queue is full: the oldest one goes for it, or it goes "
             "itself, or the client is disconnected (if it is away, the oldest one goes). QoS 0 does not queue: what a "
             "connection that is not read from cannot hold is dropped, or the client is disconnected."},
    {.name = "session_expiry",
     .type = OPT_DURATION,
     .min = 0,
     .max = (int64_t)DAY * 3650,
     .unit = SECOND,
     INTO(struct broker_limits, session_expiry_s),
     .preset = "30d",
     .help = "Longest time a client's session is kept after it has gone."},
    {.name = "keepalive_max",
     .type = OPT_DURATION,
     .min = SECOND,
     .max = 65535 * SECOND,
     .unit = SECOND,
     INTO(struct broker_limits, keepalive_max_s),
     .preset = "65535s",
     .help = "Longest keep-alive an MQTT 5 client is granted."},
    {0},
};
const struct schema_section client_limit_section = {"limits", client_limit_options};

static const struct schema_option limit_options[] = {
    {.type = OPT_SHARED, .section = &client_limit_section, INTO(struct broker_settings, entrance.limits)},
    {.name = "message_bytes",
     .type = OPT_SIZE,
     .min = 0,
     .max = 1024 * GIB,
     INTO(struct broker_settings, totals.message_bytes),
     .preset = "128MiB",
     .help = "Memory for all messages together: queued, unacknowledged, retained, half received, not yet sent. No "
             "client may have more than is left for the others: one hog gets half, two get a third each. 0 for no "
             "limit."},
    {0},
};
const struct schema_section limit_section = {"limits", limit_options};
