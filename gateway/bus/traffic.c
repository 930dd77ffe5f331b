/* traffic - see traffic.h. */
#include "bus/traffic.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NUMBER_LEN = 2 };

struct frame {
    int64_t wall_ms;
    int64_t mono_us;
    enum link_verdict verdict;
    uint16_t len;  /* as it was */
    uint16_t kept; /* bytes of it */
    uint16_t room;
    uint8_t *bytes;
};

struct traffic {
    enum bus_type type;
    pthread_mutex_t lock; /* guards the rest */
    struct frame frames[TRAFFIC_FRAMES];
    size_t count;
    size_t next;
};

/* A frame outside of the lock. */
struct copy {
    struct frame frame;
    uint8_t bytes[TRAFFIC_BYTES];
};

struct traffic *traffic_new(enum bus_type type)
{
    struct traffic *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->type = type;
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void traffic_free(struct traffic *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < TRAFFIC_FRAMES; i++)
        free(t->frames[i].bytes);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/*
 *   RTU    unit  function  code  checksum (2)
 *   TCP    number (2)  0 (2)  length (2)  unit  function  code
 *   ASCII  ':'  unit (2)  function (2)  code (2)  sum (2)  CR LF
 */
uint8_t traffic_exception(enum bus_type type, const uint8_t *bytes, size_t len)
{
    enum { RTU_AT = 2, TCP_AT = 8, ASCII_AT = 5 };

    if (type == BUS_MODBUS_ASCII && len > ASCII_AT + 1) {
        const char digits[] = {(char)bytes[ASCII_AT], (char)bytes[ASCII_AT + 1], '\0'};

        return (uint8_t)strtoul(digits, NULL, 16);
    }
    if (type == BUS_MODBUS_TCP)
        return len > TCP_AT ? bytes[TCP_AT] : 0;
    return len > RTU_AT ? bytes[RTU_AT] : 0;
}

static void keep_bytes(struct frame *f, const uint8_t *bytes, size_t len)
{
    size_t kept = len < TRAFFIC_BYTES ? len : TRAFFIC_BYTES;

    f->len = len < UINT16_MAX ? (uint16_t)len : UINT16_MAX;
    f->kept = 0;
    if (kept > f->room) {
        uint8_t *room = realloc(f->bytes, kept);

        if (!room)
            return;
        f->bytes = room;
        f->room = (uint16_t)kept;
    }
    if (kept > 0)
        memcpy(f->bytes, bytes, kept);
    f->kept = (uint16_t)kept;
}

void traffic_add(struct traffic *t, enum link_verdict verdict, const uint8_t *bytes, size_t len, int64_t wall_ms,
                 int64_t mono_us)
{
    struct frame *f;

    pthread_mutex_lock(&t->lock);
    f = &t->frames[t->next];
    f->wall_ms = wall_ms;
    f->mono_us = mono_us;
    f->verdict = verdict;
    keep_bytes(f, bytes, len);
    t->next = (t->next + 1) % TRAFFIC_FRAMES;
    if (t->count < TRAFFIC_FRAMES)
        t->count++;
    pthread_mutex_unlock(&t->lock);
}

static size_t copy_frames(struct traffic *t, struct copy *copies)
{
    size_t count;

    pthread_mutex_lock(&t->lock);
    count = t->count;
    for (size_t i = 0; i < count; i++) {
        const struct frame *f = &t->frames[(t->next + TRAFFIC_FRAMES - count + i) % TRAFFIC_FRAMES];

        copies[i].frame = *f;
        if (f->kept > 0)
            memcpy(copies[i].bytes, f->bytes, f->kept);
    }
    pthread_mutex_unlock(&t->lock);
    return count;
}

/* The request that frame `at` came after, or answers by its number; NULL when it is too long ago. */
static const struct copy *request_of(const struct traffic *t, const struct copy *copies, size_t at)
{
    bool numbered = t->type == BUS_MODBUS_TCP && copies[at].frame.kept >= NUMBER_LEN;

    for (size_t i = at; i-- > 0;) {
        const struct copy *c = &copies[i];

        if (c->frame.verdict != LINK_SENT && c->frame.verdict != LINK_BYTES)
            continue;
        if (!numbered || (c->frame.kept >= NUMBER_LEN && memcmp(c->bytes, copies[at].bytes, NUMBER_LEN) == 0))
            return c;
    }
    return NULL;
}

static void print_time(int64_t wall_ms, struct buf *out)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;

    localtime_r(&seconds, &tm);
    buf_printf(out, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(wall_ms % 1000));
}

static void print_latency(const struct copy *c, const struct copy *request, struct buf *out)
{
    int64_t us = request ? c->frame.mono_us - request->frame.mono_us : 0;

    if (!request)
        return;
    if (us < 10000)
        buf_printf(out, " %.1f ms", (double)us / 1000.0);
    else
        buf_printf(out, " %lld ms", (long long)((us + 500) / 1000));
}

static void print_verdict(const struct traffic *t, const struct copy *c, const struct copy *request, struct buf *out)
{
    static const char *const words[] = {
        [LINK_ANSWER] = "ok",
        [LINK_REFUSAL] = "exception",
        [LINK_WRONG] = "not what was asked",
        [LINK_FOREIGN] = "of another unit",
        [LINK_LATE] = "late",
        [LINK_DAMAGED] = "damaged",
        [LINK_NOISE] = "noise",
        [LINK_ECHO] = "echo",
        [LINK_SILENCE] = "timeout",
    };

    buf_printf(out, " %s", words[c->frame.verdict]);
    if (c->frame.verdict == LINK_REFUSAL)
        buf_printf(out, " %u", traffic_exception(t->type, c->bytes, c->frame.kept));
    if (c->frame.verdict != LINK_NOISE && c->frame.verdict != LINK_ECHO)
        print_latency(c, request, out);
}

static char direction_of(enum link_verdict verdict)
{
    if (verdict == LINK_SENT)
        return '>';
    return verdict == LINK_SILENCE ? '!' : '<';
}

static void print_frame(const struct traffic *t, const struct copy *copies, size_t at, struct buf *out)
{
    const struct copy *c = &copies[at];

    print_time(c->frame.wall_ms, out);
    buf_printf(out, " %c", direction_of(c->frame.verdict));
    for (size_t i = 0; i < c->frame.kept; i++)
        buf_printf(out, " %02X", c->bytes[i]);
    if (c->frame.kept < c->frame.len)
        buf_printf(out, " ... %u more", c->frame.len - c->frame.kept);
    if (c->frame.verdict != LINK_SENT)
        print_verdict(t, c, request_of(t, copies, at), out);
    buf_printf(out, "\n");
}

int traffic_print(struct traffic *t, struct buf *out)
{
    struct copy *copies = calloc(TRAFFIC_FRAMES, sizeof(*copies));
    size_t count;

    if (!copies)
        return -ENOMEM;
    count = copy_frames(t, copies);
    for (size_t i = 0; i < count; i++)
        print_frame(t, copies, i, out);
    free(copies);
    return buf_failed(out) ? -ENOMEM : 0;
}
