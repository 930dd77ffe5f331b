/* scan_tell - what a scan tells while it runs; see scan.c for the forms. */
#include "commission/scan_private.h"

enum { REQUEST_BYTES = 8 };

static int64_t character_us(const struct port_settings *port)
{
    return (int64_t)(2 + port->data_bits + port->stop_bits) * 1000000 / port->baud;
}

/* As if nobody answered: then every question costs its time-out, and as much again to listen for what is late. */
static int64_t estimate_ms(const struct scan *s)
{
    int64_t waits = s->job.site->polled ? 2 : 1;
    int64_t us = 0;

    for (size_t i = 0; i < s->order.port_count; i++) {
        int64_t line_us = s->is_serial ? REQUEST_BYTES * character_us(&s->ports[i]) : 0;
        int64_t questions = (int64_t)s->order.unit_count * (i == 0 ? 2 : 1);

        us += questions * (waits * s->timeout_ms * 1000 + line_us);
    }
    return s->job.site->polled ? us / 10 / s->job.bus->commands.share_percent : us / 1000;
}

void scan_tell_accepted(struct scan *s)
{
    struct json out = job_begin(&s->job, "accepted");

    json_key(&out, "bus");
    json_text(&out, s->job.bus->name);
    json_key(&out, "questions");
    json_uint(&out, scan_order_total(&s->order));
    json_key(&out, "units");
    json_uint(&out, s->order.unit_count);
    json_key(&out, "settings");
    json_uint(&out, s->order.port_count);
    json_key(&out, "estimate_ms");
    json_int(&out, estimate_ms(s));
    job_send(&s->job, &out);
}

void scan_tell_progress(struct scan *s)
{
    static const char *const stages[] = {
        [STAGE_PRESENCE] = "presence", [STAGE_IDENTITY] = "identity", [STAGE_MATCH] = "match"};
    const struct port_settings *port = &s->ports[s->now.target.port];
    struct json out = job_begin(&s->job, "progress");

    json_key(&out, "asked");
    json_uint(&out, s->asked);
    json_key(&out, "questions");
    json_uint(&out, scan_order_total(&s->order));
    json_key(&out, "found");
    json_uint(&out, s->found_count);
    json_key(&out, "unit");
    json_uint(&out, s->now.target.unit);
    json_key(&out, "stage");
    json_text(&out, stages[s->stage]);
    if (s->is_serial) {
        json_key(&out, "baud");
        json_int(&out, port->baud);
        json_key(&out, "parity");
        json_text(&out, found_parities[port->parity]);
    }
    json_key(&out, "elapsed_ms");
    json_int(&out, s->now_ms - s->started_ms);
    job_send(&s->job, &out);
}

void scan_tell_unit(struct scan *s, const struct found *f)
{
    struct json out = job_begin(&s->job, "unit");

    found_print(f, &out);
    job_send(&s->job, &out);
}

void scan_end(struct job *j, const char *status)
{
    struct scan *s = scan_of(j);
    struct json out = job_begin(j, status);

    if (s->stage == STAGE_MATCH) { /* cancelled: what it looks like until now */
        struct found *f = &s->found[s->found_count - 1];

        f->match_count = matcher_best(s->matcher, f->matches);
    }
    json_key(&out, "bus");
    json_text(&out, j->bus->name);
    json_key(&out, "asked");
    json_uint(&out, s->asked);
    json_key(&out, "elapsed_ms");
    json_int(&out, s->now_ms - s->started_ms);
    json_key(&out, "units");
    json_array_begin(&out);
    for (size_t i = 0; i < s->found_count; i++) {
        json_object_begin(&out);
        found_print(&s->found[i], &out);
        json_object_end(&out);
    }
    json_array_end(&out);
    job_send(j, &out);
}
