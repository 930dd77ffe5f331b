/* options - the tables of everything but buses; see options_bus.c for those. */
#include "config/options.h"

#include "config/draft.h"

static const struct option gateway_options[] = {
    {.name = "id",
     .type = OPT_NAME,
     INTO(struct root_draft, gateway.id),
     .help = "Name of this gateway: its topics begin with wp/<id>. Needed as soon as there are buses; without it this "
             "is a plain broker."},
    {.name = "data_dir",
     .type = OPT_PATH,
     INTO(struct root_draft, gateway.data_dir),
     .preset = "/var/lib/wirepost",
     .help = "Where the outbox and all else that survives a restart is kept."},
    {.name = "inbox_readings",
     .type = OPT_INT,
     .min = 16,
     .max = 1000000,
     INTO(struct root_draft, gateway.inbox_readings),
     .preset = "10000",
     .help = "Readings that may wait between the buses and the broker; when there are more, the oldest are dropped and "
             "counted."},
    {0},
};
static const struct section gateway_section = {"gateway", gateway_options};

static const struct option limit_options[] = {
    {.name = "packet_bytes",
     .type = OPT_SIZE,
     .min = 1024,
     .max = 256 * MIB,
     INTO(struct broker_limits, packet_bytes),
     .preset = "1MiB",
     .help = "Largest packet taken from or sent to a client."},
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
static const struct section limit_section = {"limits", limit_options};

static const struct option listener_options[] = {
    {.name = "port",
     .type = OPT_INT,
     .min = 1,
     .max = 65535,
     INTO(struct listener_draft, settings.port),
     .preset = "1883",
     .help = "TCP port."},
    {.name = "bind",
     .type = OPT_ADDRESS,
     INTO(struct listener_draft, settings.bind),
     .preset = "127.0.0.1",
     .help = "Address to listen on: 127.0.0.1 for this machine alone, 0.0.0.0 or :: for everyone."},
    {0},
};
const struct section listener_section = {"a listener", listener_options};

static const struct option broker_options[] = {
    {.name = "listeners",
     .type = OPT_LIST,
     .section = &listener_section,
     INTO(struct root_draft, listener_list),
     .preset = NULL,
     .help = "Where clients connect; one listener with its defaults when this is not given."},
    {.name = "allow_anonymous",
     .type = OPT_BOOL,
     INTO(struct root_draft, broker.allow_anonymous),
     .preset = "false",
     .help = "Serve clients without a user name from other machines too. From this machine they are always served."},
    {.name = "limits",
     .type = OPT_SECTION,
     .section = &limit_section,
     INTO(struct root_draft, broker.limits),
     .help = "What one client may cost."},
    {.name = "sys_interval",
     .type = OPT_DURATION,
     .min = 0,
     .max = HOUR,
     INTO(struct root_draft, broker.sys_interval_ms),
     .preset = "10s",
     .help = "Time between updates of the $SYS topics; 0 for none of them."},
    {0},
};
static const struct section broker_section = {"broker", broker_options};

static const struct option web_listen_options[] = {
    {.name = "port",
     .type = OPT_INT,
     .min = 1,
     .max = 65535,
     INTO(struct web_settings, port),
     .preset = "8080",
     .help = "TCP port."},
    {.name = "bind",
     .type = OPT_ADDRESS,
     INTO(struct web_settings, bind),
     .preset = "127.0.0.1",
     .help = "Address to listen on, as for the broker."},
    {0},
};
static const struct section web_listen_section = {"web.listen", web_listen_options};

static const struct option web_options[] = {
    {.name = "enabled",
     .type = OPT_BOOL,
     INTO(struct root_draft, web.enabled),
     .help = "Whether there is an HTTP port; true as soon as there is a web section."},
    {.name = "listen",
     .type = OPT_SECTION,
     .section = &web_listen_section,
     INTO(struct root_draft, web),
     .help = "Where the page and MQTT over WebSocket (at /mqtt) are served."},
    {.name = "allowed_hosts",
     .type = OPT_TEXTS,
     INTO(struct root_draft, allowed_host_list),
     .help = "Host names browsers may use besides localhost and plain addresses."},
    {0},
};
static const struct section web_section = {"web", web_options};

static const struct choice log_levels[] = {
    {"error", LOG_LEVEL_ERROR},
    {"warning", LOG_LEVEL_WARNING},
    {"info", LOG_LEVEL_INFO},
    {"debug", LOG_LEVEL_DEBUG},
    {0},
};

static const struct option log_options[] = {
    {.name = "level",
     .type = OPT_ENUM,
     .choices = log_levels,
     INTO(struct root_draft, log_level),
     .preset = "info",
     .help = "The least important lines that are logged."},
    {0},
};
static const struct section log_section = {"log", log_options};

/* gateway, broker and log write to all of root_draft, so they have no offset of their own. */
static const struct option root_options[] = {
    {.name = "gateway", .type = OPT_SECTION, .kinds = ROOT_MAIN, .section = &gateway_section, .help = "This gateway."},
    {.name = "broker",
     .type = OPT_SECTION,
     .kinds = ROOT_MAIN,
     .section = &broker_section,
     .help = "The MQTT broker inside."},
    {.name = "web",
     .type = OPT_SECTION,
     .kinds = ROOT_MAIN,
     .section = &web_section,
     .help = "The HTTP port. Without this section there is none."},
    {.name = "buses",
     .type = OPT_LIST,
     .section = &bus_section,
     INTO(struct root_draft, bus_list),
     .help = "Serial lines and Modbus TCP endpoints, each with its devices."},
    {.name = "devices",
     .type = OPT_LIST,
     .kinds = ROOT_CONF_D,
     .section = &device_section,
     INTO(struct root_draft, device_list),
     .help = "Devices added to a bus of another file, which `bus` names."},
    {.name = "bridges",
     .type = OPT_LIST,
     .section = &bridge_section,
     INTO(struct root_draft, bridge_list),
     .help = "Upstream brokers."},
    {.name = "log", .type = OPT_SECTION, .kinds = ROOT_MAIN, .section = &log_section, .help = "What is logged."},
    {0},
};
const struct section root_section = {"the configuration", root_options};
const struct section conf_d_section = {"a conf.d file", root_options};
