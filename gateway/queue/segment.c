/* segment - see segment.h. */
#include "queue/segment.h"

#include <errno.h>
#include <zlib.h>

#include "core/message.h"

enum { FORMAT = 1, TOPIC_MAX = 65535 };
enum { FLAG_QOS = 0x03, FLAG_RETAIN = 0x04, FLAG_DRIVER = 0x08, FLAG_PROPS = 0x10, FLAG_EXPIRES = 0x20, FLAGS = 0x3f };

static void put_number(struct buf *out, uint64_t v)
{
    uint8_t bytes[10];
    size_t len = 0;

    while (v >= 0x80) {
        bytes[len++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    bytes[len++] = (uint8_t)v;
    buf_append(out, bytes, len);
}

static void put_bytes(struct buf *out, struct str s)
{
    put_number(out, s.len);
    buf_append(out, s.data, s.len);
}

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v < 0 ? -1 : 0);
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

static size_t count_shared(struct str a, struct str b)
{
    size_t max = a.len < b.len ? a.len : b.len;
    size_t n = 0;

    while (n < max && a.data[n] == b.data[n])
        n++;
    return n;
}

void segment_begin(struct segment_writer *w)
{
    buf_clear(&w->out);
    buf_put_u32(&w->out, 0); /* the checksum, known at the end */
    buf_put_u8(&w->out, FORMAT);
    w->topic = str_of("");
    w->seq = 0;
    w->time_ms = 0;
}

void segment_add(struct segment_writer *w, uint64_t seq, int64_t time_ms, const struct message *m)
{
    size_t shared = count_shared(w->topic, m->topic);
    uint8_t flags = m->qos & FLAG_QOS;

    if (m->retain)
        flags |= FLAG_RETAIN;
    if (m->origin == MESSAGE_FROM_DRIVER)
        flags |= FLAG_DRIVER;
    if (m->props.len)
        flags |= FLAG_PROPS;
    if (m->expires_ms > 0)
        flags |= FLAG_EXPIRES;

    put_number(&w->out, seq - w->seq);
    put_number(&w->out, zigzag((int64_t)((uint64_t)time_ms - (uint64_t)w->time_ms)));
    buf_put_u8(&w->out, flags);
    put_number(&w->out, shared);
    put_bytes(&w->out, (struct str){.data = m->topic.data + shared, .len = m->topic.len - shared});
    put_bytes(&w->out, m->payload);
    if (flags & FLAG_PROPS)
        put_bytes(&w->out, m->props);
    if (flags & FLAG_EXPIRES)
        put_number(&w->out, (uint64_t)m->expires_ms);
    w->topic = m->topic;
    w->seq = seq;
    w->time_ms = time_ms;
}

static uint32_t checksum(const uint8_t *data, size_t len)
{
    return (uint32_t)crc32_z(0, data, len);
}

int segment_end(struct segment_writer *w, struct str *ret_bytes)
{
    uint32_t crc;

    if (buf_failed(&w->out))
        return -ENOMEM;
    crc = checksum(w->out.data + 4, w->out.tail - 4);
    for (int i = 0; i < 4; i++)
        w->out.data[i] = (uint8_t)(crc >> (24 - 8 * i));
    *ret_bytes = buf_str(&w->out);
    return 0;
}

void segment_writer_fini(struct segment_writer *w)
{
    buf_fini(&w->out);
}

int segment_open(struct segment_reader *r, struct str bytes)
{
    uint32_t crc;

    *r = (struct segment_reader){.in = reader_of(bytes.data, bytes.len)};
    crc = read_u32(&r->in);
    if (read_u8(&r->in) != FORMAT || r->in.bad || crc != checksum(r->in.data + 4, bytes.len - 4))
        return -EBADMSG;
    return 0;
}

static uint64_t read_number(struct reader *in)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = read_u8(in);

        if (shift == 63 && byte > 1)
            break;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return v;
    }
    in->bad = true;
    return 0;
}

static struct str read_bytes(struct reader *in)
{
    uint64_t len = read_number(in);

    if (len > reader_left(in)) {
        in->bad = true;
        len = 0;
    }
    return read_str(in, (size_t)len);
}

/* The topic in r->topic: what it shares with the one before is still there. */
static void read_topic(struct segment_reader *r)
{
    uint64_t shared = read_number(&r->in);
    struct str rest = read_bytes(&r->in);

    if (shared > buf_len(&r->topic) || shared + rest.len > TOPIC_MAX) {
        r->in.bad = true;
        return;
    }
    buf_truncate(&r->topic, (size_t)shared);
    buf_append(&r->topic, rest.data, rest.len);
}

int segment_next(struct segment_reader *r, struct message **ret_message)
{
    struct reader *in = &r->in;
    uint64_t step;
    uint8_t flags;
    struct str payload;
    struct str props = str_of("");
    uint64_t expires_ms = 0;
    struct message *m;

    if (reader_left(in) == 0)
        return 0;
    step = read_number(in);
    r->time_ms = (int64_t)((uint64_t)r->time_ms + (uint64_t)unzigzag(read_number(in)));
    flags = read_u8(in);
    read_topic(r);
    payload = read_bytes(in);
    if (flags & FLAG_PROPS)
        props = read_bytes(in);
    if (flags & FLAG_EXPIRES)
        expires_ms = read_number(in);
    if (in->bad || flags > FLAGS || (flags & FLAG_QOS) == 3 || step == 0 || step > UINT64_MAX - r->seq ||
        expires_ms > INT64_MAX)
        return -EBADMSG;
    r->seq += step;

    m = buf_failed(&r->topic) ? NULL
                              : message_new(buf_str(&r->topic), payload, props, flags & FLAG_QOS, flags & FLAG_RETAIN);
    if (!m)
        return -ENOMEM;
    m->origin = flags & FLAG_DRIVER ? MESSAGE_FROM_DRIVER : MESSAGE_FROM_CLIENT;
    m->expires_ms = (int64_t)expires_ms;
    *ret_message = m;
    return 1;
}

void segment_reader_fini(struct segment_reader *r)
{
    buf_fini(&r->topic);
}
