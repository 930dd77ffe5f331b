/*
 * draft - a configuration while it is being read: what the schema fills, with the node each part came from, before the
 * rules have passed it and it becomes settings. Lives in the loader's arena.
 *
 * -1 in a number means "not given, or wrong and reported": rules skip it.
 */
#ifndef WP_CONFIG_DRAFT_H
#define WP_CONFIG_DRAFT_H

#include <stddef.h>

#include "config/draft_about.h"
#include "config/draft_form.h"
#include "config/draft_net.h"
#include "config/draft_plan.h"
#include "config/draft_serial.h"
#include "config/draft_write.h"
#include "config/inherited.h"
#include "config/settings.h"
#include "config/tree.h"

struct tag_draft {
    const struct node *node; /* in the device, or else in the template */
    const struct node *base; /* the template's tag which `node` changes; NULL if none */
    const char *name;
    int table;
    int32_t address;
    int type;
    double scale;
    double offset;
    struct form_draft form;
    struct text_draft text;
    bool is_field; /* of its frame, and the address is an offset */
    const char *unit;
    struct about_tag about;
    const char *expression; /* NULL: it is read */
    const uint32_t *inputs; /* of the expression: places in the settings' tags */
    size_t input_count;
    struct sampling sampling;
    struct publishing publishing;
    bool broadcast; /* of unit 0 on a serial line */
    const struct node *write;
    struct write_rules write_rules;
};

struct device_draft {
    const struct node *node;
    const struct bus_draft *bus; /* NULL when it is on no known bus */
    const char *bus_name;        /* in conf.d: the bus it is added to */
    const char *name;
    const char *template_name;
    const struct node *parameters;    /* for the template */
    const struct node *template_root; /* what it says; NULL: none */
    int32_t unit;
    struct about_device about;
    bool broadcast; /* unit 0 of a serial line */
    struct asking asking;
    struct planning planning;
    struct sampling sampling;
    struct publishing publishing;
    const struct node *tag_list;
    struct tag_draft *tags;
    size_t tag_count;
    const struct node *action_list;
    struct action_draft *actions;
    size_t action_count;
};

struct bus_draft {
    const struct node *node;
    bool broken; /* errors in its own keys: rules about ports skip it */
    const char *name;
    int type;
    struct port_settings port;
    const char *host;
    uint16_t tcp_port;
    int32_t max_outstanding;
    struct command_settings commands;
    struct health_settings health;
    struct asking asking;
    struct sampling sampling;
    struct publishing publishing;
    struct serial_draft serial;
    const struct node *device_list;
};

/* A template: options and tags for any device of a family. What else it says of itself is checked, not kept. */
struct template_draft {
    struct about_device about;
    struct asking asking;
    struct planning planning;
    struct sampling sampling;
    struct publishing publishing;
    const struct node *tag_list;
    const struct node *action_list;
};

/* One file. conf.d files only have the lists. */
struct root_draft {
    const struct node *node;
    struct gateway_settings gateway;
    struct broker_settings broker;
    struct web_settings web;
    struct tls_draft web_tls;
    int log_level;
    const struct node *listener_list;
    const struct node *allowed_host_list;
    const struct node *plugin_list;
    const struct node *bus_list;
    const struct node *device_list;
    const struct node *bridge_list;
};

/* The whole configuration, of all files. */
struct draft {
    struct root_draft *roots; /* the main file, then conf.d */
    size_t root_count;
    struct listener_draft *listeners;
    size_t listener_count;
    const char *const *allowed_hosts; /* in the settings' arena */
    size_t allowed_host_count;
    struct bus_draft *buses;
    size_t bus_count;
    struct device_draft *devices;
    size_t device_count;
    struct bridge_draft *bridges;
    size_t bridge_count;
};

#endif
