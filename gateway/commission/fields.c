/* fields - see fields.h. */
#include "commission/fields.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/near.h"
#include "config/text.h"

enum {
    TIMEOUT_MS = 500,
    TIMEOUT_MAX_MS = 2500, /* nobody holds a bus up for longer by asking: values grow old after 3 s */
};

void fields_refuse(struct fields *f, const char *code, const char *fmt, ...)
{
    va_list args;

    if (f->bad)
        return;
    f->bad = true;
    snprintf(f->error->code, sizeof(f->error->code), "%s", code);
    va_start(args, fmt);
    vsnprintf(f->error->text, sizeof(f->error->text), fmt, args);
    va_end(args);
}

static const cJSON *field(struct fields *f, const char *key)
{
    if (f->known_count < FIELDS_MAX)
        f->known[f->known_count++] = key;
    return f->bad ? NULL : cJSON_GetObjectItemCaseSensitive(f->request, key);
}

bool field_is_int(const cJSON *v, int64_t *ret_number)
{
    const double exact = 9007199254740992.0; /* beyond, doubles have gaps */

    if (!cJSON_IsNumber(v) || v->valuedouble != floor(v->valuedouble) || fabs(v->valuedouble) > exact)
        return false;
    *ret_number = (int64_t)v->valuedouble;
    return true;
}

int64_t field_int(struct fields *f, const char *key, int64_t min, int64_t max, int64_t fallback)
{
    const cJSON *v = field(f, key);
    int64_t number = 0;

    if (!v)
        return fallback;
    if (!field_is_int(v, &number) && (!cJSON_IsString(v) || text_read_int(str_of(v->valuestring), &number) < 0))
        fields_refuse(f, "bad_request", "'%s' must be a whole number", key);
    if (!f->bad && (number < min || number > max))
        fields_refuse(f, "bad_request", "'%s' must be %lld to %lld", key, (long long)min, (long long)max);
    return f->bad ? fallback : number;
}

int64_t field_timeout_ms(struct fields *f, const struct device_settings *device)
{
    int64_t usual_ms = device ? device->timeout_ms : TIMEOUT_MS;

    return field_int(f, "timeout_ms", 10, usual_ms > TIMEOUT_MAX_MS ? usual_ms : TIMEOUT_MAX_MS, usual_ms);
}

bool field_bool(struct fields *f, const char *key, bool fallback)
{
    const cJSON *v = field(f, key);

    if (!v)
        return fallback;
    if (!cJSON_IsBool(v))
        fields_refuse(f, "bad_request", "'%s' must be true or false", key);
    return cJSON_IsTrue(v);
}

const char *field_text(struct fields *f, const char *key, const char *fallback, char text[FIELD_TEXT_LEN])
{
    const cJSON *v = field(f, key);
    int64_t number;
    int len = 0;

    if (!v)
        return fallback;
    if (field_is_int(v, &number))
        len = snprintf(text, FIELD_TEXT_LEN, "%lld", (long long)number);
    else if (cJSON_IsString(v))
        len = snprintf(text, FIELD_TEXT_LEN, "%s", v->valuestring);
    else
        fields_refuse(f, "bad_request", "'%s' must be a text", key);
    if (len >= FIELD_TEXT_LEN)
        fields_refuse(f, "bad_request", "'%s' is too long", key);
    return f->bad ? fallback : text;
}

const cJSON *field_list(struct fields *f, const char *key)
{
    const cJSON *v = field(f, key);

    if (v && !cJSON_IsArray(v))
        fields_refuse(f, "bad_request", "'%s' must be a list", key);
    return f->bad ? NULL : v;
}

int field_word(struct fields *f, const char *key, const char *const *words)
{
    char text[FIELD_TEXT_LEN];
    const char *word = field_text(f, key, NULL, text);
    struct near near;

    if (!word)
        return -1;
    near = near_to(str_of(word));
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], word) == 0)
            return i;
        near_offer(&near, words[i]);
    }
    fields_refuse(f, "bad_request", "'%s' cannot be '%.40s'%s%s%s", key, word, near.best ? "; did you mean '" : "",
                  near.best ? near.best : "", near.best ? "'?" : "");
    return -1;
}

static const struct bus_settings *find_bus(struct fields *f, const struct job_site *site, const char *name)
{
    struct near near = near_to(str_of(name));

    for (size_t i = 0; i < site->bus_count; i++) {
        if (strcmp(site->buses[i].name, name) == 0)
            return &site->buses[i];
        near_offer(&near, site->buses[i].name);
    }
    fields_refuse(f, "no_such_bus", "there is no bus '%.64s'%s%s%s", name, near.best ? "; did you mean '" : "",
                  near.best ? near.best : "", near.best ? "'?" : "");
    return NULL;
}

static const struct device_settings *find_device(struct fields *f, const struct job_site *site, const char *name,
                                                 const struct bus_settings **ret_bus)
{
    struct near near = near_to(str_of(name));

    for (size_t i = 0; i < site->bus_count; i++) {
        const struct bus_settings *bus = &site->buses[i];

        for (size_t k = 0; k < bus->device_count; k++) {
            if (strcmp(bus->devices[k].name, name) == 0) {
                *ret_bus = bus;
                return &bus->devices[k];
            }
            near_offer(&near, bus->devices[k].name);
        }
    }
    fields_refuse(f, "no_such_device", "there is no device '%.64s'%s%s%s", name, near.best ? "; did you mean '" : "",
                  near.best ? near.best : "", near.best ? "'?" : "");
    return NULL;
}

void fields_place(struct fields *f, const struct job_site *site, const struct bus_settings **ret_bus,
                  const struct device_settings **ret_device)
{
    char bus_text[FIELD_TEXT_LEN];
    char device_text[FIELD_TEXT_LEN];
    const char *bus = field_text(f, "bus", NULL, bus_text);
    const char *device = field_text(f, "device", NULL, device_text);

    *ret_bus = NULL;
    *ret_device = NULL;
    if (f->bad)
        return;
    if ((bus != NULL) == (device != NULL))
        fields_refuse(f, "bad_request", "say either 'bus' or 'device'");
    else if (bus)
        *ret_bus = find_bus(f, site, bus);
    else
        *ret_device = find_device(f, site, device, ret_bus);
    if (*ret_bus && (*ret_bus)->type == BUS_SERIAL)
        fields_refuse(f, "not_modbus", "nobody speaks Modbus on bus '%s'", (*ret_bus)->name);
}

static bool is_known(const struct fields *f, const char *key)
{
    static const char *const always[] = {"id", "request"};

    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        if (strcmp(always[i], key) == 0)
            return true;
    for (size_t i = 0; i < f->known_count; i++)
        if (strcmp(f->known[i], key) == 0)
            return true;
    return false;
}

void fields_end(struct fields *f)
{
    const cJSON *v;

    cJSON_ArrayForEach(v, f->request)
    {
        const char *key = v->string;
        struct near near = near_to(str_of(key));

        if (f->bad || is_known(f, key))
            continue;
        for (size_t i = 0; i < f->known_count; i++)
            near_offer(&near, f->known[i]);
        fields_refuse(f, "bad_request", "unknown key '%.40s'%s%s%s", key, near.best ? "; did you mean '" : "",
                      near.best ? near.best : "", near.best ? "'?" : "");
    }
}

static const char *read_number(const char *at, int64_t min, int64_t max, int64_t *ret_number)
{
    char *end;

    if (*at < '0' || *at > '9')
        return NULL;
    *ret_number = strtoll(at, &end, 10);
    return *ret_number < min || *ret_number > max ? NULL : end;
}

size_t fields_ranges(const char *text, int64_t min, int64_t max, uint8_t *ret_numbers, size_t room)
{
    bool has[256] = {false};
    size_t count = 0;

    for (const char *at = text;; at++) {
        int64_t from = 0;
        int64_t to;

        at = read_number(at, min, max, &from);
        to = from;
        if (at && *at == '-')
            at = read_number(at + 1, min, max, &to);
        if (!at || to < from || (*at != ',' && *at != '\0'))
            return 0;
        for (int64_t n = from; n <= to; n++) {
            if (has[n])
                continue;
            if (count == room)
                return 0;
            has[n] = true;
            ret_numbers[count++] = (uint8_t)n;
        }
        if (*at == '\0')
            return count;
    }
}
