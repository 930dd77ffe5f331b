/* schema_value - see schema_value.h. One function per option type, and what each says of a wrong value. Lists and
 * mappings have no text: what refuses "" refuses them. */
#include "config/schema_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus_settings.h"
#include "config/bytes.h"
#include "config/near.h"

/* "'poll' must be a duration, found 'x'" and more after it. */
static void refuse(struct schema_context *ctx, const struct schema_option *o, const struct node *n,
                   const char *expected, const char *more)
{
    char found[TEXT_SHOWN];

    report_error(ctx->report, n->place, "'%s' must be %s; found %s%s", o->name, expected, node_describe(n, found),
                 more);
}

static void store_int(const struct schema_option *o, void *field, int64_t v)
{
    switch (o->size) {
    case 0:
        return; /* nobody asks for it */
    case 1:
        *(uint8_t *)field = (uint8_t)v;
        return;
    case 2:
        *(uint16_t *)field = (uint16_t)v;
        return;
    case 4:
        *(uint32_t *)field = (uint32_t)v;
        return;
    default:
        *(uint64_t *)field = (uint64_t)v;
        return;
    }
}

static void store_text(struct schema_context *ctx, const struct schema_option *o, void *field, struct str text)
{
    char *copy;

    if (o->size == 0)
        return;
    copy = arena_strdup(ctx->arena, text);
    if (!copy)
        ctx->failed = true;
    else
        *(const char **)field = copy;
}

static void read_bool(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    bool yes = str_equal(n->text, str_of("true"));

    if (!yes && !str_equal(n->text, str_of("false")))
        refuse(ctx, o, n, "true or false", "");
    else
        *(bool *)field = yes;
}

static void read_int(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    char expected[96];
    int64_t v;
    int r = text_read_int(n->text, &v);

    if (r == 0 && v >= o->min && v <= o->max) {
        store_int(o, field, v);
        return;
    }
    if (o->min == o->max)
        snprintf(expected, sizeof(expected), "%" PRId64, o->min);
    else
        snprintf(expected, sizeof(expected), "a whole number from %" PRId64 " to %" PRId64, o->min, o->max);
    refuse(ctx, o, n, expected,
           r == -EINVAL && n->text.len > 1 && n->text.data[0] == '0' ? " (no leading zeros; hexadecimal is 0x10)" : "");
}

static void read_float(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    double v;

    if (text_read_float(n->text, &v) < 0)
        refuse(ctx, o, n, "a number such as 10, 0.1 or -1.5e3", "");
    else
        *(double *)field = v;
}

static void read_deadband(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    struct str number = n->text;
    bool percent = number.len > 0 && number.data[number.len - 1] == '%';
    double size;

    number.len -= percent;
    if (text_read_float(number, &size) < 0 || size < 0)
        refuse(ctx, o, n, "a number from 0, such as 0.5, or a percentage such as 2%", "");
    else if (percent && size > 100)
        refuse(ctx, o, n, "at most 100%", "");
    else
        *(struct deadband *)field = (struct deadband){.size = size, .percent = percent};
}

static void read_bytes(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    uint8_t *bytes = arena_alloc(ctx->arena, n->text.len + 1);
    char expected[96];
    int len;

    if (!bytes) {
        ctx->failed = true;
        return;
    }
    len = bytes_read(n->text, n->quoted, bytes);
    if (len >= o->min && len <= o->max) {
        *(struct str *)field = (struct str){.data = (const char *)bytes, .len = (size_t)len};
        return;
    }
    snprintf(expected, sizeof(expected), "%" PRId64 " to %" PRId64 " bytes, such as 'W\\r\\n', '\\x02' or 0x02", o->min,
             o->max);
    refuse(ctx, o, n, expected, "");
}

static void read_duration(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    int64_t unit = o->unit ? o->unit : 1;
    char low[TEXT_SHOWN];
    char high[TEXT_SHOWN];
    char expected[192];
    int64_t v;
    int r = text_read_duration(n->text, &v);

    if (r == 0 && v >= o->min && v <= o->max && v % unit == 0) {
        store_int(o, field, v / unit);
        return;
    }
    text_print_duration(o->min, low);
    text_print_duration(o->max, high);
    snprintf(expected, sizeof(expected), "a duration from %s to %s%s", low, high,
             unit == SECOND ? " in whole seconds" : "");
    refuse(ctx, o, n, expected,
           r == -EDOM     ? ", which has no unit (ms, s, m, h or d)"
           : r == -EINVAL ? " (write 500ms, 1.5s, 5m, 2h or 30d)"
                          : "");
}

static void read_size(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    char low[TEXT_SHOWN];
    char high[TEXT_SHOWN];
    char expected[192];
    int64_t v;
    int r = text_read_size(n->text, &v);

    if (r == 0 && v >= o->min && v <= o->max) {
        store_int(o, field, v);
        return;
    }
    text_print_size(o->min, low);
    text_print_size(o->max, high);
    snprintf(expected, sizeof(expected), "a size from %s to %s", low, high);
    refuse(ctx, o, n, expected,
           r == -EDOM     ? ", which has no unit (B, KiB, MiB, GiB, kB, MB or GB)"
           : r == -EINVAL ? " (write 512B, 64KiB or 1.5MiB)"
                          : "");
}

static void refuse_choice(struct schema_context *ctx, const struct schema_option *o, const struct node *n)
{
    struct near near = near_to(n->text);
    struct buf expected = {0};
    char more[96] = "";

    for (const struct schema_choice *c = o->choices; c->name; c++) {
        const char *between = c == o->choices ? "" : c[1].name ? ", " : " or ";

        buf_printf(&expected, "%s%s", between, c->name);
        near_offer(&near, c->name);
    }
    buf_put_u8(&expected, 0);
    if (near.best)
        snprintf(more, sizeof(more), "; did you mean '%s'?", near.best);
    if (buf_failed(&expected))
        ctx->failed = true;
    else
        refuse(ctx, o, n, (const char *)buf_data(&expected), more);
    buf_fini(&expected);
}

static void read_enum(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    for (const struct schema_choice *c = o->choices; c->name; c++) {
        if (str_equal(n->text, str_of(c->name))) {
            store_int(o, field, c->value);
            return;
        }
    }
    refuse_choice(ctx, o, n);
}

static void read_string(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    char expected[64];

    if (n->kind != NODE_SCALAR || node_is_empty(n) || !text_is_printable(n->text)) {
        refuse(ctx, o, n, "text without control characters", "");
        return;
    }
    if ((int64_t)n->text.len < o->min || (int64_t)n->text.len > o->max) {
        snprintf(expected, sizeof(expected), "text of %" PRId64 " to %" PRId64 " bytes", o->min, o->max);
        refuse(ctx, o, n, expected, "");
        return;
    }
    store_text(ctx, o, field, n->text);
}

static void read_name(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    if (!text_is_name(n->text))
        refuse(ctx, o, n, "a name of 1 to 64 bytes without '/', '+', '#', a leading '$' or control characters", "");
    else
        store_text(ctx, o, field, n->text);
}

static void read_host(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    if (!text_is_host(n->text))
        refuse(ctx, o, n, "a host name or an IP address", "");
    else
        store_text(ctx, o, field, n->text);
}

static void read_address(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    uint8_t bytes[16];

    if (strlen(n->text.data) != n->text.len || !text_read_address(n->text.data, bytes))
        refuse(ctx, o, n, "an IPv4 or IPv6 address of this machine, such as 127.0.0.1, 0.0.0.0 or ::1", "");
    else
        store_text(ctx, o, field, n->text);
}

/* `dir` has no links in it, so that "..", in front, is the directory it is in. The caller frees. */
static char *join_path(const char *dir, const char *relative)
{
    struct str base = str_of(dir);
    char *path;

    while (base.len > 0 && strncmp(relative, "../", 3) == 0) {
        while (base.len > 0 && base.data[base.len - 1] != '/')
            base.len--;
        base.len -= base.len > 0;
        relative += 3;
    }
    return asprintf(&path, STR_FMT "/%s", STR_ARG(base), relative) < 0 ? NULL : path;
}

static void read_path(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    char *path;

    if (n->text.len == 0 || !text_is_printable(n->text)) {
        refuse(ctx, o, n, "a path", "");
        return;
    }
    if (n->text.data[0] == '/') {
        store_text(ctx, o, field, n->text);
        return;
    }
    path = join_path(n->place.file->dir, n->text.data);
    if (!path) {
        ctx->failed = true;
        return;
    }
    store_text(ctx, o, field, str_of(path));
    free(path);
}

static void read_list(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    if (n->kind == NODE_LIST)
        *(const struct node **)field = n;
    else if (!node_is_empty(n))
        refuse(ctx, o, n, "a list, each item beginning with '-'", "");
}

static void read_map(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    if (n->kind != NODE_MAPPING)
        refuse(ctx, o, n, "a mapping, such as {0: off, 1: on}", "");
    else if (o->size > 0)
        *(const struct node **)field = n;
}

typedef void read_fn(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field);

static read_fn *const scalar_readers[] = {
    [OPT_BOOL] = read_bool,         [OPT_INT] = read_int,         [OPT_FLOAT] = read_float,
    [OPT_DURATION] = read_duration, [OPT_SIZE] = read_size,       [OPT_ENUM] = read_enum,
    [OPT_STRING] = read_string,     [OPT_NAME] = read_name,       [OPT_DEADBAND] = read_deadband,
    [OPT_HOST] = read_host,         [OPT_ADDRESS] = read_address, [OPT_PATH] = read_path,
    [OPT_BYTES] = read_bytes,
};

void schema_read_value(struct schema_context *ctx, const struct schema_option *o, const struct node *n, void *field)
{
    if (o->type == OPT_LIST || o->type == OPT_TEXTS)
        read_list(ctx, o, n, field);
    else if (o->type == OPT_ANY)
        *(const struct node **)field = n;
    else if (o->type == OPT_MAP)
        read_map(ctx, o, n, field);
    else
        scalar_readers[o->type](ctx, o, n, field);
}
