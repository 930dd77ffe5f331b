/* documents - the JSON payloads of publish/: info, devices, status, json. Design section 5. */
#include "core/json.h"
#include "core/value_json.h"
#include "publish/state.h"

static const char *const type_names[] = {
    [TYPE_BOOL] = "bool", [TYPE_U8] = "u8",       [TYPE_S8] = "s8",       [TYPE_U16] = "u16",       [TYPE_S16] = "s16",
    [TYPE_U32] = "u32",   [TYPE_S32] = "s32",     [TYPE_U64] = "u64",     [TYPE_S64] = "s64",       [TYPE_F32] = "f32",
    [TYPE_F64] = "f64",   [TYPE_BCD16] = "bcd16", [TYPE_BCD32] = "bcd32", [TYPE_STRING] = "string",
};

void document_info(const struct publish *p, struct buf *out)
{
    struct json j = json_to(out);

    json_object_begin(&j);
    json_key(&j, "id");
    json_text(&j, p->gateway_id);
    json_key(&j, "version");
    json_text(&j, WIREPOST_VERSION);
    json_key(&j, "started");
    stamp_value(&j, p->clock, p->started_ms);
    json_object_end(&j);
}

/* offset: what is to be added to `mono` of a message of this boot, to get its ts. */
void document_clock(const struct stamp_clock *clock, struct buf *out)
{
    struct json j = json_to(out);

    json_object_begin(&j);
    json_key(&j, "trusted");
    json_bool(&j, clock->trusted);
    json_key(&j, "boot");
    json_text(&j, clock->now.id);
    json_key(&j, "offset");
    stamp_value(&j, clock, 0);
    json_object_end(&j);
}

/* What the tag may say, when it speaks in words. */
static void write_words(struct json *j, const struct value_form *form)
{
    if (form->word_count == 0)
        return;
    json_key(j, "enum");
    json_array_begin(j);
    for (size_t i = 0; i < form->word_count; i++)
        json_text(j, form->words[i].word);
    json_array_end(j);
}

static void write_device_tags(struct json *j, const struct device_settings *settings)
{
    json_object_begin(j);
    for (size_t i = 0; i < device_all_tags(settings); i++) {
        const struct tag_settings *tag = &settings->tags[i];

        json_key(j, tag->name);
        json_object_begin(j);
        json_key(j, "unit");
        json_text(j, tag->unit);
        json_key(j, "type");
        json_text(j, type_names[tag->type]);
        write_words(j, &tag->form);
        json_key(j, "poll_ms");
        json_int(j, tag->poll_ms);
        if (tag->write.allowed) {
            json_key(j, "write");
            json_bool(j, true);
        }
        json_object_end(j);
    }
    json_object_end(j);
}

static void write_actions(struct json *j, const struct device_settings *settings)
{
    if (settings->action_count == 0)
        return;
    json_key(j, "actions");
    json_array_begin(j);
    for (size_t i = 0; i < settings->action_count; i++)
        json_text(j, settings->actions[i].name);
    json_array_end(j);
}

static void write_device(struct json *j, const struct device_publish *d)
{
    json_key(j, d->settings->name);
    json_object_begin(j);
    json_key(j, "bus");
    json_text(j, d->bus->name);
    json_key(j, "unit");
    json_int(j, d->settings->unit);
    json_key(j, "template");
    if (d->settings->template_name)
        json_text(j, d->settings->template_name);
    else
        json_null(j);
    json_key(j, "tags");
    write_device_tags(j, d->settings);
    write_actions(j, d->settings);
    json_object_end(j);
}

void document_devices(const struct publish *p, struct buf *out)
{
    struct json j = json_to(out);

    json_object_begin(&j);
    for (size_t b = 0; b < p->bus_room; b++) {
        const struct bus_publish *bus = p->buses[b];

        for (size_t i = 0; bus && i < bus->settings->device_count; i++)
            if (!bus->devices[i].taken_over)
                write_device(&j, &bus->devices[i]);
    }
    json_object_end(&j);
}

static void write_reason(struct json *j, struct reason reason)
{
    struct buf text = {0};

    reason_print(reason, &text);
    json_str(j, buf_str(&text));
    buf_fini(&text);
}

static void write_count(struct json *j, const char *name, uint64_t count)
{
    json_key(j, name);
    json_uint(j, count);
}

void document_status(const struct stamp_clock *clock, const struct health *h, struct buf *out)
{
    struct json j = json_to(out);

    json_object_begin(&j);
    json_key(&j, "state");
    json_text(&j, device_state_name(h->state));
    json_key(&j, "since");
    stamp_value(&j, clock, h->since_ms);
    json_key(&j, "reason");
    write_reason(&j, h->reason);
    write_count(&j, "requests", h->requests);
    write_count(&j, "answers", h->answers);
    write_count(&j, "timeouts", h->timeouts);
    write_count(&j, "crc_errors", h->crc_errors);
    write_count(&j, "exceptions", h->exceptions);
    write_count(&j, "bad_replies", h->bad_replies);
    write_count(&j, "late_answers", h->late_answers);
    if (h->garbage_bytes > 0)
        write_count(&j, "garbage_bytes", h->garbage_bytes);
    write_count(&j, "latency_ms", h->latency_ms);
    write_count(&j, "latency_max_ms", h->latency_max_ms);
    write_count(&j, "timeout_ms", h->timeout_ms);
    write_count(&j, "foreign", h->faults.foreign);
    write_count(&j, "echoes", h->faults.echoes);
    write_count(&j, "noise", h->faults.noise);
    json_key(&j, "exception_codes");
    standing_write_exceptions(&j, &h->faults);
    json_key(&j, "latency");
    standing_write_latency(&j, &h->latency);
    json_key(&j, "last_error");
    standing_write_error(&j, &h->error, NULL);
    json_key(&j, "setup");
    json_text(&j, setup_state_name(h->setup));
    json_object_end(&j);
}

void document_json(const struct stamp_clock *clock, const struct device_publish *d, const uint32_t *tags, size_t count,
                   int64_t ts_ms, struct buf *out)
{
    struct json j = json_to(out);

    json_object_begin(&j);
    stamp_write(&j, clock, ts_ms);
    write_count(&j, "seq", d->seq);
    json_key(&j, "v");
    json_object_begin(&j);
    for (size_t i = 0; i < count; i++) {
        json_key(&j, d->tags[tags[i]].settings->name);
        json_value(&j, &d->tags[tags[i]].value);
    }
    json_object_end(&j);
    json_key(&j, "q");
    json_object_begin(&j);
    for (size_t i = 0; i < count; i++) {
        const struct tag_state *tag = &d->tags[tags[i]];

        if (tag->bad.kind == REASON_NONE)
            continue;
        json_key(&j, tag->settings->name);
        write_reason(&j, tag->bad);
    }
    json_object_end(&j);
    json_object_end(&j);
}
