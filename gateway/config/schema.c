/* schema - see schema.h. Here: which option a key is; schema_value.c reads its value. */
#include "config/schema.h"

#include <string.h>

#include "config/near.h"
#include "config/schema_value.h"

static bool is_end(const struct schema_option *o)
{
    return !o->name && o->type != OPT_SHARED;
}

static bool has_kind(const struct schema_option *o, unsigned kind)
{
    return o->kinds == 0 || (o->kinds & kind) != 0;
}

/* The row of a key, and the struct it writes into: SHARED rows lead into other tables. */
static const struct schema_option *find_option(const struct schema_section *section, unsigned kind, const char *key,
                                               void **target)
{
    for (const struct schema_option *o = section->options; !is_end(o); o++) {
        void *inner = *target ? (char *)*target + o->offset : NULL;
        const struct schema_option *found;

        if (!has_kind(o, kind))
            continue;
        if (o->type != OPT_SHARED && strcmp(o->name, key) == 0)
            return o;
        if (o->type != OPT_SHARED)
            continue;
        found = find_option(o->section, kind, key, &inner);
        if (found) {
            *target = inner;
            return found;
        }
    }
    return NULL;
}

/* Offers the keys this section may have to `near`, and lists them in `names` unless that is NULL. */
static void list_keys(const struct schema_section *section, unsigned kind, struct near *near, struct buf *names)
{
    for (const struct schema_option *o = section->options; !is_end(o); o++) {
        if (!has_kind(o, kind))
            continue;
        if (o->type == OPT_SHARED) {
            list_keys(o->section, kind, near, names);
            continue;
        }
        near_offer(near, o->name);
        if (names)
            buf_printf(names, "%s%s", buf_len(names) ? ", " : "", o->name);
    }
}

static void refuse_key(struct schema_context *ctx, const struct schema_section *section, unsigned kind,
                       const struct node *n)
{
    const struct schema_option *elsewhere = find_option(section, ~0U, n->key, &(void *){NULL});
    struct near near = near_to(str_of(n->key));
    struct buf names = {0};
    char found[TEXT_SHOWN];

    text_quote(str_of(n->key), found);
    near.shorter = true;
    list_keys(section, kind, &near, &names);
    if (elsewhere)
        report_error(ctx->report, n->key_place, "%s has no key %s here: it belongs %s", section->what, found,
                     elsewhere->where);
    else if (near.best)
        report_error(ctx->report, n->key_place, "%s has no key %s; did you mean '%s'?", section->what, found,
                     near.best);
    else
        report_error(ctx->report, n->key_place, "%s has no key %s; it may have " STR_FMT, section->what, found,
                     STR_ARG(buf_str(&names)));
    buf_fini(&names);
}

static void read_section(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *target)
{
    schema_read(ctx, o->section, 0, n, target);
    schema_require(ctx, o->section, 0, n, NULL);
}

void schema_read(struct schema_context *ctx, const struct schema_section *section, unsigned kind,
                 const struct node *mapping, void *target)
{
    char found[TEXT_SHOWN];

    if (node_is_empty(mapping))
        return;
    if (mapping->kind != NODE_MAPPING) {
        report_error(ctx->report, mapping->place, "%s must be a mapping of keys to values; found %s", section->what,
                     node_describe(mapping, found));
        return;
    }
    for (const struct node *n = mapping->children; n; n = n->next) {
        void *base = target;
        const struct schema_option *o = find_option(section, kind, n->key, &base);

        if (!o)
            refuse_key(ctx, section, kind, n);
        else if (o->type == OPT_SECTION)
            read_section(ctx, o, n, (char *)base + o->offset);
        else
            schema_read_value(ctx, o, n, (char *)base + o->offset);
    }
}

/* Whether a key that does not exist was meant to be this one: then saying that it is missing adds nothing. */
static bool is_misspelt(const struct schema_section *whole, unsigned kind, const struct node *mapping, const char *name)
{
    if (mapping->kind != NODE_MAPPING)
        return false;
    for (const struct node *n = mapping->children; n; n = n->next) {
        struct near near = near_to(str_of(n->key));

        if (find_option(whole, ~0U, n->key, &(void *){NULL}))
            continue;
        near.shorter = true;
        list_keys(whole, kind, &near, NULL);
        if (near.best && strcmp(near.best, name) == 0)
            return true;
    }
    return false;
}

void schema_require(struct schema_context *ctx, const struct schema_section *section, unsigned kind,
                    const struct node *mapping, const struct node *base)
{
    for (const struct schema_option *o = section->options; !is_end(o); o++) {
        if (!o->required || !has_kind(o, kind) || node_get(mapping, o->name) || node_get(base, o->name))
            continue;
        if (!is_misspelt(section, kind, mapping, o->name))
            report_error(ctx->report, mapping->place, "%s needs the key '%s'", section->what, o->name);
    }
}

void schema_preset(struct schema_context *ctx, const struct schema_section *section, unsigned kind, void *target)
{
    for (const struct schema_option *o = section->options; !is_end(o); o++) {
        void *field = (char *)target + o->offset;

        if (!has_kind(o, kind))
            continue;
        if (o->type == OPT_SHARED)
            schema_preset(ctx, o->section, kind, field);
        else if (o->type == OPT_SECTION)
            schema_preset(ctx, o->section, 0, field);
        else if (o->preset && o->size > 0)
            schema_read_value(ctx, o, &(struct node){.quoted = true, .text = str_of(o->preset)}, field);
    }
}
