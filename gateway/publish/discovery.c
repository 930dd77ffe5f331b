/* discovery - see discovery.h. */
#include "publish/discovery.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/json.h"
#include "core/units.h"
#include "publish/state.h"

/* A step of Home Assistant's numbers is at least this. */
#define MIN_STEP 0.001

/* Where what is about one tag goes. */
struct entity {
    const char *gateway_id;
    const struct device_settings *device;
    const struct tag_settings *tag;
};

static bool is_plain(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* The name with other characters replaced, and then something that keeps two such names apart. */
static void put_id(struct buf *out, const char *name)
{
    bool replaced = false;

    for (const char *c = name; *c; c++) {
        replaced |= !is_plain(*c);
        buf_put_u8(out, (uint8_t)(is_plain(*c) ? *c : '_'));
    }
    if (replaced)
        buf_printf(out, "_%08x", (unsigned)hash_bytes(0, name, strlen(name)));
}

static void put_device_id(struct buf *out, const char *gateway_id, const struct device_settings *d)
{
    buf_put_text(out, "wp_");
    put_id(out, gateway_id);
    buf_put_u8(out, '_');
    put_id(out, d->name);
}

void discovery_topic(const char *prefix, const char *gateway_id, const struct device_settings *d, struct buf *out)
{
    buf_printf(out, "%s/device/", prefix);
    put_device_id(out, gateway_id, d);
    buf_put_text(out, "/config");
}

static void put_text(struct json *j, const char *key, const char *text)
{
    if (!text || !*text)
        return;
    json_key(j, key);
    json_text(j, text);
}

/* `text` is a value's, and emptied. */
static void put_buf(struct json *j, const char *key, struct buf *text)
{
    json_key(j, key);
    json_str(j, buf_str(text));
    buf_fini(text);
}

static void put_device(struct json *j, const char *gateway_id, const struct device_settings *d)
{
    struct buf id = {0};

    put_device_id(&id, gateway_id, d);
    json_key(j, "device");
    json_object_begin(j);
    put_buf(j, "identifiers", &id);
    put_text(j, "name", *d->label ? d->label : d->name);
    put_text(j, "manufacturer", d->manufacturer);
    put_text(j, "model", d->model);
    json_object_end(j);
}

static void put_origin(struct json *j)
{
    json_key(j, "origin");
    json_object_begin(j);
    put_text(j, "name", "wirepost");
    put_text(j, "sw_version", WIREPOST_VERSION);
    json_object_end(j);
}

/* "wp/<gw>/d/<device>/" and the three parts. */
static void put_device_topic(struct json *j, const char *key, const char *gateway_id, const struct device_settings *d,
                             const char *kind, const char *name, const char *verb)
{
    struct buf topic = {0};

    buf_printf(&topic, "wp/%s/d/%s/%s%s%s", gateway_id, d->name, kind, name, verb);
    put_buf(j, key, &topic);
}

/* Available while both the gateway and the device are: their payloads are online and offline, the presets. */
static void put_availability(struct json *j, const char *gateway_id, const struct device_settings *d)
{
    struct buf state = {0};

    json_key(j, "availability");
    json_array_begin(j);
    json_object_begin(j);
    buf_printf(&state, "wp/%s/state", gateway_id);
    put_buf(j, "topic", &state);
    json_object_end(j);
    json_object_begin(j);
    put_device_topic(j, "topic", gateway_id, d, "availability", "", "");
    json_object_end(j);
    json_array_end(j);
    put_text(j, "availability_mode", "all");
}

/* One that says true and false, and no words. */
static bool is_bool(const struct tag_settings *tag)
{
    return (tag->type == TYPE_BOOL || tag->form.is_bit) && tag->form.word_count == 0;
}

static bool is_text(const struct tag_settings *tag)
{
    return tag->type == TYPE_STRING || tag->form.word_count > 0;
}

/* Of a tag that this message does not tell of, the state stays. */
#define JSON_VALUE_TEMPLATE                                                                                            \
    " %}{% if n in value_json.v %}{{ 'None' if value_json.v[n] is none else value_json.v[n] }}{% else %}"              \
    "{{ 'None' if this.state in ('unknown', 'unavailable') else this.state }}{% endif %}"
#define JSON_BOOL_TEMPLATE                                                                                             \
    " %}{% if n in value_json.v %}{{ 'None' if value_json.v[n] is none else 'on' if value_json.v[n] else 'off' }}"     \
    "{% else %}{{ this.state if this.state in ('on', 'off') else 'None' }}{% endif %}"

/* No data must not leave the last value standing: "None" is the state unknown. */
static void put_state(struct json *j, const struct entity *e)
{
    struct buf text = {0};
    struct json name = json_to(&text);

    if (e->device->publish != PUBLISH_JSON) {
        put_device_topic(j, "state_topic", e->gateway_id, e->device, "v/", e->tag->name, "");
        put_text(j, "value_template", "{{ value if value != '' else 'None' }}");
        return;
    }
    put_device_topic(j, "state_topic", e->gateway_id, e->device, "json", "", "");
    buf_put_text(&text, "{% set n = ");
    json_text(&name, e->tag->name);
    buf_put_text(&text, is_bool(e->tag) ? JSON_BOOL_TEMPLATE : JSON_VALUE_TEMPLATE);
    put_buf(j, "value_template", &text);
}

static bool is_said_before(const struct value_form *form, size_t word)
{
    for (size_t i = 0; i < word; i++)
        if (strcmp(form->words[i].word, form->words[word].word) == 0)
            return true;
    return false;
}

static void put_words(struct json *j, const struct value_form *form)
{
    json_key(j, "options");
    json_array_begin(j);
    for (size_t i = 0; i < form->word_count; i++)
        if (!is_said_before(form, i))
            json_text(j, form->words[i].word);
    json_array_end(j);
}

/* What the state of a bool is, by its value_template. */
static void put_bool_states(struct json *j, const struct entity *e, const char *on_key, const char *off_key)
{
    bool json = e->device->publish == PUBLISH_JSON;

    put_text(j, on_key, json ? "on" : "true");
    put_text(j, off_key, json ? "off" : "false");
}

static void put_double(struct json *j, const char *key, double v)
{
    char text[32];

    snprintf(text, sizeof(text), "%.15g", v);
    json_key(j, key);
    json_raw(j, text);
}

/* A number needs both its ends: without them people only look at it. */
static bool is_settable(const struct tag_settings *tag)
{
    return tag->write.allowed &&
           (is_bool(tag) || is_text(tag) || (isfinite(tag->write.min) && isfinite(tag->write.max)));
}

static const char *platform_of(const struct tag_settings *tag)
{
    bool set = is_settable(tag);

    if (is_bool(tag))
        return set ? "switch" : "binary_sensor";
    if (tag->form.word_count > 0)
        return set ? "select" : "sensor";
    if (tag->type == TYPE_STRING)
        return set ? "text" : "sensor";
    return set ? "number" : "sensor";
}

static void put_binary_sensor(struct json *j, const struct entity *e)
{
    put_text(j, "device_class", e->tag->device_class);
    put_bool_states(j, e, "payload_on", "payload_off");
}

static void put_sensor(struct json *j, const struct tag_settings *tag)
{
    if (tag->form.word_count > 0) {
        put_text(j, "device_class", "enum");
        put_words(j, &tag->form);
        return;
    }
    put_text(j, "device_class", tag->device_class);
    if (is_text(tag))
        return;
    put_text(j, "unit_of_measurement", unit_symbol(tag->unit));
    put_text(j, "state_class", tag->state_class);
    if (!tag->form.has_precision)
        return;
    json_key(j, "suggested_display_precision");
    json_int(j, tag->form.precision);
}

/* The smallest step that changes something: what one unit of the raw value is worth. */
static void put_range(struct json *j, const struct tag_settings *tag)
{
    double step =
        type_is_float(tag->type) ? pow(10, tag->form.has_precision ? -tag->form.precision : -1) : fabs(tag->scale);

    put_double(j, "min", tag->write.min);
    put_double(j, "max", tag->write.max);
    put_double(j, "step", step > MIN_STEP ? step : MIN_STEP);
    put_text(j, "mode", "box");
    put_text(j, "device_class", tag->device_class);
    put_text(j, "unit_of_measurement", unit_symbol(tag->unit));
}

/* What people can set besides looking at it. */
static void put_control(struct json *j, const struct entity *e)
{
    const struct tag_settings *tag = e->tag;

    put_device_topic(j, "command_topic", e->gateway_id, e->device, "v/", tag->name, "/set");
    if (is_bool(tag)) {
        put_text(j, "payload_on", "true");
        put_text(j, "payload_off", "false");
        put_bool_states(j, e, "state_on", "state_off");
    } else if (tag->form.word_count > 0) {
        put_words(j, &tag->form);
    } else if (tag->type == TYPE_STRING) {
        json_key(j, "max");
        json_int(j, 2 * tag->form.length);
    } else {
        put_range(j, tag);
    }
}

static void put_entity(struct json *j, const struct entity *e)
{
    struct buf id = {0};

    put_id(&id, e->tag->name);
    json_key_str(j, buf_str(&id));
    buf_clear(&id);
    json_object_begin(j);
    put_device_id(&id, e->gateway_id, e->device);
    buf_put_u8(&id, '_');
    put_id(&id, e->tag->name);
    put_buf(j, "unique_id", &id);
    put_text(j, "name", *e->tag->label ? e->tag->label : e->tag->name);
    put_text(j, "platform", platform_of(e->tag));
    if (is_settable(e->tag))
        put_control(j, e);
    else if (is_bool(e->tag))
        put_binary_sensor(j, e);
    else
        put_sensor(j, e->tag);
    put_state(j, e);
    json_object_end(j);
}

/* A request of its own that people may have carried out. */
static void put_action(struct json *j, const char *gateway_id, const struct device_settings *d,
                       const struct action_settings *action)
{
    struct buf text = {0};

    buf_put_text(&text, "action_");
    put_id(&text, action->name);
    json_key_str(j, buf_str(&text));
    buf_clear(&text);
    json_object_begin(j);
    put_device_id(&text, gateway_id, d);
    buf_put_text(&text, "_action_");
    put_id(&text, action->name);
    put_buf(j, "unique_id", &text);
    put_text(j, "name", action->name);
    put_text(j, "platform", "button");
    put_device_topic(j, "command_topic", gateway_id, d, "action/", action->name, "/set");
    json_object_end(j);
}

static bool has_tag(const struct device_settings *d, const char *name)
{
    for (size_t i = 0; i < device_all_tags(d); i++)
        if (strcmp(d->tags[i].name, name) == 0)
            return true;
    return false;
}

/* An entity with nothing but its platform is one to forget. */
static void put_forgotten(struct json *j, const struct device_settings *d, const struct device_settings *before)
{
    for (size_t i = 0; i < device_all_tags(before); i++) {
        struct buf id = {0};

        if (has_tag(d, before->tags[i].name))
            continue;
        put_id(&id, before->tags[i].name);
        json_key_str(j, buf_str(&id));
        buf_fini(&id);
        json_object_begin(j);
        put_text(j, "platform", platform_of(&before->tags[i]));
        json_object_end(j);
    }
}

void document_discovery(const char *gateway_id, const struct device_settings *d, const struct device_settings *before,
                        struct buf *out)
{
    struct json j = json_to(out);

    json_object_begin(&j);
    put_device(&j, gateway_id, d);
    put_origin(&j);
    put_availability(&j, gateway_id, d);
    json_key(&j, "qos");
    json_int(&j, 1);
    json_key(&j, "components");
    json_object_begin(&j);
    for (size_t i = 0; i < device_all_tags(d); i++) {
        const struct entity e = {.gateway_id = gateway_id, .device = d, .tag = &d->tags[i]};

        put_entity(&j, &e);
    }
    for (size_t i = 0; i < d->action_count; i++)
        put_action(&j, gateway_id, d, &d->actions[i]);
    if (before)
        put_forgotten(&j, d, before);
    json_object_end(&j);
    json_object_end(&j);
}

int publish_use_discovery(struct publish *p, const char *prefix)
{
    p->discovery_prefix = strdup(prefix);
    return p->discovery_prefix ? 0 : -ENOMEM;
}

void discovery_withdraw(struct publish *p, const struct device_settings *d)
{
    if (!p->discovery_prefix || !d->home_assistant)
        return;
    discovery_topic(p->discovery_prefix, p->gateway_id, d, &p->topic);
    publish_emit(p, 1);
}

void discovery_announce(struct publish *p, const struct device_settings *d, const struct device_settings *before)
{
    if (!p->discovery_prefix)
        return;
    if (!d->home_assistant) {
        if (before)
            discovery_withdraw(p, before);
        return;
    }
    discovery_topic(p->discovery_prefix, p->gateway_id, d, &p->topic);
    document_discovery(p->gateway_id, d, before && before->home_assistant ? before : NULL, &p->payload);
    publish_emit(p, 1);
}

void publish_rediscover(struct publish *p)
{
    for (size_t b = 0; b < p->bus_room; b++) {
        const struct bus_publish *bus = p->buses[b];

        for (size_t i = 0; bus && i < bus->settings->device_count; i++)
            if (!bus->devices[i].taken_over)
                discovery_announce(p, bus->devices[i].settings, NULL);
    }
}
