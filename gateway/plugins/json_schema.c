/* json_schema - see json_schema.h. */
#include "plugins/json_schema.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where in the value the walk is: "a.b[3]". */
struct walk {
    struct schema_why *why;
    char path[100];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct walk *w, const char *fmt, ...)
{
    char what[SCHEMA_WHY / 2 - 3];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    snprintf(w->why->text, sizeof(w->why->text), "%.*s%s%s", (int)w->len, w->path, w->len ? ": " : "", what);
    return false;
}

/* Goes down one step; the length to go back to. What does not fit is left out. */
__attribute__((format(printf, 2, 3))) static size_t step(struct walk *w, const char *fmt, ...)
{
    size_t before = w->len;
    size_t room = sizeof(w->path) - w->len;
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(w->path + w->len, room, fmt, args);
    va_end(args);
    w->len += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
    return before;
}

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* ---- the schema ---- */

enum form { FORM_TYPE, FORM_NAMES, FORM_SCHEMAS, FORM_BOOL, FORM_NUMBER, FORM_VALUES, FORM_COUNT, FORM_SCHEMA };

static const struct {
    const char *name;
    enum form form;
} keywords[] = {
    {"type", FORM_TYPE},       {"required", FORM_NAMES},          {"properties", FORM_SCHEMAS},
    {"minimum", FORM_NUMBER},  {"maximum", FORM_NUMBER},          {"additionalProperties", FORM_BOOL},
    {"enum", FORM_VALUES},     {"exclusiveMinimum", FORM_NUMBER}, {"exclusiveMaximum", FORM_NUMBER},
    {"minLength", FORM_COUNT}, {"maxLength", FORM_COUNT},         {"items", FORM_SCHEMA},
    {"minItems", FORM_COUNT},  {"maxItems", FORM_COUNT},
};

static const char *const types[] = {"object", "array", "string", "number", "integer", "boolean", "null"};

static bool is_type(const cJSON *name)
{
    for (size_t i = 0; cJSON_IsString(name) && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i], name->valuestring) == 0)
            return true;
    return false;
}

static bool all_strings(const cJSON *list)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list) if (!cJSON_IsString(item)) return false;
    return cJSON_IsArray(list);
}

static bool check_schema(struct walk *w, const cJSON *schema);

static bool check_types(struct walk *w, const cJSON *value)
{
    const cJSON *item;

    if (is_type(value))
        return true;
    cJSON_ArrayForEach(item, value) if (!is_type(item)) return fail(
        w, "'type' must be object, array, string, number, integer, boolean or null");
    return cJSON_IsArray(value) || fail(w, "'type' must be object, array, string, number, integer, boolean or null");
}

static bool check_properties(struct walk *w, const cJSON *value)
{
    const cJSON *item;

    if (!cJSON_IsObject(value))
        return fail(w, "'properties' must be a mapping of names to schemas");
    cJSON_ArrayForEach(item, value)
    {
        size_t before = step(w, "%s%s", w->len ? "." : "", item->string);

        if (!check_schema(w, item))
            return false;
        w->len = before;
    }
    return true;
}

static bool check_keyword(struct walk *w, const cJSON *value, enum form form)
{
    switch (form) {
    case FORM_TYPE:
        return check_types(w, value);
    case FORM_NAMES:
        return all_strings(value) || fail(w, "'%s' must be a list of names", value->string);
    case FORM_SCHEMAS:
        return check_properties(w, value);
    case FORM_BOOL:
        return cJSON_IsBool(value) || fail(w, "'%s' must be true or false", value->string);
    case FORM_NUMBER:
        return cJSON_IsNumber(value) || fail(w, "'%s' must be a number", value->string);
    case FORM_VALUES:
        return cJSON_IsArray(value) || fail(w, "'%s' must be a list of values", value->string);
    case FORM_COUNT:
        return (cJSON_IsNumber(value) && value->valuedouble >= 0) || fail(w, "'%s' must be a count", value->string);
    case FORM_SCHEMA:
        return check_schema(w, value);
    }
    return false;
}

static bool check_schema(struct walk *w, const cJSON *schema)
{
    const cJSON *item;

    if (!cJSON_IsObject(schema))
        return fail(w, "a schema must be a mapping");
    cJSON_ArrayForEach(item, schema)
    {
        size_t i = 0;

        while (i < sizeof(keywords) / sizeof(keywords[0]) && strcmp(keywords[i].name, item->string) != 0)
            i++;
        if (i == sizeof(keywords) / sizeof(keywords[0]))
            return fail(w, "the keyword '%s' is not known here", item->string);
        if (!check_keyword(w, item, keywords[i].form))
            return false;
    }
    return true;
}

bool schema_check(const cJSON *schema, struct schema_why *ret_why)
{
    struct walk w = {.why = ret_why};

    return check_schema(&w, schema);
}

/* ---- a value ---- */

static bool match(struct walk *w, const cJSON *schema, const cJSON *value);

static bool has_type(const cJSON *value, const char *type)
{
    if (strcmp(type, "object") == 0)
        return cJSON_IsObject(value);
    if (strcmp(type, "array") == 0)
        return cJSON_IsArray(value);
    if (strcmp(type, "string") == 0)
        return cJSON_IsString(value);
    if (strcmp(type, "number") == 0)
        return cJSON_IsNumber(value);
    if (strcmp(type, "boolean") == 0)
        return cJSON_IsBool(value);
    if (strcmp(type, "null") == 0)
        return cJSON_IsNull(value);
    return cJSON_IsNumber(value) && !(floor(value->valuedouble) < value->valuedouble);
}

static bool match_type(struct walk *w, const cJSON *wanted, const cJSON *value)
{
    const cJSON *item;

    if (!wanted)
        return true;
    if (cJSON_IsString(wanted))
        return has_type(value, wanted->valuestring) || fail(w, "must be of type %s", wanted->valuestring);
    cJSON_ArrayForEach(item, wanted) if (has_type(value, item->valuestring)) return true;
    return fail(w, "is of none of the types that it may have");
}

static bool match_enum(struct walk *w, const cJSON *wanted, const cJSON *value)
{
    const cJSON *item;

    if (!wanted)
        return true;
    cJSON_ArrayForEach(item, wanted) if (cJSON_Compare(item, value, true)) return true;
    return fail(w, "is none of the values that it may be");
}

static bool match_number(struct walk *w, const cJSON *schema, double v)
{
    const cJSON *least = get(schema, "minimum");
    const cJSON *most = get(schema, "maximum");
    const cJSON *above = get(schema, "exclusiveMinimum");
    const cJSON *below = get(schema, "exclusiveMaximum");

    if (least && v < least->valuedouble)
        return fail(w, "%g is less than %g", v, least->valuedouble);
    if (most && v > most->valuedouble)
        return fail(w, "%g is more than %g", v, most->valuedouble);
    if (above && v <= above->valuedouble)
        return fail(w, "%g is not more than %g", v, above->valuedouble);
    if (below && v >= below->valuedouble)
        return fail(w, "%g is not less than %g", v, below->valuedouble);
    return true;
}

/* fewest, most: keywords that limit a count. */
static bool match_count(struct walk *w, const cJSON *schema, const char *fewest, const char *most, size_t count,
                        const char *of)
{
    const cJSON *min = get(schema, fewest);
    const cJSON *max = get(schema, most);

    if (min && (double)count < min->valuedouble)
        return fail(w, "has %zu %s, at least %g", count, of, min->valuedouble);
    if (max && (double)count > max->valuedouble)
        return fail(w, "has %zu %s, at most %g", count, of, max->valuedouble);
    return true;
}

/* Of UTF-8. */
static size_t count_characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static bool match_list(struct walk *w, const cJSON *schema, const cJSON *value)
{
    const cJSON *each = get(schema, "items");
    const cJSON *item;
    size_t count = 0;

    cJSON_ArrayForEach(item, value)
    {
        size_t before = step(w, "[%zu]", count++);

        if (each && !match(w, each, item))
            return false;
        w->len = before;
    }
    return match_count(w, schema, "minItems", "maxItems", count, "items");
}

static bool match_required(struct walk *w, const cJSON *required, const cJSON *value)
{
    const cJSON *name;

    cJSON_ArrayForEach(name, required) if (!get(value, name->valuestring)) return fail(w, "'%s' is missing",
                                                                                       name->valuestring);
    return true;
}

static bool match_object(struct walk *w, const cJSON *schema, const cJSON *value)
{
    const cJSON *properties = get(schema, "properties");
    bool closed = cJSON_IsFalse(get(schema, "additionalProperties"));
    const cJSON *item;

    if (!match_required(w, get(schema, "required"), value))
        return false;
    cJSON_ArrayForEach(item, value)
    {
        const cJSON *wanted = properties ? get(properties, item->string) : NULL;
        size_t before = step(w, "%s%s", w->len ? "." : "", item->string);

        if (!wanted && closed)
            return fail(w, "is not expected");
        if (wanted && !match(w, wanted, item))
            return false;
        w->len = before;
    }
    return true;
}

static bool match(struct walk *w, const cJSON *schema, const cJSON *value)
{
    if (!match_type(w, get(schema, "type"), value) || !match_enum(w, get(schema, "enum"), value))
        return false;
    if (cJSON_IsNumber(value))
        return match_number(w, schema, value->valuedouble);
    if (cJSON_IsString(value))
        return match_count(w, schema, "minLength", "maxLength", count_characters(value->valuestring), "characters");
    if (cJSON_IsArray(value))
        return match_list(w, schema, value);
    return !cJSON_IsObject(value) || match_object(w, schema, value);
}

bool schema_matches(const cJSON *schema, const cJSON *value, struct schema_why *ret_why)
{
    struct walk w = {.why = ret_why};

    return match(&w, schema, value);
}
