/*
 * options - every option of the configuration: the tables.
 */
#ifndef WP_CONFIG_OPTIONS_H
#define WP_CONFIG_OPTIONS_H

#include "config/schema.h"

/* Kinds of the root section. */
enum { ROOT_MAIN = 1, ROOT_CONF_D = 2 };

/* Kinds of a bus and of a device on it, and besides: of a device in a conf.d file. */
enum { KIND_RTU = 1, KIND_TCP = 2, DEVICE_CONF_D = 4, KIND_RTU_TCP = 8 };

/* Kinds of a listener. */
enum { LISTENER_TCP = 1, LISTENER_UNIX = 2 };

extern const struct schema_choice value_types[];
extern const struct schema_choice value_orders[];
extern const struct schema_choice value_word_orders[];
extern const struct schema_choice port_parities[];

extern const struct schema_section root_section;   /* struct root_draft */
extern const struct schema_section conf_d_section; /* the same, for a file in conf.d */
extern const struct schema_section clock_section;  /* struct root_draft */
extern const struct schema_section broker_section; /* struct root_draft */
extern const struct schema_section access_section; /* struct entrance_settings: who may come in, and do what */
extern const struct schema_section login_section;  /* struct login_limits */
extern const struct schema_section acl_section;    /* struct acl_draft */
extern const struct schema_section acl_user_section;
extern const struct schema_section acl_group_section; /* both: struct acl_party_draft */
extern const struct schema_section listener_section;
extern const struct schema_section plugin_section;     /* struct plugin_draft */
extern const struct schema_section limit_section;      /* struct broker_settings: what one client may cost, and all */
extern const struct schema_section mqtt_section;       /* struct protocol_settings: keys of broker */
extern const struct schema_section mqtt_limit_section; /* the same: keys of broker.limits */
extern const struct schema_section
    client_limit_section;                       /* struct entrance_settings: the part that each listener may set */
extern const struct schema_section tls_section; /* struct tls_draft */
extern const struct schema_section tls_identity_section; /* struct tls_identity */
extern const struct schema_section about_device_section; /* struct about_device */
extern const struct schema_section about_tag_section;    /* struct about_tag */
extern const struct schema_section parameter_section;    /* one of a template; nothing is kept */
extern const struct schema_section bus_section;
extern const struct schema_section command_section;    /* struct command_settings */
extern const struct schema_section block_section;      /* struct block_draft */
extern const struct schema_section setup_section;      /* struct setup_draft */
extern const struct schema_section planning_section;   /* struct planning */
extern const struct schema_section port_section;       /* struct port_settings */
extern const struct schema_section write_section;      /* struct write_draft */
extern const struct schema_section action_section;     /* struct action_draft */
extern const struct schema_section form_section;       /* struct form_draft */
extern const struct schema_section publishing_section; /* struct publishing */
extern const struct schema_section device_section;
extern const struct schema_section template_section;
extern const struct schema_section tag_section;
extern const struct schema_section health_section; /* struct health_settings */
extern const struct schema_section probe_section;  /* struct probe_settings */
extern const struct schema_section bridge_section;
extern const struct schema_section bridge_topic_section; /* struct bridge_topic_settings */

#endif
