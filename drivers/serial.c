/* serial - see serial.h. */
#include "drivers/serial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/reading.h"
#include "drivers/modbus_words.h"
#include "drivers/serial_frame.h"
#include "drivers/serial_match.h"
#include "drivers/serial_text.h"
#include "drivers/value.h"

enum { NO_TAG = UINT32_MAX };

struct message {
    const struct serial_message *settings;
    struct match *match; /* NULL: fields */
    uint32_t tags[MATCH_GROUP_MAX];
};

struct serial {
    const struct serial_settings *settings;
    const struct device_settings *device;
    struct framer *framer;
    struct message *messages;
    struct serial_counters counters;
};

static uint32_t find_tag(const struct device_settings *device, const char *name)
{
    for (uint32_t i = 0; i < device->tag_count; i++)
        if (strcmp(device->tags[i].name, name) == 0)
            return i;
    return NO_TAG;
}

static int init_message(struct message *m, const struct serial_message *settings, const struct device_settings *device)
{
    struct match_error error;
    int r;

    m->settings = settings;
    if (!settings->match)
        return 0;
    r = match_new(settings->match, &m->match, &error);
    for (size_t i = 0; r == 0 && i < match_group_count(m->match); i++)
        m->tags[i] = find_tag(device, match_group_name(m->match, i));
    return r;
}

int serial_new(const struct serial_settings *settings, const struct device_settings *device, struct serial **ret_serial)
{
    struct serial *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    s->settings = settings;
    s->device = device;
    s->messages = calloc(settings->message_count + 1, sizeof(*s->messages));
    r = s->messages ? framer_new(&settings->frame, &s->framer) : -ENOMEM;
    for (size_t i = 0; r == 0 && i < settings->message_count; i++)
        r = init_message(&s->messages[i], &settings->messages[i], device);
    if (r < 0) {
        serial_free(s);
        return r;
    }
    *ret_serial = s;
    return 0;
}

void serial_free(struct serial *s)
{
    if (!s)
        return;
    for (size_t i = 0; s->messages && i < s->settings->message_count; i++)
        match_free(s->messages[i].match);
    framer_free(s->framer);
    free(s->messages);
    free(s);
}

void serial_clear(struct serial *s, bool fresh)
{
    framer_clear(s->framer, fresh);
}

size_t serial_put(struct serial *s, const uint8_t *bytes, size_t len)
{
    return framer_put(s->framer, bytes, len);
}

void serial_silence(struct serial *s)
{
    framer_silence(s->framer);
}

bool serial_is_waiting(const struct serial *s)
{
    return framer_is_waiting(s->framer);
}

static bool has_reading(const struct batch *b, uint32_t tag)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->readings[i].tag == tag)
            return true;
    return false;
}

/* The first message that speaks of a tag is believed. */
static void add_reading(struct batch *out, struct reading r)
{
    if (has_reading(out, r.tag))
        return;
    if (r.reason.kind == REASON_NONE)
        batch_add(out, r.tag, r.value);
    else
        batch_add_bad(out, r.tag, r.reason);
}

static bool take_match(struct serial *s, struct message *m, struct str text, struct batch *out)
{
    struct str found;
    int r = match_run(m->match, text);

    if (r < 0)
        s->counters.given_up++;
    if (r <= 0)
        return false;
    for (size_t i = 0; i < match_group_count(m->match); i++) {
        uint32_t tag = m->tags[i];

        if (tag != NO_TAG && match_group_text(m->match, i, &found))
            add_reading(out, text_decode(&s->device->tags[tag], &s->settings->texts[tag], tag, found));
    }
    return true;
}

static size_t field_len(const struct tag_settings *tag, const struct serial_field *field)
{
    if (field->width > 0)
        return field->width;
    return tag->type == TYPE_STRING ? tag->form.length : type_bits(tag->type) / 8;
}

/* Fewer bytes than the type has: no words whose order could be mixed. */
static uint64_t read_part(const struct tag_settings *tag, const uint8_t *bytes, size_t len)
{
    bool little = tag->order == ORDER_DCBA || tag->order == ORDER_BADC;
    uint64_t raw = 0;

    for (size_t i = 0; i < len; i++)
        raw = raw << 8 | bytes[little ? len - 1 - i : i];
    return raw;
}

static struct reading decode_field(const struct tag_settings *tag, const struct serial_field *field,
                                   const uint8_t *frame, char text[VALUE_TEXT_MAX])
{
    uint8_t *bytes = (uint8_t *)text;
    uint16_t regs[4];
    size_t len = field_len(tag, field);
    uint32_t index = field->tag;

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(frame[field->offset + i] - field->minus);
    if (tag->type == TYPE_STRING)
        return value_decode_text(index, (struct str){.data = text, .len = len});
    if (len == 1 || field->width > 0)
        return value_decode(tag, index, read_part(tag, bytes, len));
    for (size_t i = 0; i < len / 2; i++)
        regs[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
    return value_decode(tag, index, words_get(regs, len / 2, tag->order));
}

/* A frame that is too short for one of them is none of this message. */
static bool take_fields(const struct serial *s, const struct message *m, const struct frame *frame, struct batch *out)
{
    const struct serial_message *settings = m->settings;
    char text[VALUE_TEXT_MAX];

    for (size_t i = 0; i < settings->field_count; i++) {
        const struct serial_field *field = &settings->fields[i];

        if (field->offset + field_len(&s->device->tags[field->tag], field) > frame->payload_len)
            return false;
    }
    for (size_t i = 0; i < settings->field_count; i++) {
        const struct serial_field *field = &settings->fields[i];

        add_reading(out, decode_field(&s->device->tags[field->tag], field, frame->bytes, text));
    }
    return true;
}

static bool contains(struct str text, const struct serial_message *m)
{
    if (m->contains.len == 0)
        return true;
    return text.len >= m->contains_at + m->contains.len &&
           memcmp(text.data + m->contains_at, m->contains.data, m->contains.len) == 0;
}

static bool take_frame(struct serial *s, struct message *m, const struct frame *frame, struct batch *out)
{
    struct str text = {.data = (const char *)frame->bytes, .len = frame->payload_len};

    if (!str_starts_with(text, m->settings->begins) || !contains(text, m->settings))
        return false;
    return m->match ? take_match(s, m, text, out) : take_fields(s, m, frame, out);
}

static bool offer(struct serial *s, const struct frame *frame, size_t asked, struct batch *out, bool *ret_answered)
{
    bool known = false;

    *ret_answered = false;
    for (size_t i = 0; i < s->settings->message_count; i++) {
        struct message *m = &s->messages[i];

        if (m->settings->send.len > 0 && i != asked)
            continue;
        if (!take_frame(s, m, frame, out))
            continue;
        known = true;
        *ret_answered |= i == asked;
    }
    return known;
}

bool serial_next(struct serial *s, size_t asked, struct batch *out, bool *ret_answered)
{
    struct frame frame;

    while (framer_next(s->framer, &frame)) {
        if (offer(s, &frame, asked, out, ret_answered)) {
            s->counters.frames++;
            return true;
        }
        if (s->settings->frame.checksum.type == CHECKSUM_NONE) {
            framer_reject(s->framer);
        } else {
            framer_look_inside(s->framer);
            s->counters.unknown++;
        }
    }
    return false;
}

size_t serial_message_tags(const struct serial *s, size_t message, uint32_t *ret_tags)
{
    const struct message *m = &s->messages[message];
    size_t count = 0;

    for (uint32_t tag = 0; tag < s->device->tag_count; tag++) {
        bool given = false;

        for (size_t i = 0; m->match && i < match_group_count(m->match); i++)
            given |= m->tags[i] == tag;
        for (size_t i = 0; i < m->settings->field_count; i++)
            given |= m->settings->fields[i].tag == tag;
        if (given)
            ret_tags[count++] = tag;
    }
    return count;
}

struct serial_counters serial_counters(const struct serial *s)
{
    struct framer_counters f = framer_counters(s->framer);
    struct serial_counters c = s->counters;

    c.whole = f.whole;
    c.damaged = f.damaged;
    c.garbage_bytes = f.garbage_bytes;
    return c;
}
