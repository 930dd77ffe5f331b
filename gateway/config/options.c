/* options - the tables of everything but the broker and the buses: see options_broker.c and options_bus.c for those. */
#include "config/options.h"

#include "config/draft.h"

static const struct schema_option gateway_options[] = {
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
    {.name = "clock", .type = OPT_SECTION, .section = &clock_section, .help = "The machine's clock."},
    {.name = "home_assistant_prefix",
     .type = OPT_NAME,
     INTO(struct root_draft, gateway.home_assistant_prefix),
     .preset = "homeassistant",
     .help = "The discovery prefix of Home Assistant, for devices with home_assistant: true."},
    {.name = "write_expiry",
     .type = OPT_DURATION,
     .min = 10,
     .max = (int64_t)60 * MINUTE,
     INTO(struct root_draft, gateway.write_expiry_ms),
     .preset = "3s",
     .help = "A write that has not begun after so long is not carried out, unless its request says otherwise."},
    {.name = "audit_rows",
     .type = OPT_INT,
     .min = 1,
     .max = 100000000,
     INTO(struct root_draft, gateway.audit_rows),
     .preset = "100000",
     .help = "Writes remembered on disk: who wrote what, and what came of it. The oldest go."},
    {.name = "remote_commissioning",
     .type = OPT_BOOL,
     INTO(struct root_draft, gateway.remote_commissioning),
     .preset = "false",
     .help = "Whether whoever the broker lets publish there may scan lines and write to registers by "
             "wp/<id>/request/...; by control.sock they may be in any case."},
    {0},
};
static const struct schema_section gateway_section = {"gateway", gateway_options};

static const struct schema_option web_listen_options[] = {
    {.name = "port",
     .type = OPT_INT,
     .min = 1,
     .max = 65535,
     INTO(struct root_draft, web.port),
     .preset = "8080",
     .help = "TCP port."},
    {.name = "bind",
     .type = OPT_ADDRESS,
     INTO(struct root_draft, web.bind),
     .preset = "127.0.0.1",
     .help = "Address to listen on, as for the broker."},
    {.name = "tls",
     .type = OPT_SECTION,
     .section = &tls_section,
     INTO(struct root_draft, web_tls),
     .help = "With it the port speaks https and wss alone; as for a listener of the broker."},
    {0},
};
static const struct schema_section web_listen_section = {"web.listen", web_listen_options};

static const struct schema_option web_options[] = {
    {.name = "enabled",
     .type = OPT_BOOL,
     INTO(struct root_draft, web.enabled),
     .help = "Whether there is an HTTP port; true as soon as there is a web section."},
    {.name = "listen",
     .type = OPT_SECTION,
     .section = &web_listen_section,
     .help = "Where the page and MQTT over WebSocket (at /mqtt) are served."},
    {.name = "allowed_hosts",
     .type = OPT_TEXTS,
     INTO(struct root_draft, allowed_host_list),
     .help = "Host names browsers may use besides localhost and plain addresses."},
    {0},
};
static const struct schema_section web_section = {"web", web_options};

static const struct schema_choice log_levels[] = {
    {"error", LOG_LEVEL_ERROR},
    {"warning", LOG_LEVEL_WARNING},
    {"info", LOG_LEVEL_INFO},
    {"debug", LOG_LEVEL_DEBUG},
    {0},
};

static const struct schema_option log_options[] = {
    {.name = "level",
     .type = OPT_ENUM,
     .choices = log_levels,
     INTO(struct root_draft, log_level),
     .preset = "info",
     .help = "The least important lines that are logged."},
    {0},
};
static const struct schema_section log_section = {"log", log_options};

/* gateway, broker, web and log write to all of root_draft, so they have no offset of their own. */
static const struct schema_option root_options[] = {
    {.name = "gateway",
     .type = OPT_SECTION,
     .kinds = ROOT_MAIN,
     .where = "in the main file",
     .section = &gateway_section,
     .help = "This gateway."},
    {.name = "broker",
     .type = OPT_SECTION,
     .kinds = ROOT_MAIN,
     .where = "in the main file",
     .section = &broker_section,
     .help = "The MQTT broker inside."},
    {.name = "web",
     .type = OPT_SECTION,
     .kinds = ROOT_MAIN,
     .where = "in the main file",
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
     .where = "in conf.d files; here a device is below its bus",
     .section = &device_section,
     INTO(struct root_draft, device_list),
     .help = "Only in conf.d files: devices added to a bus of another file, which `bus` names."},
    {.name = "bridges",
     .type = OPT_LIST,
     .section = &bridge_section,
     INTO(struct root_draft, bridge_list),
     .help = "Upstream brokers."},
    {.name = "log",
     .type = OPT_SECTION,
     .kinds = ROOT_MAIN,
     .where = "in the main file",
     .section = &log_section,
     .help = "What is logged."},
    {0},
};
const struct schema_section root_section = {"the configuration", root_options};
const struct schema_section conf_d_section = {"a conf.d file", root_options};
