/*
 * serial_poll - see serial_poll.h.
 *
 * A late answer to one question must not become the answer to another. Where a device is asked several, the line is
 * listened to until there were as many frames as questions, or for LATE_FACTOR time-outs, after one was given up or
 * asked twice; what comes meanwhile is passed over.
 */
#include "bus/serial_poll.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus/poller.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/reading.h"
#include "drivers/iec62056.h"
#include "drivers/serial.h"

enum { CHUNK = 512, SILENT_AGAIN_MS = 1000, LATE_FACTOR = 4 };

struct serial_poll {
    struct poller *p;
    struct polled_device *d;
    const struct serial_settings *settings;
    struct serial *serial;
    uint32_t *tags;  /* room for a message's */
    int64_t *due_ms; /* of each message; INT64_MAX: it comes by itself */
    size_t requests; /* messages that are asked for */
    int64_t overdue_ms;
    bool is_open;
    bool too_slow; /* said of a pattern */

    size_t asked; /* SERIAL_NOT_ASKED: none */
    int32_t attempts_left;
    uint64_t owed;    /* answers that may still come */
    uint64_t whole;   /* frames counted so far */
    uint64_t unasked; /* of the new ones those that are no answers */
    int64_t sent_us;
    int64_t answer_until_ms;
    int64_t ask_not_before_ms; /* late answers may come until then */
    struct serial_counters before;

    int64_t last_byte_ms;
    int64_t silent_since_ms; /* of frames, for a device that is not asked */
};

int serial_poll_new(struct poller *p, struct serial_poll **ret_poll)
{
    const struct serial_settings *settings = p->settings->serial;
    const struct device_settings *device = p->settings->devices;
    struct serial_poll *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return -ENOMEM;
    s->p = p;
    s->d = &p->devices[0];
    s->settings = settings;
    s->asked = SERIAL_NOT_ASKED;
    s->overdue_ms = INT64_MAX;
    p->record.asked = s->d; /* all that is on the line is its */
    s->tags = calloc(device->tag_count + 1, sizeof(*s->tags));
    s->due_ms = calloc(settings->message_count + 1, sizeof(*s->due_ms));
    r = s->tags && s->due_ms ? serial_new(settings, device, &s->serial) : -ENOMEM;
    if (r < 0) {
        serial_poll_free(s);
        return r;
    }
    for (size_t i = 0; i < settings->message_count; i++) {
        bool by_itself = settings->messages[i].send.len == 0;

        s->due_ms[i] = by_itself ? INT64_MAX : 0;
        s->requests += !by_itself;
    }
    for (size_t i = 0; i < device->tag_count; i++)
        if (device->tags[i].stale_after_ms < s->overdue_ms)
            s->overdue_ms = device->tags[i].stale_after_ms;
    *ret_poll = s;
    return 0;
}

void serial_poll_free(struct serial_poll *s)
{
    if (!s)
        return;
    serial_free(s->serial);
    free(s->due_ms);
    free(s->tags);
    free(s);
}

static void begin(struct serial_poll *s, int64_t now_ms)
{
    serial_clear(s->serial, false);
    s->is_open = true;
    s->asked = SERIAL_NOT_ASKED;
    s->owed = 0;
    s->ask_not_before_ms = now_ms;
    s->last_byte_ms = now_ms;
    s->silent_since_ms = now_ms;
}

static void close_line(struct serial_poll *s)
{
    link_close(s->p->link);
    s->is_open = false;
}

static void copy_counters(struct serial_poll *s)
{
    struct serial_counters c = serial_counters(s->serial);
    struct health *h = &s->d->health.shown;

    h->crc_errors = c.damaged;
    h->bad_replies = c.unknown;
    h->garbage_bytes = c.garbage_bytes;
    h->faults.damaged = (uint32_t)c.damaged;
    h->faults.wrong = (uint32_t)c.unknown;
    s->p->status.faults.damaged = (uint32_t)c.damaged;
    s->p->status.faults.wrong = (uint32_t)c.unknown;
    if (c.given_up > 0 && !s->too_slow)
        log_warning("%s/%s: a pattern of 'match' takes too long on what was heard, passing such frames over",
                    s->p->settings->name, s->d->device.settings->name);
    s->too_slow = c.given_up > 0;
}

/* How long an unfinished frame may wait for its next byte. */
static int64_t gap_ms(const struct serial_poll *s)
{
    const struct frame_settings *f = &s->settings->frame;

    return f->idle_ms > 0 ? f->idle_ms : f->pause_ms;
}

static void answered(struct serial_poll *s, int64_t now_us)
{
    const struct serial_message *m = &s->settings->messages[s->asked];

    s->due_ms[s->asked] += m->every_ms;
    if (s->due_ms[s->asked] < now_us / 1000)
        s->due_ms[s->asked] = now_us / 1000;
    s->p->status.busy_us += (uint64_t)(now_us - s->sent_us);
    s->asked = SERIAL_NOT_ASKED;
    latency_add(&s->d->latency, now_us - s->sent_us);
    s->d->health.shown.latency = latency_summary(&s->d->latency, now_us / 1000);
    s->p->status.latency = s->d->health.shown.latency;
}

static void take_frame(struct serial_poll *s, struct batch *b, bool is_answer)
{
    struct poller *p = s->p;
    int64_t now_us = clock_mono_us();
    int64_t latency_us = is_answer ? now_us - s->sent_us : 0;
    bool was_away = health_is_quarantined(&s->d->health);

    if (is_answer)
        answered(s, now_us);
    s->unasked += !is_answer;
    s->silent_since_ms = now_us / 1000;
    s->d->health.shown.answers++;
    p->status.answers++;
    p->open_wait_ms = 0;
    health_answered(&s->d->health, latency_us, latency_us, clock_mono_ms(), clock_boot_ms());
    if (was_away)
        log_info("%s/%s: heard again", p->settings->name, s->d->device.settings->name);
    report_state(p, BUS_UP, "");
    b->ts_ms = clock_wall_ms() - latency_us / 2000;
    copy_counters(s);
    report_batch(p, s->d, b);
    report_counters(p);
}

/* Every frame that nobody expected was owed. */
static void settle(struct serial_poll *s)
{
    uint64_t whole = serial_counters(s->serial).whole;
    uint64_t paid = whole - s->whole - s->unasked;

    s->whole = whole;
    s->unasked = 0;
    s->owed -= paid < s->owed ? paid : s->owed;
    if (s->requests > 1)
        s->ask_not_before_ms =
            s->owed > 0 ? s->sent_us / 1000 + LATE_FACTOR * s->d->device.settings->timeout_ms : clock_mono_ms();
}

static void take_frames(struct serial_poll *s)
{
    for (;;) {
        struct batch *b = batch_new(s->d->device.settings->tag_count);
        bool is_answer = false;

        if (!b || !serial_next(s->serial, s->asked, b, &is_answer)) {
            batch_free(b);
            break;
        }
        take_frame(s, b, is_answer);
    }
    settle(s);
}

static void take_bytes(struct serial_poll *s)
{
    uint8_t bytes[CHUNK];
    int n = link_take_bytes(s->p->link, bytes, sizeof(bytes));

    if (n < 0) {
        close_line(s);
        return;
    }
    s->last_byte_ms = n > 0 ? clock_mono_ms() : s->last_byte_ms;
    for (int at = 0; at < n;) {
        at += (int)serial_put(s->serial, bytes + at, (size_t)(n - at));
        take_frames(s);
    }
}

/* "timeout: no answer" */
static void note_error(struct serial_poll *s, struct reason reason)
{
    struct last_error *e = &s->d->health.shown.error;
    struct buf text = {0};

    reason_print(reason, &text);
    e->ts_ms = clock_wall_ms();
    snprintf(e->text, sizeof(e->text), STR_FMT ": %s", STR_ARG(buf_str(&text)),
             s->requests > 0 ? "no answer" : "nothing heard");
    buf_fini(&text);
    s->p->status.error = *e;
    s->p->status.error_device = s->d->device.settings->name;
}

static void failed(struct serial_poll *s, struct reason reason, const uint32_t *tags, size_t count)
{
    struct poller *p = s->p;
    const struct link_trace trace = record_trace(p);

    p->status.errors++;
    copy_counters(s);
    note_error(s, reason);
    if (reason.kind == REASON_TIMEOUT)
        link_show(&trace, LINK_SILENCE, NULL, 0);
    if (health_failed(&s->d->health, reason, clock_mono_ms(), clock_boot_ms())) {
        log_warning("%s/%s: %s, %s", p->settings->name, s->d->device.settings->name, p->status.error.text,
                    s->requests > 0 ? "asking on" : "listening on");
        report_state(p, BUS_FAULT, s->requests > 0 ? "the device does not answer" : "nothing is heard from the device");
    }
    report_bad(p, s->d, tags, count, reason, clock_wall_ms());
    report_counters(p);
}

/* What came instead of an answer says more than that none came. */
static struct reason reason_of(const struct serial_poll *s)
{
    struct serial_counters now = serial_counters(s->serial);

    if (now.unknown > s->before.unknown)
        return (struct reason){.kind = REASON_BAD_REPLY};
    return (struct reason){.kind = now.garbage_bytes > s->before.garbage_bytes ? REASON_CRC : REASON_TIMEOUT};
}

static int put_request(struct serial_poll *s, const struct serial_message *m)
{
    if (m->sign_on == SIGN_ON_IEC62056)
        return iec62056_sign_on(s->p->link, m->send);
    return link_put_bytes(s->p->link, (const uint8_t *)m->send.data, m->send.len);
}

static void send_request(struct serial_poll *s, size_t message, int64_t now_ms)
{
    const struct serial_message *m = &s->settings->messages[message];
    int64_t timeout_ms = s->d->device.settings->timeout_ms;
    const struct bus_settings *bus = s->p->settings;
    int64_t line_ms = bus->host ? 0 : (int64_t)m->send.len * port_char_ns(&bus->port) / 1000000;
    int r;

    link_set_timeout(s->p->link, timeout_ms + line_ms);
    if (s->requests == s->settings->message_count) {
        take_bytes(s); /* what came unasked is no answer */
        serial_clear(s->serial, true);
    }
    r = s->is_open ? put_request(s, m) : -ENODEV;
    if (r == -ECANCELED)
        s->p->stopping = true;
    if (r == -ECANCELED || r == -ENODEV) {
        close_line(s);
        return;
    }
    /* Without a name there is no telegram to wait for. */
    s->asked = message;
    s->sent_us = clock_mono_us();
    s->answer_until_ms = r < 0 ? now_ms : s->sent_us / 1000 + line_ms + timeout_ms;
    s->before = serial_counters(s->serial);
    s->owed++;
    s->d->health.shown.requests++;
    s->p->status.requests++;
}

static void give_up(struct serial_poll *s, int64_t now_ms)
{
    size_t message = s->asked;
    struct reason reason = reason_of(s);

    s->p->status.busy_us += (uint64_t)(clock_mono_us() - s->sent_us);
    s->d->health.shown.timeouts += reason.kind == REASON_TIMEOUT;
    if (s->attempts_left-- > 0) {
        send_request(s, message, now_ms);
        return;
    }
    s->asked = SERIAL_NOT_ASKED;
    s->due_ms[message] = now_ms + s->settings->messages[message].every_ms;
    settle(s);
    failed(s, reason, s->tags, serial_message_tags(s->serial, message, s->tags));
}

/* The request due first. */
static size_t next_request(const struct serial_poll *s)
{
    size_t next = 0;

    for (size_t i = 1; i < s->settings->message_count; i++)
        if (s->due_ms[i] < s->due_ms[next])
            next = i;
    return next;
}

static int64_t ask_at(const struct serial_poll *s)
{
    int64_t due_ms = s->due_ms[next_request(s)];

    return due_ms > s->ask_not_before_ms ? due_ms : s->ask_not_before_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool listens_only(const struct serial_poll *s)
{
    return s->requests == 0;
}

static int64_t overdue_at(const struct serial_poll *s)
{
    return listens_only(s) && s->overdue_ms < INT64_MAX ? s->silent_since_ms + s->overdue_ms : INT64_MAX;
}

static int64_t next_event(const struct serial_poll *s)
{
    int64_t next_ms = overdue_at(s);

    next_ms = earlier(next_ms, s->last_byte_ms + gap_ms(s));
    if (s->asked != SERIAL_NOT_ASKED)
        return earlier(next_ms, s->answer_until_ms);
    return s->requests > 0 ? earlier(next_ms, ask_at(s)) : next_ms;
}

static void wait_and_take(struct serial_poll *s, int64_t now_ms)
{
    struct pollfd fds[] = {{.fd = s->p->stop_fd, .events = POLLIN},
                           {.fd = link_fd(s->p->link), .events = POLLIN},
                           {.fd = command_queue_fd(s->p->commands), .events = POLLIN}};
    int64_t left_ms = next_event(s) - now_ms;
    int timeout_ms = left_ms < 0 ? 0 : left_ms > INT32_MAX ? -1 : (int)left_ms;

    if (poll(fds, 3, timeout_ms) < 0)
        return; /* a signal; the caller looks at the time again */
    if (fds[0].revents)
        s->p->stopping = true;
    if (fds[1].revents)
        take_bytes(s);
    if (fds[2].revents)
        command_queue_refuse(s->p->commands, -EOPNOTSUPP);
}

/* Bytes that are there already are older than any silence. */
static void hear_silence(struct serial_poll *s, int64_t now_ms)
{
    struct pollfd fd = {.fd = link_fd(s->p->link), .events = POLLIN};

    if (now_ms < s->last_byte_ms + gap_ms(s) || poll(&fd, 1, 0) > 0)
        return;
    serial_silence(s->serial);
    take_frames(s);
    s->last_byte_ms = INT64_MAX - gap_ms(s); /* until there are new ones */
}

void serial_poll_work(struct serial_poll *s)
{
    int64_t now_ms = clock_mono_ms();

    if (!s->is_open)
        begin(s, now_ms);
    hear_silence(s, now_ms);
    if (s->asked != SERIAL_NOT_ASKED && now_ms >= s->answer_until_ms) {
        give_up(s, now_ms);
    } else if (s->asked == SERIAL_NOT_ASKED && s->requests > 0 && now_ms >= ask_at(s)) {
        s->attempts_left = health_retries(&s->d->health);
        s->owed = 0;
        send_request(s, next_request(s), now_ms);
    } else if (now_ms >= overdue_at(s)) {
        s->silent_since_ms = now_ms - s->overdue_ms + SILENT_AGAIN_MS;
        failed(s, reason_of(s), NULL, s->d->device.settings->tag_count);
        s->before = serial_counters(s->serial);
    } else {
        wait_and_take(s, now_ms);
    }
}
