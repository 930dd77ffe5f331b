/*
 * redact - a plugin that takes fields out of JSON messages before they go to clients.
 *
 *   - path: redact.so
 *     options:
 *       rules:
 *         - {filter: "sensors/#", fields: [serial, position.exact], except_users: [service]}
 *         - {filter: "staff/+", fields: [phone], only_users: [guest]}
 *
 * Who gets a message without the field is said by user name: everybody; all but except_users; or only_users. A client
 * without a user name is nobody's exception. A payload that is no JSON, where something would have to be taken out, is
 * withheld: the field may be in it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wirepost/plugin.h>

#include "plugins/json_cut.h"

#include <cjson/cJSON.h>

struct rule {
    const char *filter;
    const cJSON *only;   /* users; NULL: all... */
    const cJSON *except; /* ...but these; NULL: nobody */
    struct json_cut cut;
};

struct redactor {
    const struct wirepost_host *host;
    cJSON *json; /* what the rules borrow from */
    struct rule *rules;
    size_t rule_count;
};

static bool names(const cJSON *users, struct wirepost_text user)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, users) if (user.data && strlen(item->valuestring) == user.len &&
                                        memcmp(item->valuestring, user.data, user.len) == 0) return true;
    return false;
}

static bool holds(const struct redactor *r, const struct rule *rule, const struct wirepost_enqueue *e)
{
    struct wirepost_text filter = wirepost_text_of(rule->filter, strlen(rule->filter));

    if ((rule->only && !names(rule->only, e->client->user)) || names(rule->except, e->client->user))
        return false;
    return r->host->matches(r->host, filter, e->message->topic);
}

static int on_enqueue(void *self, struct wirepost_enqueue *e)
{
    struct redactor *r = self;

    for (size_t i = 0; i < r->rule_count; i++) {
        struct wirepost_text payload = e->message->payload;
        char *left;
        size_t len;
        int cut;

        if (payload.len == 0 || !holds(r, &r->rules[i], e))
            continue;
        left = r->host->scratch(r->host, payload.len);
        cut = left ? json_cut_fields(&r->rules[i].cut, payload.data, payload.len, left, &len) : -ENOMEM;
        if (cut < 0)
            return WIREPOST_DROP;
        if (cut > 0)
            e->message->payload = wirepost_text_of(left, len);
    }
    return WIREPOST_PASS;
}

static int complain(const struct wirepost_host *host, const char *what)
{
    host->log(host, WIREPOST_ERROR, what);
    return -1;
}

static bool all_strings(const cJSON *list)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list) if (!cJSON_IsString(item)) return false;
    return cJSON_IsArray(list);
}

static bool known_keys(const cJSON *rule)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, rule) if (strcmp(item->string, "filter") != 0 && strcmp(item->string, "fields") != 0 &&
                                       strcmp(item->string, "only_users") != 0 &&
                                       strcmp(item->string, "except_users") != 0) return false;
    return true;
}

static int read_rule(struct redactor *r, const cJSON *json, struct rule *rule)
{
    const cJSON *filter = cJSON_GetObjectItemCaseSensitive(json, "filter");
    const cJSON *fields = cJSON_GetObjectItemCaseSensitive(json, "fields");
    const char **paths;
    const cJSON *item;

    rule->only = cJSON_GetObjectItemCaseSensitive(json, "only_users");
    rule->except = cJSON_GetObjectItemCaseSensitive(json, "except_users");
    if (!cJSON_IsObject(json) || !known_keys(json))
        return complain(r->host, "a rule may have filter, fields, only_users, except_users");
    if (!cJSON_IsString(filter) || !all_strings(fields))
        return complain(r->host, "a rule needs 'filter', a topic filter, and 'fields', a list of names");
    if ((rule->only && !all_strings(rule->only)) || (rule->except && !all_strings(rule->except)))
        return complain(r->host, "'only_users' and 'except_users' must be lists of user names");
    rule->filter = filter->valuestring;
    paths = calloc((size_t)cJSON_GetArraySize(fields) + 1, sizeof(*paths));
    if (!paths)
        return -1;
    rule->cut.paths = paths;
    cJSON_ArrayForEach(item, fields) paths[rule->cut.path_count++] = item->valuestring;
    return 0;
}

static int read_rules(struct redactor *r, const char *text)
{
    const cJSON *json;

    r->json = cJSON_Parse(text);
    if (!cJSON_IsArray(r->json))
        return complain(r->host, "'rules' must be a list of mappings");
    r->rules = calloc((size_t)cJSON_GetArraySize(r->json) + 1, sizeof(*r->rules));
    if (!r->rules)
        return -1;
    cJSON_ArrayForEach(json, r->json) if (read_rule(r, json, &r->rules[r->rule_count++]) < 0) return -1;
    return 0;
}

static void redactor_close(void *self)
{
    struct redactor *r = self;

    for (size_t i = 0; i < r->rule_count; i++)
        free((void *)(uintptr_t)r->rules[i].cut.paths);
    free(r->rules);
    cJSON_Delete(r->json);
    free(r);
}

static int redactor_open(const struct wirepost_host *host, const struct wirepost_option *options, size_t count,
                         void **ret_self)
{
    struct redactor *r = calloc(1, sizeof(*r));
    int result = -1;

    if (!r)
        return -ENOMEM;
    r->host = host;
    if (count == 1 && strcmp(options[0].key, "rules") == 0)
        result = read_rules(r, options[0].value);
    else
        complain(host, "needs the option 'rules', and has no other");
    if (result < 0) {
        redactor_close(r);
        return -EINVAL;
    }
    *ret_self = r;
    return 0;
}

WIREPOST_PLUGIN = {
    WIREPOST_PLUGIN_HEAD,
    .name = "redact",
    .open = redactor_open,
    .close = redactor_close,
    .events = {.intercept_enqueue = on_enqueue},
};
