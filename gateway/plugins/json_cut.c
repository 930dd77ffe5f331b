/* json_cut - see json_cut.h. cJSON says whether it is JSON at all; then copying what stays takes no more than finding
 * the ends of things. Keys are compared as cJSON reads them: "\u0061" is "a". */
#include "plugins/json_cut.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

enum { DEPTH_MAX = 64, KEY_MAX = 256 };

struct cutter {
    const struct json_cut *cut;
    const char *at;
    const char *end;
    char *out; /* NULL: what is passed is not copied */
    size_t len;
    const char *keys[DEPTH_MAX]; /* that lead here, decoded; lists have none */
    unsigned key_count;
    unsigned depth;
    int cut_count;
    bool bad;
};

static void put(struct cutter *c, char ch)
{
    if (c->out)
        c->out[c->len++] = ch;
}

static char peek(const struct cutter *c)
{
    return c->at < c->end ? *c->at : '\0';
}

static void pass(struct cutter *c)
{
    if (c->at < c->end)
        put(c, *c->at++);
    else
        c->bad = true;
}

static void pass_blanks(struct cutter *c)
{
    while (peek(c) == ' ' || peek(c) == '\t' || peek(c) == '\r' || peek(c) == '\n')
        pass(c);
}

/* With its quotes. */
static void pass_string(struct cutter *c)
{
    pass(c);
    while (!c->bad && peek(c) != '"') {
        if (peek(c) == '\\')
            pass(c);
        pass(c);
    }
    pass(c);
}

/* A number, true, false, null. */
static void pass_word(struct cutter *c)
{
    while (c->at < c->end && !strchr(",]} \t\r\n", *c->at))
        pass(c);
}

/* Whether `path` is what leads here. */
static bool leads_here(const struct cutter *c, const char *path)
{
    for (unsigned i = 0; i < c->key_count; i++) {
        size_t len = strlen(c->keys[i]);

        if (strncmp(path, c->keys[i], len) != 0 || (path[len] != '\0' && path[len] != '.'))
            return false;
        path += len;
        if (*path == '\0')
            return i + 1 == c->key_count;
        path++;
    }
    return false;
}

static bool is_cut(const struct cutter *c)
{
    for (size_t i = 0; i < c->cut->path_count; i++)
        if (leads_here(c, c->cut->paths[i]))
            return true;
    return false;
}

static void pass_value(struct cutter *c);

static void pass_list(struct cutter *c)
{
    pass(c);
    pass_blanks(c);
    while (!c->bad && peek(c) != ']') {
        pass_value(c);
        pass_blanks(c);
        if (peek(c) == ',')
            pass(c);
        pass_blanks(c);
    }
    pass(c);
}

/* The key that begins here, decoded; to free. */
static char *read_key(const struct cutter *c)
{
    struct cutter look = *c;
    cJSON *key;
    char *text = NULL;

    look.out = NULL;
    pass_string(&look);
    key = look.bad ? NULL : cJSON_ParseWithLength(c->at, (size_t)(look.at - c->at));
    if (cJSON_IsString(key))
        text = strdup(key->valuestring);
    cJSON_Delete(key);
    return text;
}

static void pass_colon(struct cutter *c)
{
    if (peek(c) != ':')
        c->bad = true;
    pass(c);
}

/* One field, with what is before its key; `kept`: one before it in this object has stayed. */
static bool pass_field(struct cutter *c, bool kept)
{
    size_t before = c->len;
    char *key = read_key(c);
    bool cut;

    if (!key || c->key_count >= DEPTH_MAX) {
        free(key);
        c->bad = true;
        return kept;
    }
    c->keys[c->key_count++] = key;
    cut = is_cut(c);
    if (kept)
        put(c, ',');
    pass_string(c);
    pass_blanks(c);
    pass_colon(c);
    pass_blanks(c);
    pass_value(c);
    pass_blanks(c);
    c->key_count--;
    free(key);
    if (cut) {
        c->len = before;
        c->cut_count++;
    }
    return kept || !cut;
}

/* Commas stand before all fields that stay but the first. */
static void pass_object(struct cutter *c)
{
    bool kept = false;

    pass(c);
    pass_blanks(c);
    while (!c->bad && peek(c) != '}') {
        kept = pass_field(c, kept);
        if (peek(c) == ',')
            c->at++;
        else if (peek(c) != '}')
            c->bad = true;
        while (peek(c) == ' ' || peek(c) == '\t' || peek(c) == '\r' || peek(c) == '\n')
            c->at++;
    }
    pass(c);
}

static void pass_value(struct cutter *c)
{
    if (++c->depth > DEPTH_MAX || c->at >= c->end)
        c->bad = true;
    else if (peek(c) == '{')
        pass_object(c);
    else if (peek(c) == '[')
        pass_list(c);
    else if (peek(c) == '"')
        pass_string(c);
    else
        pass_word(c);
    c->depth--;
}

/* cJSON takes them for blanks, or as they are; RFC 8259 has them nowhere, and readers differ in what they take them
 * for. */
static bool has_control(const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)data[i] < ' ' && data[i] != '\t' && data[i] != '\r' && data[i] != '\n')
            return true;
    return false;
}

int json_cut_fields(const struct json_cut *cut, const char *data, size_t len, char *out, size_t *ret_len)
{
    cJSON *valid = len > 0 ? cJSON_ParseWithLength(data, len) : NULL;
    struct cutter c = {.cut = cut, .at = data, .end = data + len, .out = out};

    cJSON_Delete(valid);
    if (!valid || has_control(data, len))
        return -EBADMSG;
    pass_blanks(&c);
    pass_value(&c);
    pass_blanks(&c);
    if (c.bad || c.at != c.end)
        return -EBADMSG;
    *ret_len = c.len;
    return c.cut_count;
}
