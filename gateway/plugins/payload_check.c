/*
 * payload-check - a plugin that lets only messages through that are what their topic promises.
 *
 *   - path: payload-check.so
 *     options:
 *       on_bad: refuse                  # or drop: as if it had been taken; or close: its sender is disconnected
 *       rules:
 *         - filter: sensors/+/state
 *           schema: {type: object, required: [value], properties: {value: {type: number, minimum: -40, maximum: 125}}}
 *
 * A message has to satisfy every rule whose filter matches its topic; json_schema.h says what schemas may hold. One
 * that does not is refused with 0x99 (payload format invalid) and the reason string says why. What clears a retained
 * message, an empty payload, passes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wirepost/plugin.h>

#include "plugins/json_schema.h"

struct checker {
    const struct wirepost_host *host;
    cJSON *rules; /* the list, checked */
    enum wirepost_verdict on_bad;
    struct schema_why why; /* of the last message */
};

static struct wirepost_text text_of(const char *text)
{
    return wirepost_text_of(text, strlen(text));
}

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* Nothing but blanks may follow. */
static cJSON *parse(struct wirepost_text payload)
{
    const char *end = NULL;
    cJSON *value = payload.len > 0 ? cJSON_ParseWithLengthOpts(payload.data, payload.len, &end, 0) : NULL;

    while (value && end < payload.data + payload.len && (*end == ' ' || *end == '\t' || *end == '\r' || *end == '\n'))
        end++;
    if (value && end != payload.data + payload.len) {
        cJSON_Delete(value);
        value = NULL;
    }
    return value;
}

static bool satisfies(struct checker *c, const struct wirepost_message *m)
{
    cJSON *value = NULL;
    const cJSON *rule;
    bool good = true;

    cJSON_ArrayForEach(rule, c->rules)
    {
        if (!good || !c->host->matches(c->host, text_of(get(rule, "filter")->valuestring), m->topic))
            continue;
        if (!value)
            value = parse(m->payload);
        if (!value)
            snprintf(c->why.text, sizeof(c->why.text), "the payload is not JSON");
        good = value && schema_matches(get(rule, "schema"), value, &c->why);
    }
    cJSON_Delete(value);
    return good;
}

static int on_publish(void *self, struct wirepost_publish *e)
{
    struct checker *c = self;

    if (e->message->payload.len == 0 && e->message->retain)
        return WIREPOST_PASS;
    if (satisfies(c, e->message))
        return WIREPOST_PASS;
    e->reason = c->on_bad == WIREPOST_CLOSE ? WIREPOST_ADMINISTRATIVE_ACTION : WIREPOST_PAYLOAD_FORMAT_INVALID;
    e->reason_string = text_of(c->why.text);
    return (int)c->on_bad;
}

__attribute__((format(printf, 2, 3))) static int complain(const struct wirepost_host *host, const char *fmt, ...)
{
    char text[SCHEMA_WHY + 100];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    host->log(host, WIREPOST_ERROR, text);
    return -1;
}

static int check_rule(struct checker *c, const cJSON *rule, int number)
{
    struct schema_why why;

    if (!cJSON_IsString(get(rule, "filter")) || !get(rule, "schema"))
        return complain(c->host, "rule %d needs 'filter', a topic filter, and 'schema'", number);
    if (!schema_check(get(rule, "schema"), &why))
        return complain(c->host, "rule %d: %s", number, why.text);
    return 0;
}

static int read_rules(struct checker *c, const char *text)
{
    const cJSON *rule;
    int number = 0;

    cJSON_Delete(c->rules);
    c->rules = cJSON_Parse(text);
    if (!cJSON_IsArray(c->rules))
        return complain(c->host, "'rules' must be a list of mappings");
    cJSON_ArrayForEach(rule, c->rules) if (check_rule(c, rule, ++number) < 0) return -1;
    return 0;
}

static int read_on_bad(struct checker *c, const char *text)
{
    if (strcmp(text, "refuse") == 0)
        c->on_bad = WIREPOST_REFUSE;
    else if (strcmp(text, "drop") == 0)
        c->on_bad = WIREPOST_DROP;
    else if (strcmp(text, "close") == 0)
        c->on_bad = WIREPOST_CLOSE;
    else
        return complain(c->host, "'on_bad' must be refuse, drop or close; found '%s'", text);
    return 0;
}

static int read_option(struct checker *c, const struct wirepost_option *o)
{
    if (strcmp(o->key, "rules") == 0)
        return read_rules(c, o->value);
    if (strcmp(o->key, "on_bad") == 0)
        return read_on_bad(c, o->value);
    return complain(c->host, "no option '%s'; it may have rules, on_bad", o->key);
}

static void checker_close(void *self)
{
    struct checker *c = self;

    cJSON_Delete(c->rules);
    free(c);
}

static int checker_open(const struct wirepost_host *host, const struct wirepost_option *options, size_t count,
                        void **ret_self)
{
    struct checker *c = calloc(1, sizeof(*c));
    int r = 0;

    if (!c)
        return -ENOMEM;
    c->host = host;
    c->on_bad = WIREPOST_REFUSE;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = read_option(c, &options[i]);
    if (r == 0 && !c->rules)
        r = complain(host, "has no 'rules': it would let everything through");
    if (r < 0) {
        checker_close(c);
        return -EINVAL;
    }
    *ret_self = c;
    return 0;
}

WIREPOST_PLUGIN = {
    WIREPOST_PLUGIN_HEAD,
    .name = "payload-check",
    .open = checker_open,
    .close = checker_close,
    .events = {.intercept_publish = on_publish},
};
