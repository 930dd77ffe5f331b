/* gateway_changes - see gateway_changes.h. */
#include "gateway_changes.h"

#include <stdlib.h>
#include <string.h>

#include "config/settings.h"
#include "core/buf.h"
#include "core/log.h"

/* Keys, and whole sections, that a reload applies, or refuses before anybody asks here. */
static const char *const applied[] = {
    "gateway.id",       "gateway.data_dir",       "gateway.clock",       "gateway.remote_commissioning",
    "broker.listeners", "broker.allow_anonymous", "broker.limits",       "broker.users",
    "broker.acl",       "broker.logins",          "broker.sys_interval", "web",
    "log.level",
};

/* Files of users, rules, certificates. */
static bool is_file(const char *key)
{
    return key[0] == '/';
}

static bool is_applied(const char *key)
{
    if (is_file(key))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(applied); i++) {
        size_t len = strlen(applied[i]);

        if (strncmp(key, applied[i], len) == 0 && (key[len] == '\0' || key[len] == '.'))
            return true;
    }
    return false;
}

/* Keys of sections; buses or bridges by their names. */
struct parts {
    struct settings_part *items;
    size_t count;
};

enum comparison { MISSING, DIFFERENT, EQUAL };

static enum comparison compare(const struct settings_part *part, const struct parts *others)
{
    for (size_t i = 0; i < others->count; i++)
        if (strcmp(others->items[i].key, part->key) == 0)
            return others->items[i].fingerprint == part->fingerprint ? EQUAL : DIFFERENT;
    return MISSING;
}

/* Or of files. */
static struct parts parts_of_keys(const struct settings *s, bool files)
{
    struct parts parts = {.items = calloc(s->part_count + 1, sizeof(parts.items[0]))};

    for (size_t i = 0; parts.items && i < s->part_count; i++)
        if (is_file(s->parts[i].key) == files)
            parts.items[parts.count++] = s->parts[i];
    return parts;
}

static struct parts parts_of_buses(const struct settings *s)
{
    struct parts parts = {.items = calloc(s->bus_count + 1, sizeof(parts.items[0]))};

    for (size_t i = 0; parts.items && i < s->bus_count; i++)
        parts.items[parts.count++] =
            (struct settings_part){.key = s->buses[i].name, .fingerprint = s->buses[i].fingerprint};
    return parts;
}

static struct parts parts_of_bridges(const struct settings *s)
{
    struct parts parts = {.items = calloc(s->bridge_count + 1, sizeof(parts.items[0]))};

    for (size_t i = 0; parts.items && i < s->bridge_count; i++)
        parts.items[parts.count++] =
            (struct settings_part){.key = s->bridges[i].name, .fingerprint = s->bridges[i].fingerprint};
    return parts;
}

/* Appends "2 buses added (a, b)": those of `of` that compare so with the others. */
static void print_those(struct buf *out, const char *const noun[2], const char *done, const struct parts *of,
                        const struct parts *others, enum comparison which)
{
    struct buf names = {0};
    size_t count = 0;

    for (size_t i = 0; i < of->count; i++)
        if (compare(&of->items[i], others) == which)
            buf_printf(&names, "%s%s", count++ > 0 ? ", " : "", of->items[i].key);
    if (count > 0)
        buf_printf(out, "%s%zu %s %s (" STR_FMT ")", buf_len(out) > 0 ? ", " : "", count, noun[count > 1], done,
                   STR_ARG(buf_str(&names)));
    buf_fini(&names);
}

static size_t count_equal(const struct parts *of, const struct parts *others)
{
    size_t count = 0;

    for (size_t i = 0; i < of->count; i++)
        count += compare(&of->items[i], others) == EQUAL;
    return count;
}

/* Frees both. */
static void print_stages(struct buf *out, const char *const noun[2], struct parts before, struct parts now)
{
    size_t equal = count_equal(&now, &before);

    print_those(out, noun, "restarted", &now, &before, DIFFERENT);
    print_those(out, noun, "added", &now, &before, MISSING);
    print_those(out, noun, "removed", &before, &now, MISSING);
    if (equal > 0)
        buf_printf(out, "%s%zu %s unchanged", buf_len(out) > 0 ? ", " : "", equal, noun[equal > 1]);
    free(before.items);
    free(now.items);
}

/* Frees both. */
static void print_keys(struct buf *out, const char *const noun[2], struct parts before, struct parts now)
{
    print_those(out, noun, "changed", &now, &before, DIFFERENT);
    print_those(out, noun, "added", &now, &before, MISSING);
    print_those(out, noun, "removed", &before, &now, MISSING);
    free(before.items);
    free(now.items);
}

void changes_print(const struct settings *before, const struct settings *now, struct buf *out)
{
    static const char *const bus[] = {"bus", "buses"};
    static const char *const bridge[] = {"bridge", "bridges"};
    static const char *const key[] = {"key", "keys"};
    static const char *const file[] = {"file", "files"};

    print_stages(out, bus, parts_of_buses(before), parts_of_buses(now));
    print_stages(out, bridge, parts_of_bridges(before), parts_of_bridges(now));
    print_keys(out, key, parts_of_keys(before, false), parts_of_keys(now, false));
    print_keys(out, file, parts_of_keys(before, true), parts_of_keys(now, true));
    if (buf_len(out) == 0)
        buf_put_text(out, "nothing has changed");
}

/* Keys that only `a` has, or, when `differing`, that both have with different values. */
static void warn(const struct settings *a, const struct settings *b, bool differing)
{
    for (size_t i = 0; i < a->part_count; i++) {
        const struct settings_part *mine = &a->parts[i];
        const struct settings_part *theirs = settings_find_part(b, mine->key);
        bool wanted = differing ? theirs && theirs->fingerprint != mine->fingerprint : !theirs;

        if (wanted && !is_applied(mine->key))
            log_warning("reload: %s is not what it was, which has no effect before a restart", mine->key);
    }
}

void changes_warn(const struct settings *before, const struct settings *now)
{
    warn(now, before, true);
    warn(now, before, false);
    warn(before, now, false);
}
