/* request - see request.h. */
#include "write/request.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/utf8.h"

/* The text up to the next '/' or the end, which is cut off with it. */
static struct str take_level(struct str *rest)
{
    const char *slash = memchr(rest->data, '/', rest->len);
    size_t len = slash ? (size_t)(slash - rest->data) : rest->len;
    struct str level = {.data = rest->data, .len = len};

    rest->data += slash ? len + 1 : len;
    rest->len -= slash ? len + 1 : len;
    return level;
}

static bool take_text(struct str *rest, const char *text)
{
    return str_equal(take_level(rest), str_of(text));
}

/* 0 or -ENOENT. ret_name is empty where the payload names the tags. */
static int parse_topic(const char *gateway_id, struct str topic, struct write_request *req, struct str *ret_name)
{
    struct str kind;

    if (!take_text(&topic, "wp") || !take_text(&topic, gateway_id) || !take_text(&topic, "d"))
        return -ENOENT;
    req->device = take_level(&topic);
    kind = take_level(&topic);
    *ret_name = str_of("");
    if (req->device.len == 0)
        return -ENOENT;
    if (str_equal(kind, str_of("set")) && topic.len == 0)
        return 0;
    req->is_action = str_equal(kind, str_of("action"));
    if (!req->is_action && !str_equal(kind, str_of("v")))
        return -ENOENT;
    *ret_name = take_level(&topic);
    return ret_name->len > 0 && take_text(&topic, "set") && topic.len == 0 ? 0 : -ENOENT;
}

static int keep(struct arena *arena, struct str text, struct str *ret_copy)
{
    const char *copy = arena_strdup(arena, text);

    if (!copy)
        return -ENOMEM;
    *ret_copy = (struct str){.data = copy, .len = text.len};
    return 0;
}

static int keep_json(struct arena *arena, struct str text, struct str *ret_json)
{
    struct buf out = {0};
    struct json j = json_to(&out);
    int r;

    json_str(&j, text);
    r = buf_failed(&out) ? -ENOMEM : keep(arena, buf_str(&out), ret_json);
    buf_fini(&out);
    return r;
}

static int parse_plain(struct str name, struct str payload, struct arena *arena, struct write_request *req)
{
    struct request_item *item = req->items = arena_alloc(arena, sizeof(*item));
    int r = item ? keep(arena, name, &item->name) : -ENOMEM;

    if (r == 0)
        r = keep(arena, payload, &item->text);
    if (r == 0)
        r = keep_json(arena, payload, &item->given);
    if (r < 0)
        return r;
    item->is_value = true;
    req->count = 1;
    return 0;
}

/* Whole numbers beyond come as text: a JSON number is a double here. */
static bool is_exact(double v)
{
    return v == floor(v) && fabs(v) <= 9007199254740992.0;
}

static int read_id(const cJSON *id, struct arena *arena, struct write_request *req)
{
    char number[24];
    int r;

    if (!id)
        return 0;
    if (cJSON_IsString(id) && id->valuestring[0] && strlen(id->valuestring) <= REQUEST_ID_MAX) {
        r = keep_json(arena, str_of(id->valuestring), &req->id);
    } else if (cJSON_IsNumber(id) && is_exact(id->valuedouble)) {
        snprintf(number, sizeof(number), "%.0f", id->valuedouble);
        r = keep(arena, str_of(number), &req->id);
    } else {
        return -EBADMSG;
    }
    req->has_id = r == 0;
    return r;
}

/* The value as a reading would show it. */
static bool print_value(const cJSON *v, char ret_text[40], struct str *ret_value)
{
    *ret_value = str_of("");
    if (cJSON_IsString(v))
        *ret_value = str_of(v->valuestring);
    else if (cJSON_IsBool(v))
        *ret_value = str_of(cJSON_IsTrue(v) ? "true" : "false");
    else if (!cJSON_IsNumber(v) || (v->valuedouble == floor(v->valuedouble) && !is_exact(v->valuedouble)))
        return false;
    if (!cJSON_IsNumber(v))
        return true;
    snprintf(ret_text, 40, "%.17g", v->valuedouble);
    *ret_value = str_of(ret_text);
    return true;
}

static int read_item(const cJSON *v, struct arena *arena, struct request_item *item)
{
    char *given = cJSON_PrintUnformatted(v);
    struct str text;
    char printed[40];
    int r = given ? keep(arena, str_of(given), &item->given) : -ENOMEM;

    cJSON_free(given);
    item->is_value = print_value(v, printed, &text);
    if (r == 0)
        r = keep(arena, str_of(v->string), &item->name);
    return r < 0 ? r : keep(arena, text, &item->text);
}

static bool is_named(const struct write_request *req, const char *name)
{
    for (size_t i = 0; i < req->count; i++)
        if (str_equal(req->items[i].name, str_of(name)))
            return true;
    return false;
}

static int read_items(const cJSON *v, struct arena *arena, struct write_request *req)
{
    int count = cJSON_IsObject(v) ? cJSON_GetArraySize(v) : 0;
    const cJSON *value;

    if (count == 0 || count > REQUEST_ITEMS_MAX)
        return -EBADMSG;
    req->items = arena_alloc(arena, (size_t)count * sizeof(*req->items));
    if (!req->items)
        return -ENOMEM;
    cJSON_ArrayForEach(value, v)
    {
        int r = is_named(req, value->string) ? -EBADMSG : read_item(value, arena, &req->items[req->count]);

        if (r < 0)
            return r;
        req->count++;
    }
    return 0;
}

static int read_options(const cJSON *root, struct write_request *req)
{
    const cJSON *expires = cJSON_GetObjectItemCaseSensitive(root, "expires_ms");
    const cJSON *verify = cJSON_GetObjectItemCaseSensitive(root, "verify");

    if (verify && !cJSON_IsBool(verify))
        return -EBADMSG;
    if (verify)
        req->verify = cJSON_IsTrue(verify) != 0;
    if (!expires)
        return 0;
    if (!cJSON_IsNumber(expires) || !is_exact(expires->valuedouble) || expires->valuedouble < 1 ||
        expires->valuedouble > REQUEST_EXPIRY_MAX_MS)
        return -EBADMSG;
    req->expires_ms = (int64_t)expires->valuedouble;
    return 0;
}

static bool is_blank(const char *text, const char *end)
{
    while (text < end && strchr(" \t\r\n", *text))
        text++;
    return text == end;
}

/* cJSON takes any bytes as text and ends at the first value's end. */
static cJSON *parse_object(struct str payload)
{
    const char *end = NULL;
    cJSON *root;

    if (!utf8_valid(payload) || memchr(payload.data, '\0', payload.len))
        return NULL;
    root = cJSON_ParseWithLengthOpts(payload.data, payload.len, &end, false);
    if (cJSON_IsObject(root) && is_blank(end, payload.data + payload.len))
        return root;
    cJSON_Delete(root);
    return NULL;
}

static int parse_json(struct str payload, struct arena *arena, struct write_request *req)
{
    cJSON *root = parse_object(payload);
    int r = root ? read_id(cJSON_GetObjectItemCaseSensitive(root, "id"), arena, req) : -EBADMSG;

    if (r == 0)
        r = read_options(root, req);
    if (r == 0)
        r = read_items(cJSON_GetObjectItemCaseSensitive(root, "v"), arena, req);
    cJSON_Delete(root);
    return r;
}

int request_parse(const char *gateway_id, struct str topic, struct str payload, struct arena *arena,
                  struct write_request *ret_request)
{
    struct str name;
    int r;

    *ret_request = (struct write_request){.expires_ms = -1, .verify = -1};
    r = parse_topic(gateway_id, topic, ret_request, &name);
    if (r < 0)
        return r;
    if (payload.len > REQUEST_PAYLOAD_MAX)
        return -EBADMSG;
    if (name.len > 0)
        return parse_plain(name, payload, arena, ret_request);
    return parse_json(payload, arena, ret_request);
}

bool request_may_answer_on(const char *gateway_id, struct str topic)
{
    static const char answers[] = "response/";
    struct str id = str_of(gateway_id);
    struct str rest;

    if (topic.len > 0 && topic.data[0] == '$')
        return false;
    if (topic.len < id.len + 4 || memcmp(topic.data, "wp/", 3) != 0 || memcmp(topic.data + 3, id.data, id.len) != 0 ||
        topic.data[3 + id.len] != '/')
        return true;
    rest = (struct str){.data = topic.data + id.len + 4, .len = topic.len - id.len - 4};
    return str_starts_with(rest, str_of(answers));
}
