/* serial_frame - see serial_frame.h. */
#include "drivers/serial_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/checksum.h"

enum verdict { MORE, BROKEN, WHOLE };

struct framer {
    const struct frame_settings *s;
    uint8_t *data;
    size_t cap;
    size_t head;
    size_t len;
    size_t found;   /* bytes of the frame given out last */
    size_t foreign; /* bytes from the head on that belong to a frame nobody knows: no garbage */
    bool silent;    /* nothing follows what is held */
    bool torn;      /* the first bytes may be the end of a frame that began before */
    bool garbage;   /* in a stretch of it */
    struct framer_counters counters;
};

int framer_new(const struct frame_settings *settings, struct framer **ret_framer)
{
    struct framer *f = calloc(1, sizeof(*f));

    if (!f)
        return -ENOMEM;
    f->s = settings;
    f->cap = 2 * (size_t)settings->max;
    f->torn = true;
    f->data = malloc(f->cap);
    if (!f->data) {
        free(f);
        return -ENOMEM;
    }
    *ret_framer = f;
    return 0;
}

void framer_free(struct framer *f)
{
    if (!f)
        return;
    free(f->data);
    free(f);
}

void framer_clear(struct framer *f, bool fresh)
{
    f->head = 0;
    f->len = 0;
    f->found = 0;
    f->foreign = 0;
    f->silent = false;
    f->torn = !fresh;
}

static void drop(struct framer *f, size_t count)
{
    f->head += count;
    f->len -= count;
    f->foreign -= count < f->foreign ? count : f->foreign;
}

static void take_found(struct framer *f)
{
    drop(f, f->found);
    f->found = 0;
}

size_t framer_put(struct framer *f, const uint8_t *bytes, size_t len)
{
    size_t room;

    take_found(f);
    memmove(f->data, f->data + f->head, f->len);
    f->head = 0;
    room = f->cap - f->len;
    if (len > room)
        len = room;
    memcpy(f->data + f->len, bytes, len);
    f->len += len;
    f->silent = false;
    return len;
}

void framer_silence(struct framer *f)
{
    f->silent = true;
    if (!framer_is_waiting(f))
        f->torn = false;
}

bool framer_is_waiting(const struct framer *f)
{
    return f->len > f->found;
}

struct framer_counters framer_counters(const struct framer *f)
{
    return f->counters;
}

static bool may_stand_between(const struct framer *f, uint8_t c)
{
    const struct str *between = &f->s->between;

    return c == '\r' || c == '\n' || c == '\0' || (between->len > 0 && memchr(between->data, c, between->len));
}

static void count_garbage(struct framer *f, size_t count)
{
    if (count <= f->foreign)
        return;
    count -= f->foreign;
    if (!f->garbage)
        f->counters.damaged++;
    f->garbage = true;
    f->counters.garbage_bytes += count;
}

static void drop_garbage(struct framer *f, size_t count)
{
    count_garbage(f, count);
    drop(f, count);
}

/* Up to the first place where a frame may begin. */
static void find_start(struct framer *f)
{
    const struct str *start = &f->s->start;

    while (f->len > 0 && start->len > 0) {
        size_t have = f->len < start->len ? f->len : start->len;

        if (memcmp(f->data + f->head, start->data, have) == 0)
            return;
        if (may_stand_between(f, f->data[f->head]))
            drop(f, 1);
        else
            drop_garbage(f, 1);
    }
}

static bool has_checksum(const struct checksum_settings *c, const uint8_t *p, size_t covered)
{
    const uint8_t *mark = p + covered;

    if (covered < c->from || (c->mark.len > 0 && memcmp(mark, c->mark.data, c->mark.len) != 0))
        return false;
    return checksum_holds(c, p + c->from, covered - c->from, mark + c->mark.len);
}

/* Whether these bytes are a frame: end and checksum in their places. */
static bool check(const struct frame_settings *s, const uint8_t *p, size_t total, struct frame *ret_frame)
{
    const struct checksum_settings *c = &s->checksum;
    size_t width = checksum_width(c);
    size_t behind = c->after_end ? width + c->mark.len : 0;
    size_t before = c->after_end ? 0 : width + c->mark.len;
    size_t end_at = total - behind - s->end.len;
    size_t covered = c->after_end ? end_at + s->end.len : end_at - before;

    if (total > s->max || total < behind + s->end.len + before + s->start.len)
        return false;
    if (s->end.len > 0 && memcmp(p + end_at, s->end.data, s->end.len) != 0)
        return false;
    if (c->type != CHECKSUM_NONE && !has_checksum(c, p, covered))
        return false;
    *ret_frame = (struct frame){.bytes = p, .len = total, .payload_len = end_at - before};
    return true;
}

static enum verdict by_length(const struct framer *f, const uint8_t *p, struct frame *ret_frame)
{
    const struct frame_settings *s = f->s;
    int64_t total = s->length;

    if (s->length_size > 0) {
        uint32_t field = 0;

        if (f->len < (size_t)s->length_at + s->length_size)
            return MORE;
        for (size_t i = 0; i < s->length_size; i++)
            field = field << 8 | p[s->length_at + (s->length_little ? s->length_size - 1u - i : i)];
        total = (int64_t)field + s->length_adds;
        if (total < s->length_at + s->length_size || total > s->max)
            return BROKEN;
    }
    if (f->len < (size_t)total)
        return MORE;
    return check(s, p, (size_t)total, ret_frame) ? WHOLE : BROKEN;
}

static enum verdict by_silence(const struct framer *f, const uint8_t *p, struct frame *ret_frame)
{
    if (!f->silent)
        return f->len > f->s->max ? BROKEN : MORE;
    return check(f->s, p, f->len, ret_frame) ? WHOLE : BROKEN;
}

/* Half a frame and the whole one behind it can have a good checksum together, by chance: the whole one alone, which
 * has it too, is the frame. */
static bool has_better_start(const struct frame_settings *s, const uint8_t *p, size_t total)
{
    const uint8_t *q = p;
    struct frame inner;

    if (s->start.len == 0 || s->checksum.type == CHECKSUM_NONE)
        return false;
    while ((q = memmem(q + 1, total - (size_t)(q + 1 - p), s->start.data, s->start.len)))
        if (check(s, q, total - (size_t)(q - p), &inner))
            return true;
    return false;
}

/* A checksum of bytes may itself begin like the end that follows it. */
static enum verdict by_end(const struct framer *f, const uint8_t *p, struct frame *ret_frame)
{
    const struct frame_settings *s = f->s;
    const struct checksum_settings *c = &s->checksum;
    size_t tail = s->end.len + (c->after_end ? checksum_width(c) + c->mark.len : 0);
    size_t slack = c->after_end || c->hex ? 0 : checksum_width(c);
    const uint8_t *end = NULL;
    size_t at;

    if (f->len > s->start.len)
        end = memmem(p + s->start.len, f->len - s->start.len, s->end.data, s->end.len);
    if (!end)
        return f->len > s->max ? BROKEN : MORE;
    at = (size_t)(end - p);
    if (at + tail > s->max)
        return BROKEN;
    for (size_t i = 0; i <= slack; i++) {
        if (at + i + tail > f->len)
            return MORE;
        if (check(s, p, at + i + tail, ret_frame))
            return has_better_start(s, p, at + i + tail) ? BROKEN : WHOLE;
    }
    return BROKEN;
}

static enum verdict judge(const struct framer *f, struct frame *ret_frame)
{
    const struct frame_settings *s = f->s;
    const uint8_t *p = f->data + f->head;
    enum verdict v;

    if (f->len < s->start.len)
        v = MORE;
    else if (s->length > 0 || s->length_size > 0)
        v = by_length(f, p, ret_frame);
    else if (s->idle_ms > 0)
        v = by_silence(f, p, ret_frame);
    else
        v = by_end(f, p, ret_frame);
    return v == MORE && f->silent ? BROKEN : v;
}

/* Bytes up to and with the end marker, or all but what may be the beginning of one: then the rest of it is to come. */
static size_t through_end(struct framer *f)
{
    const struct str *marker = &f->s->end;
    const uint8_t *p = f->data + f->head;
    const uint8_t *end = marker->len > 0 ? memmem(p, f->len, marker->data, marker->len) : NULL;

    f->torn = !end && !f->silent;
    if (end)
        return (size_t)(end - p) + marker->len;
    return f->torn && marker->len > 0 ? f->len - (marker->len - 1) : f->len;
}

static void pass_over(struct framer *f)
{
    const struct frame_settings *s = f->s;
    bool step = s->start.len > 0 || s->length > 0 || s->length_size > 0;

    drop_garbage(f, step ? 1 : through_end(f));
}

/* Without start and checksum, what follows a gap in the stream may be half a frame that looks like a whole one. */
static bool is_torn(struct framer *f)
{
    const struct frame_settings *s = f->s;
    bool torn = f->torn && s->start.len == 0 && s->checksum.type == CHECKSUM_NONE;

    f->torn = false;
    return torn;
}

bool framer_next(struct framer *f, struct frame *ret_frame)
{
    take_found(f);
    for (;;) {
        enum verdict v;

        find_start(f);
        if (f->len == 0)
            return false;
        v = judge(f, ret_frame);
        if (v == MORE)
            return false;
        if (v == BROKEN) {
            pass_over(f);
            continue;
        }
        if (is_torn(f)) {
            drop_garbage(f, ret_frame->len);
            continue;
        }
        f->garbage = false;
        f->counters.frames++;
        f->counters.whole++;
        f->found = ret_frame->len;
        return true;
    }
}

void framer_reject(struct framer *f)
{
    f->counters.frames--;
    if (f->s->start.len > 0)
        f->found = 1;
    count_garbage(f, f->found);
}

void framer_look_inside(struct framer *f)
{
    f->counters.frames--;
    f->foreign = f->found;
    if (f->s->start.len > 0)
        f->found = 1;
}
