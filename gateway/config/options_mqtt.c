/* options_mqtt - what the broker leaves out of MQTT, or does in one of the ways that the standard leaves open. */
#include "broker/broker_settings.h"
#include "config/options.h"

/* Stored so that zero withholds nothing. */
static const struct schema_choice maximum_qos[] = {{"0", 2}, {"1", 1}, {"2", 0}, {0}};
static const struct schema_choice allowed[] = {{"true", 0}, {"false", 1}, {0}};

static const struct schema_option mqtt_limit_options[] = {
    {.name = "maximum_qos",
     .type = OPT_ENUM,
     .choices = maximum_qos,
     INTO(struct protocol_settings, qos_withheld),
     .preset = "2",
     .help = "Highest QoS that clients may publish with and are sent."},
    {.name = "retain_available",
     .type = OPT_ENUM,
     .choices = allowed,
     INTO(struct protocol_settings, retains_nothing),
     .preset = "true",
     .help = "Whether clients may publish retained messages."},
    {.name = "topic_alias_maximum",
     .type = OPT_INT,
     .min = 0,
     .max = 255,
     INTO(struct protocol_settings, topic_alias_maximum),
     .preset = "10",
     .help = "Topic aliases that a client may set on its connection."},
    {0},
};
const struct schema_section mqtt_limit_section = {"limits", mqtt_limit_options};

static const struct schema_option redirect_options[] = {
    {.name = "to",
     .type = OPT_STRING,
     .required = true,
     .min = 1,
     .max = 1000,
     INTO(struct protocol_settings, redirect_to),
     .help = "The other server, as clients understand it: host:port. Several are separated by blanks."},
    {.name = "permanent",
     .type = OPT_BOOL,
     INTO(struct protocol_settings, redirect_for_good),
     .preset = "false",
     .help = "Whether they are to go there from now on (0x9D), and not only this time (0x9C)."},
    {0},
};
static const struct schema_section redirect_section = {"redirect", redirect_options};

static const struct schema_option mqtt_options[] = {
    {.name = "allow_zero_length_client_id",
     .type = OPT_ENUM,
     .choices = allowed,
     INTO(struct protocol_settings, refuses_empty_ids),
     .preset = "true",
     .help = "Whether a client may leave its id empty and is given one."},
    {.name = "client_id_prefix",
     .type = OPT_STRING,
     .min = 0,
     .max = 40,
     INTO(struct protocol_settings, client_id_prefix),
     .preset = "auto-",
     .help = "What the ids that are given begin with."},
    {.name = "queue_qos0_messages",
     .type = OPT_BOOL,
     INTO(struct protocol_settings, queue_qos0),
     .preset = "false",
     .help = "Whether messages of QoS 0 are kept, too, for a client that is away and has a session."},
    {.name = "check_payload_format",
     .type = OPT_BOOL,
     INTO(struct protocol_settings, check_payload_format),
     .preset = "false",
     .help = "Refuse messages that MQTT 5 clients call text (payload format 1) and that are no UTF-8."},
    {.name = "response_information",
     .type = OPT_STRING,
     .min = 0,
     .max = 1000,
     INTO(struct protocol_settings, response_information),
     .help = "Told to MQTT 5 clients that ask for it: usually the beginning of their response topics. %c is the "
             "client's id."},
    {.name = "redirect",
     .type = OPT_SECTION,
     .section = &redirect_section,
     .help = "With it all clients are sent to another server."},
    {0},
};
const struct schema_section mqtt_section = {"broker", mqtt_options};
