/* cli_write_tag - see cli_write_tag.h. */
#include "cli/cli_write_tag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli_values.h"
#include "config/near.h"

static const struct tag_settings *find_tag(const struct session *s, const struct device_settings *d, const char *name)
{
    struct near near = near_to(str_of(name));

    for (size_t i = 0; i < d->tag_count; i++) {
        if (strcmp(d->tags[i].name, name) == 0)
            return &d->tags[i];
        near_offer(&near, d->tags[i].name);
    }
    if (near.best)
        session_complain(s, "'%s' has no tag '%s'; did you mean '%s'?", d->name, name, near.best);
    else
        session_complain(s, "'%s' has no tag '%s'", d->name, name);
    return NULL;
}

static void on_old(void *arg, const cJSON *object, struct str text)
{
    struct values *v = arg;
    const cJSON *item;

    (void)text;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(object, "values"))
    {
        if (v->count == VALUES_MAX)
            break;
        v->known[v->count] = cJSON_IsNumber(item);
        v->regs[v->count++] = cJSON_IsNumber(item) ? (uint16_t)item->valueint : 0;
    }
}

/* What it holds now; not everything that can be written can be read. */
static void show_plan(struct session *s, const struct tag_write *w, const struct tag_settings *tag)
{
    static const char *const tables[] = {
        [TABLE_COIL] = "coil", [TABLE_DISCRETE] = "discrete", [TABLE_INPUT] = "input", [TABLE_HOLDING] = "holding"};
    struct values *v = calloc(1, sizeof(*v));
    cJSON *request = cJSON_CreateObject();
    struct buf old = {0};

    if (v && request) {
        v->table = tag->table;
        v->address = tag->address;
        cJSON_AddStringToObject(request, "device", w->device);
        cJSON_AddStringToObject(request, "table", tables[tag->table]);
        cJSON_AddNumberToObject(request, "address", tag->address);
        cJSON_AddNumberToObject(request, "count", table_is_bits(tag->table) ? 1 : tag_width(tag));
        session_run(s, "read", request, on_old, v);
        request = NULL;
    }
    if (!v || !values_decode_tag(v, tag, &old))
        buf_put_text(&old, "unknown");
    printf("%s %s: " STR_FMT " -> %s %s\n", w->device, tag->name, STR_ARG(buf_str(&old)), w->value, tag->unit);
    fflush(stdout);
    buf_fini(&old);
    cJSON_Delete(request);
    free(v);
}

static cJSON *make_request(const struct tag_write *w)
{
    cJSON *request = cJSON_CreateObject();
    cJSON *values = request ? cJSON_AddObjectToObject(request, "v") : NULL;
    cJSON *value = cJSON_ParseWithOpts(w->value, NULL, true);

    if (!cJSON_IsNumber(value) && !cJSON_IsBool(value)) {
        cJSON_Delete(value);
        value = cJSON_CreateString(w->value);
    }
    if (!values || !value || !cJSON_AddItemToObject(values, w->tag, value)) {
        cJSON_Delete(request);
        return NULL;
    }
    cJSON_AddStringToObject(request, "device", w->device);
    if (w->verify)
        cJSON_AddBoolToObject(request, "verify", true);
    return request;
}

static void on_told(void *arg, const cJSON *object, struct str text)
{
    const struct tag_write *w = arg;
    const char *result = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "result"));

    if (w->json)
        printf(STR_FMT "\n", STR_ARG(text));
    else if (result)
        puts(result);
}

static const struct device_settings *find_device(const struct session *s, const char *name)
{
    const struct device_settings *device = NULL;
    const struct bus_settings *bus;
    cJSON *place = cJSON_CreateObject();

    if (place && session_place(s, name, place, &bus, &device) == 0 && !device)
        session_complain(s, "'%s' is a bus: a tag is a device's", name);
    cJSON_Delete(place);
    return device;
}

int cli_write_tag(struct session *s, const struct tag_write *w)
{
    const struct device_settings *device = find_device(s, w->device);
    const struct tag_settings *tag = device ? find_tag(s, device, w->tag) : NULL;
    struct tag_write asked = *w;
    cJSON *request;

    if (!tag)
        return 1;
    if (s->daemon < 0) {
        session_complain(s, "tags are written by the gateway, which does not run; holding and coil write without it");
        return 1;
    }
    if (!w->json) {
        show_plan(s, w, tag);
        if (!w->yes && !session_confirm(s, "Write?"))
            return 1;
    }
    request = make_request(w);
    return request && session_run(s, "set", request, on_told, &asked) == SESSION_DONE ? 0 : 1;
}
