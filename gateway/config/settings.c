/* settings - from a draft without errors to the settings the stages get. */
#include "config/settings.h"

#include <stdlib.h>
#include <string.h>

#include "access/acl.h"
#include "access/users.h"
#include "config/fingerprint.h"
#include "config/loader.h"

static int64_t stale_after(const struct sampling *s)
{
    int64_t three = 3 * s->poll_ms;

    if (s->stale_after_ms >= 0)
        return s->stale_after_ms;
    return three > 3 * SECOND ? three : 3 * SECOND;
}

static struct tag_settings build_tag(const struct tag_draft *t)
{
    return (struct tag_settings){
        .name = t->name,
        .table = t->expression ? TABLE_HOLDING : (enum modbus_table)t->table,
        .address = t->expression ? 0 : (uint16_t)t->address,
        .type = (enum tag_type)t->type,
        .order = (enum byte_order)t->sampling.order,
        .scale = t->scale,
        .offset = t->offset,
        .form = t->form.checked,
        .unit = t->unit,
        .label = t->about.label,
        .device_class = t->about.class_found,
        .state_class = t->about.state_found,
        .expression = t->expression,
        .inputs = t->inputs,
        .input_count = t->input_count,
        .poll_ms = t->sampling.poll_ms,
        .stale_after_ms = stale_after(&t->sampling),
        .rules = t->publishing.rules,
        .write = t->write_rules,
    };
}

/* Those that are computed behind those that are read. */
static bool build_tags(struct arena *arena, const struct device_draft *from, struct device_settings *to)
{
    struct tag_settings *tags = arena_alloc(arena, from->tag_count * sizeof(*tags));

    if (!tags)
        return false;
    for (size_t i = 0; i < from->tag_count; i++)
        if (!from->tags[i].expression)
            tags[to->tag_count++] = build_tag(&from->tags[i]);
    for (size_t i = 0; i < from->tag_count; i++)
        if (from->tags[i].expression)
            tags[to->tag_count + to->derived_count++] = build_tag(&from->tags[i]);
    to->tags = tags;
    return true;
}

static bool build_actions(struct arena *arena, const struct device_draft *from, struct device_settings *to)
{
    struct action_settings *actions = arena_alloc(arena, from->action_count * sizeof(*actions));

    if (!actions)
        return false;
    for (size_t i = 0; i < from->action_count; i++)
        actions[i] = from->actions[i].checked;
    to->actions = actions;
    to->action_count = from->action_count;
    return true;
}

static bool build_device(struct arena *arena, const struct device_draft *from, struct device_settings *to)
{
    const char *file = from->template_root ? from->template_root->place.file->name : NULL;

    *to = (struct device_settings){
        .name = from->name,
        .template_name = from->template_name,
        .template_file = file ? arena_strdup(arena, str_of(file)) : NULL,
        .label = from->about.label,
        .manufacturer = from->about.manufacturer,
        .model = from->about.model,
        .unit = from->unit < 0 ? 0 : (uint8_t)from->unit,
        .broadcast = from->broadcast,
        .timeout_ms = from->asking.timeout_ms,
        .retries = from->asking.retries,
        .max_count = from->asking.max_count,
        .max_gap = from->asking.max_gap,
        .blocks = from->planning.blocks,
        .block_count = from->planning.block_count,
        .setup = from->planning.setup,
        .setup_count = from->planning.setup_count,
        .min_request_gap_ms = from->asking.min_request_gap_ms,
        .fail_count = from->asking.fail_count,
        .fail_time_ms = from->asking.fail_time_ms,
        .probe = from->asking.probe,
        .publish = from->publishing.form,
        .home_assistant = from->publishing.home_assistant,
    };
    if (file && !to->template_file)
        return false;
    return build_tags(arena, from, to) && build_actions(arena, from, to);
}

static bool build_bus(struct arena *arena, const struct draft *d, const struct bus_draft *from, struct bus_settings *to)
{
    struct device_settings *devices;
    size_t count = 0;

    for (size_t i = 0; i < d->device_count; i++)
        count += d->devices[i].bus == from;
    devices = arena_alloc(arena, count * sizeof(*devices));
    if (!devices)
        return false;
    *to = (struct bus_settings){
        .name = from->name,
        .fingerprint = fingerprint_bus(d, from),
        .type = (enum bus_type)from->type,
        .port = from->port,
        .host = from->host,
        .tcp_port = from->tcp_port,
        .max_outstanding = from->max_outstanding,
        .commands = from->commands,
        .health = from->health,
        .serial = from->serial.checked,
        .devices = devices,
    };
    for (size_t i = 0; i < d->device_count; i++)
        if (d->devices[i].bus == from && !build_device(arena, &d->devices[i], &devices[to->device_count++]))
            return false;
    return true;
}

static bool build_buses(struct settings *s, const struct draft *d)
{
    struct bus_settings *buses = arena_alloc(s->arena, d->bus_count * sizeof(*buses));

    if (!buses)
        return false;
    for (size_t i = 0; i < d->bus_count; i++)
        if (!build_bus(s->arena, d, &d->buses[i], &buses[i]))
            return false;
    s->buses = buses;
    s->bus_count = d->bus_count;
    return true;
}

static bool build_listeners(struct settings *s, const struct draft *d)
{
    struct listener_settings *listeners = arena_alloc(s->arena, d->listener_count * sizeof(*listeners));

    if (!listeners)
        return false;
    for (size_t i = 0; i < d->listener_count; i++)
        listeners[i] = d->listeners[i].settings;
    s->broker.listeners = listeners;
    s->broker.listener_count = d->listener_count;
    return true;
}

static bool build_bridges(struct settings *s, const struct draft *d)
{
    struct bridge_settings *bridges = arena_alloc(s->arena, d->bridge_count * sizeof(*bridges));

    if (!bridges)
        return false;
    for (size_t i = 0; i < d->bridge_count; i++) {
        bridges[i] = d->bridges[i].settings;
        bridges[i].fingerprint = fingerprint_bridge(&d->bridges[i]);
    }
    s->bridges = bridges;
    s->bridge_count = d->bridge_count;
    return true;
}

/* "broker.limits"; a section without keys as "web". */
static const char *part_key(struct arena *arena, const struct node *section, const struct node *key)
{
    struct buf text = {0};
    const char *copy;

    buf_printf(&text, "%s%s%s", section->key, key ? "." : "", key ? key->key : "");
    copy = buf_failed(&text) ? NULL : arena_strdup(arena, buf_str(&text));
    buf_fini(&text);
    return copy;
}

static bool has_fingerprints(const struct node *list)
{
    return strcmp(list->key, "buses") == 0 || strcmp(list->key, "bridges") == 0;
}

static size_t add_file(struct settings_part *parts, size_t count, const char *path, uint64_t fingerprint)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(parts[i].key, path) == 0)
            return count;
    parts[count] = (struct settings_part){.key = path, .fingerprint = fingerprint};
    return count + 1;
}

/* What is in a file of users or rules, or of certificates, counts as what is written. */
static size_t add_files(struct settings_part *parts, size_t count, const struct entrance_settings *e,
                        const struct tls_server_settings *tls)
{
    for (size_t i = 0; tls && i < tls->file_count; i++)
        count = add_file(parts, count, tls->files[i].path, tls->files[i].fingerprint);
    if (e->users)
        count = add_file(parts, count, e->users_file, e->users->fingerprint);
    if (e->acl)
        count = add_file(parts, count, e->acl_file, e->acl->fingerprint);
    return count;
}

static bool build_parts(struct settings *s, const struct draft *d)
{
    const struct node *root = d->roots[0].node;
    struct settings_part *parts;
    size_t room = 2 * (1 + d->listener_count);

    for (size_t i = 0; i < d->listener_count; i++)
        room += d->listeners[i].settings.tls ? d->listeners[i].settings.tls->file_count : 0;
    for (const struct node *n = node_first(root); n; n = n->next)
        room += 1 + n->count;
    s->parts = parts = arena_alloc(s->arena, room * sizeof(*parts));
    if (!parts)
        return false;
    for (const struct node *n = node_first(root); n; n = n->next) {
        const struct node *key = n->kind == NODE_MAPPING ? n->children : NULL;

        if (has_fingerprints(n))
            continue;
        do {
            struct settings_part *part = &parts[s->part_count++];

            part->key = part_key(s->arena, n, key);
            part->fingerprint = fingerprint_node(key ? key : n);
            if (!part->key)
                return false;
            key = key ? key->next : NULL;
        } while (key);
    }
    s->part_count = add_files(parts, s->part_count, &d->roots[0].broker.entrance, NULL);
    for (size_t i = 0; i < d->listener_count; i++)
        s->part_count =
            add_files(parts, s->part_count, &d->listeners[i].settings.entrance, d->listeners[i].settings.tls);
    return true;
}

const struct settings_part *settings_find_part(const struct settings *s, const char *key)
{
    for (size_t i = 0; i < s->part_count; i++)
        if (strcmp(s->parts[i].key, key) == 0)
            return &s->parts[i];
    return NULL;
}

struct settings *settings_build(struct arena *arena, const char *path, const struct draft *d)
{
    const struct root_draft *root = &d->roots[0];
    struct settings *s = arena_alloc(arena, sizeof(*s));

    if (!s)
        return NULL;
    s->arena = arena;
    s->refs = 1;
    s->gateway = root->gateway;
    s->broker = root->broker;
    s->web = root->web;
    s->web.allowed_hosts = d->allowed_hosts;
    s->web.allowed_host_count = d->allowed_host_count;
    s->log_level = (enum log_level)root->log_level;
    s->path = arena_strdup(arena, str_of(path));
    if (!s->path || !build_parts(s, d))
        return NULL;
    return build_listeners(s, d) && build_buses(s, d) && build_bridges(s, d) ? s : NULL;
}

struct settings *settings_ref(struct settings *s)
{
    s->refs++;
    return s;
}

void settings_free(struct settings *s)
{
    if (s && --s->refs == 0)
        arena_free(s->arena);
}
