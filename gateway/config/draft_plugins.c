/* draft_plugins - the broker's plugins, and their options as texts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/loader.h"
#include "config/options.h"
#include "core/json.h"
#include "include/wirepost/plugin.h"

/* RFC 8259, 6. */
static bool is_json_number(const char *at)
{
    at += *at == '-';
    if (*at == '0')
        at++;
    else if (*at >= '1' && *at <= '9')
        at += strspn(at, "0123456789");
    else
        return false;
    if (*at == '.') {
        size_t digits = strspn(at + 1, "0123456789");

        if (digits == 0)
            return false;
        at += 1 + digits;
    }
    if (*at == 'e' || *at == 'E') {
        size_t digits;

        at++;
        at += *at == '-' || *at == '+';
        digits = strspn(at, "0123456789");
        if (digits == 0)
            return false;
        at += digits;
    }
    return *at == '\0';
}

/* What is not in quotes and looks like a value of JSON is one. */
static void scalar_to_json(struct json *j, const struct node *n)
{
    const char *text = n->text.data;

    if (n->quoted)
        json_str(j, n->text);
    else if (n->text.len == 0 || strcmp(text, "null") == 0)
        json_null(j);
    else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0 || is_json_number(text))
        json_raw(j, text);
    else
        json_str(j, n->text);
}

/* As deep as the tree is: TREE_MAX_DEPTH. */
static void node_to_json(struct json *j, const struct node *n)
{
    switch (n->kind) {
    case NODE_SCALAR:
        scalar_to_json(j, n);
        break;
    case NODE_LIST:
        json_array_begin(j);
        for (const struct node *item = n->children; item; item = item->next)
            node_to_json(j, item);
        json_array_end(j);
        break;
    case NODE_MAPPING:
        json_object_begin(j);
        for (const struct node *item = n->children; item; item = item->next) {
            json_key(j, item->key);
            node_to_json(j, item);
        }
        json_object_end(j);
        break;
    }
}

static const char *value_of(struct loader *ld, const struct node *n)
{
    struct buf text = {0};
    struct json j = json_to(&text);
    const char *copy;

    if (n->kind == NODE_SCALAR)
        buf_append(&text, n->text.data, n->text.len);
    else
        node_to_json(&j, n);
    copy = buf_failed(&text) ? NULL : arena_strdup(ld->ctx.arena, buf_str(&text));
    if (!copy)
        ld->ctx.failed = true;
    buf_fini(&text);
    return copy;
}

static void read_plugin_options(struct loader *ld, const struct node *map, struct plugin_settings *s)
{
    struct wirepost_option *options = arena_alloc(ld->ctx.arena, node_count(map) * sizeof(*options));

    if (!options) {
        ld->ctx.failed = true;
        return;
    }
    for (const struct node *n = node_first(map); n; n = n->next) {
        struct wirepost_option *o = &options[s->option_count++];

        o->key = arena_strdup(ld->ctx.arena, str_of(n->key));
        o->value = value_of(ld, n);
        if (!o->key)
            ld->ctx.failed = true;
    }
    s->options = options;
}

static void read_plugin(struct loader *ld, const struct node *n, struct plugin_settings *ret_settings)
{
    struct plugin_draft draft = {0};

    schema_read(&ld->ctx, &plugin_section, 0, n, &draft);
    schema_require(&ld->ctx, &plugin_section, 0, n, NULL);
    if (draft.path && access(draft.path, R_OK) < 0)
        report_error(&ld->report, key_place(n, NULL, "path"), "the plugin %s cannot be read (%s)",
                     node_get(n, "path")->text.data, strerror(errno));
    ret_settings->path = draft.path;
    read_plugin_options(ld, draft.options, ret_settings);
}

/* "- a.so" is short for "- {path: a.so}". */
static struct node mapping_of(struct node *path)
{
    path->key = "path";
    path->key_place = path->place;
    path->next = NULL;
    return (struct node){.kind = NODE_MAPPING, .place = path->place, .children = path, .count = 1};
}

void draft_plugins(struct loader *ld, struct draft *d)
{
    const struct node *list = d->roots[0].plugin_list;
    struct plugin_settings *plugins = arena_alloc(ld->ctx.arena, node_count(list) * sizeof(*plugins));
    struct broker_settings *broker = &d->roots[0].broker;

    if (!plugins) {
        ld->ctx.failed = true;
        return;
    }
    broker->plugins = plugins;
    for (const struct node *n = node_first(list); n; n = n->next) {
        struct node path = *n;
        struct node mapping = mapping_of(&path);
        const struct node *item = n->kind == NODE_SCALAR && n->text.len > 0 ? &mapping : n;

        if (item_is_mapping(ld, &plugin_section, item))
            read_plugin(ld, item, &plugins[broker->plugin_count++]);
    }
}
