/* publication - see publication.h. */
#include "broker/publication.h"

#include <errno.h>

#include "broker/delivery.h"
#include "core/clock.h"
#include "core/reader.h"
#include "mqtt/packet.h"

#define EXPIRY_LEN 5 /* identifier and four bytes */
#define ALIAS_LEN  3 /* identifier and two bytes */

struct publication publication_of_message(struct message *m, int64_t now_run_ms)
{
    struct publication p = {
        .topic = m->topic,
        .payload = m->payload,
        .props = m->props,
        .qos = m->qos,
        .retain = m->retain,
        .m = message_ref(m),
    };

    if (m->expires_ms) {
        p.expires = true;
        p.expiry_s = m->expires_ms > now_run_ms ? (uint32_t)((m->expires_ms - now_run_ms + 999) / 1000) : 0;
    }
    return p;
}

void publication_fini(struct publication *p)
{
    message_unref(p->m);
    p->m = NULL;
}

struct message *publication_message(struct publication *p)
{
    if (p->m)
        return p->m;
    p->m = message_new(p->topic, p->payload, p->props, p->qos, p->retain);
    if (p->m && p->expires)
        p->m->expires_ms = clock_run_ms() + (int64_t)p->expiry_s * 1000;
    return p->m;
}

static size_t ids_len(const struct sub_ids *ids)
{
    size_t len = 0;

    for (uint32_t i = 0; ids && i < ids->count; i++)
        len += 1 + mqtt_varint_len(ids->ids[i]);
    return len;
}

static size_t props_len(const struct publication *p, const struct publish_form *form)
{
    return p->props.len + (p->expires ? EXPIRY_LEN : 0) + (form->alias.alias ? ALIAS_LEN : 0) + ids_len(form->ids);
}

/* As it goes out. */
static size_t topic_len(const struct publication *p, const struct publish_form *form)
{
    return form->alias.known ? 0 : p->topic.len;
}

static size_t remaining_len(const struct publication *p, const struct publish_form *form)
{
    size_t len = 2 + topic_len(p, form) + (form->qos ? 2 : 0) + p->payload.len;

    if (form->v5) {
        size_t props = props_len(p, form);

        len += mqtt_varint_len((uint32_t)props) + props;
    }
    return len;
}

size_t publication_len(const struct publication *p, const struct publish_form *form)
{
    size_t len = remaining_len(p, form);

    return 1 + mqtt_varint_len((uint32_t)len) + len;
}

static void append_props(const struct publication *p, const struct publish_form *form, struct buf *out)
{
    mqtt_put_varint(out, (uint32_t)props_len(p, form));
    if (p->expires) {
        buf_put_u8(out, MQTT_PROP_MESSAGE_EXPIRY);
        buf_put_u32(out, p->expiry_s);
    }
    if (form->alias.alias) {
        buf_put_u8(out, MQTT_PROP_TOPIC_ALIAS);
        buf_put_u16(out, form->alias.alias);
    }
    for (uint32_t i = 0; form->ids && i < form->ids->count; i++) {
        buf_put_u8(out, MQTT_PROP_SUBSCRIPTION_ID);
        mqtt_put_varint(out, form->ids->ids[i]);
    }
    buf_append(out, p->props.data, p->props.len);
}

void publication_append(const struct publication *p, const struct publish_form *form, struct buf *out)
{
    size_t remaining = remaining_len(p, form);

    if (!buf_reserve(out, 5 + remaining))
        return;
    buf_put_u8(out, publish_first_byte(form->qos, form->retain, form->dup));
    mqtt_put_varint(out, (uint32_t)remaining);
    buf_put_u16(out, (uint16_t)topic_len(p, form));
    buf_append(out, p->topic.data, topic_len(p, form));
    if (form->qos)
        buf_put_u16(out, form->id);
    if (form->v5)
        append_props(p, form, out);
    buf_append(out, p->payload.data, p->payload.len);
}

const struct frame *publication_frame(struct publication *p, unsigned layout)
{
    struct frame *f = &p->frames[layout];
    struct buf *to = &p->scratch[layout];
    struct publish_form form = {.v5 = layout & FRAME_V5, .qos = layout & FRAME_WITH_ID ? 1 : 0};

    if (f->data)
        return f;
    buf_clear(to);
    publication_append(p, &form, to);
    if (buf_failed(to))
        return NULL;
    f->data = buf_data(to);
    f->len = buf_len(to);
    f->id_at = 1 + mqtt_varint_len((uint32_t)remaining_len(p, &form)) + 2 + p->topic.len;
    return f;
}

/* Bytes of the property that begins at data[at], after its identifier. */
static size_t property_len(const uint8_t *data, size_t at)
{
    switch (data[at]) {
    case MQTT_PROP_PAYLOAD_FORMAT:
        return 1;
    case MQTT_PROP_TOPIC_ALIAS:
        return 2;
    case MQTT_PROP_MESSAGE_EXPIRY:
    case MQTT_PROP_WILL_DELAY:
        return 4;
    case MQTT_PROP_USER: {
        size_t name = (size_t)data[at + 1] << 8 | data[at + 2];

        return 4 + name + ((size_t)data[at + 3 + name] << 8 | data[at + 4 + name]);
    }
    case MQTT_PROP_SUBSCRIPTION_ID: {
        size_t len = 1;

        while (data[at + len] & 0x80)
            len++;
        return len;
    }
    default: /* content type, response topic, correlation data: two bytes of length */
        return 2 + ((size_t)data[at + 1] << 8 | data[at + 2]);
    }
}

static bool travels(uint8_t id)
{
    return id != MQTT_PROP_MESSAGE_EXPIRY && id != MQTT_PROP_TOPIC_ALIAS && id != MQTT_PROP_WILL_DELAY &&
           id != MQTT_PROP_SUBSCRIPTION_ID;
}

int publication_props(struct str block, struct buf *scratch, struct str *ret_props)
{
    const uint8_t *data = (const uint8_t *)block.data;
    size_t len;

    buf_clear(scratch);
    for (size_t at = 0; at < block.len; at += len) {
        len = 1 + property_len(data, at);
        if (travels(data[at]))
            buf_append(scratch, data + at, len);
    }
    if (buf_failed(scratch))
        return -ENOMEM;
    *ret_props = buf_len(scratch) == block.len ? block : buf_str(scratch);
    return 0;
}
