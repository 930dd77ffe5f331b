/* match - see match.h. */
#include "commission/match.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/plan.h"
#include "commission/pdu.h"
#include "commission/score.h"
#include "config/library.h"
#include "core/buf.h"
#include "drivers/modbus.h"

enum {
    SEEN_MAX = 128, /* requests remembered of one device */
    SILENT_MAX = 3, /* unanswered in a row: this device is not asked any more */
    CHOSEN = 3,     /* requests of one template */
    WORTH_PERCENT = 20,
};

/* What a device said to one request. */
struct seen {
    enum modbus_table table;
    uint16_t address;
    uint16_t count;
    bool good;
    uint16_t *values;
};

struct matcher {
    struct library *library;
    size_t at;                            /* the template looked at */
    const struct device_settings *device; /* it as a device; NULL: not begun */
    struct plan plan;
    struct request probe; /* that the template gives, if it does */
    const struct request *chosen[CHOSEN];
    size_t chosen_count;
    struct seen seen[SEEN_MAX];
    size_t seen_count;
    int silent;
    struct match best[MATCH_BEST];
    size_t best_count;
};

int matcher_new(const char *config_path, struct matcher **ret_matcher)
{
    struct matcher *m = calloc(1, sizeof(*m));
    int r;

    if (!m)
        return -ENOMEM;
    r = library_open(config_path, &m->library);
    if (r < 0) {
        matcher_free(m);
        return r;
    }
    *ret_matcher = m;
    return 0;
}

static void forget(struct matcher *m)
{
    for (size_t i = 0; i < m->seen_count; i++)
        free(m->seen[i].values);
    m->seen_count = 0;
    if (m->device)
        plan_fini(&m->plan);
    m->device = NULL;
}

void matcher_free(struct matcher *m)
{
    if (!m)
        return;
    forget(m);
    library_free(m->library);
    free(m);
}

void matcher_start(struct matcher *m)
{
    forget(m);
    m->at = 0;
    m->silent = 0;
    m->best_count = 0;
}

static bool is_chosen(const struct matcher *m, const struct request *req)
{
    for (size_t i = 0; i < m->chosen_count; i++)
        if (m->chosen[i] == req)
            return true;
    return false;
}

static const struct request *given_probe(struct matcher *m)
{
    static const enum modbus_table tables[] = {
        [1] = TABLE_COIL, [2] = TABLE_DISCRETE, [3] = TABLE_HOLDING, [4] = TABLE_INPUT};
    const struct probe_settings *probe = &m->device->probe;

    if (probe->function == 0)
        return NULL;
    m->probe = (struct request){.table = tables[probe->function], .address = probe->address, .count = probe->count};
    return &m->probe;
}

/* The cheapest, which tells apart most; then those with the most tags. */
static void choose_requests(struct matcher *m)
{
    const struct request *probe = given_probe(m);

    m->chosen[0] = probe ? probe : plan_smallest(&m->plan);
    m->chosen_count = m->chosen[0] ? 1 : 0;
    while (m->chosen_count > 0 && m->chosen_count < CHOSEN) {
        const struct request *best = NULL;

        for (size_t i = 0; i < m->plan.count; i++) {
            const struct request *req = &m->plan.requests[i];

            if (!is_chosen(m, req) && (!best || req->tag_count > best->tag_count))
                best = req;
        }
        if (!best)
            break;
        m->chosen[m->chosen_count++] = best;
    }
}

static const struct seen *find_seen(const struct matcher *m, const struct request *req)
{
    for (size_t i = 0; i < m->seen_count; i++) {
        const struct seen *s = &m->seen[i];
        bool inside =
            s->table == req->table && s->address <= req->address && s->address + s->count >= req->address + req->count;

        if (inside && (s->good || (s->address == req->address && s->count == req->count)))
            return s;
    }
    return NULL;
}

static struct reading decode(const struct matcher *m, const struct seen *s, uint32_t tag, char text[VALUE_TEXT_MAX])
{
    const struct tag_settings *t = &m->device->tags[tag];
    const uint16_t *values = s->values + (t->address - s->address);

    return table_is_bits(t->table) ? modbus_decode_bit(t, tag, *values != 0) : modbus_decode(t, tag, values, text);
}

static void add_sample(struct match *match, const struct tag_settings *tag, const struct reading *r)
{
    size_t len = strlen(match->sample);
    struct buf text = {0};

    if (len > 0)
        buf_put_text(&text, ", ");
    buf_printf(&text, "%s ", tag->name);
    value_print(&r->value, &text);
    if (tag->unit[0])
        buf_printf(&text, " %s", tag->unit);
    if (!buf_failed(&text) && len + buf_len(&text) < MATCH_SAMPLE_LEN)
        snprintf(match->sample + len, MATCH_SAMPLE_LEN - len, STR_FMT, STR_ARG(buf_str(&text)));
    buf_fini(&text);
}

static void score_request(struct matcher *m, const struct request *req, struct score *sum, struct match *match)
{
    const struct seen *s = find_seen(m, req);
    char text[VALUE_TEXT_MAX];

    if (!s || !s->good) {
        sum->most += (double)req->tag_count;
        return;
    }
    for (size_t i = 0; i < req->tag_count; i++) {
        const struct tag_settings *tag = &m->device->tags[req->tags[i]];
        struct reading r = decode(m, s, req->tags[i], text);
        struct score score = score_reading(tag, &r);

        sum->points += score.points;
        sum->most += score.most;
        if (r.reason.kind == REASON_NONE)
            add_sample(match, tag, &r);
    }
}

static bool is_better(const struct match *a, const struct match *b)
{
    return a->score != b->score ? a->score > b->score : a->points > b->points;
}

/* Insertion into the few best. */
static void remember(struct matcher *m, const struct match *match)
{
    size_t i = m->best_count;

    if (i == MATCH_BEST && !is_better(match, &m->best[i - 1]))
        return;
    if (i == MATCH_BEST)
        i--;
    else
        m->best_count++;
    for (; i > 0 && is_better(match, &m->best[i - 1]); i--)
        m->best[i] = m->best[i - 1];
    m->best[i] = *match;
}

static void judge(struct matcher *m)
{
    struct match match = {.template_name = m->device->template_name};
    struct score sum = {0};

    /* The one with the most tags first, for its sample. */
    for (size_t i = 1; i <= m->chosen_count; i++)
        score_request(m, m->chosen[i % m->chosen_count], &sum, &match);
    match.score = score_percent(&sum);
    match.points = sum.points;
    if (match.score >= WORTH_PERCENT)
        remember(m, &match);
}

static void next_template(struct matcher *m)
{
    plan_fini(&m->plan);
    m->device = NULL;
    m->at++;
}

/* Reads the next template; those with errors are passed over. */
static void begin_template(struct matcher *m)
{
    m->device = library_device(m->library, m->at);
    if (!m->device || plan_build(m->device, &m->plan) < 0) {
        m->device = NULL;
        m->at++;
        return;
    }
    choose_requests(m);
}

enum job_step matcher_next(struct matcher *m, enum modbus_table *ret_table, uint16_t *ret_address, uint16_t *ret_count)
{
    if (m->at == library_count(m->library) || m->silent == SILENT_MAX || m->seen_count == SEEN_MAX)
        return JOB_DONE;
    if (!m->device) {
        begin_template(m);
        return JOB_AGAIN;
    }
    for (size_t i = 0; i < m->chosen_count; i++) {
        const struct request *req = m->chosen[i];
        const struct seen *s = find_seen(m, req);

        if (!s) {
            *ret_table = req->table;
            *ret_address = req->address;
            *ret_count = req->count;
            m->seen[m->seen_count] = (struct seen){.table = req->table, .address = req->address, .count = req->count};
            return JOB_ASK;
        }
        if (i == 0 && !s->good) {
            next_template(m);
            return JOB_AGAIN;
        }
    }
    if (m->chosen_count > 0)
        judge(m);
    next_template(m);
    return JOB_AGAIN;
}

void matcher_answer(struct matcher *m, const struct answer *a)
{
    struct seen *s = &m->seen[m->seen_count++];

    s->values = calloc(s->count, sizeof(s->values[0]));
    s->good = s->values && pdu_take_values(a, s->table, s->values, s->count) == 0;
    if (s->good || a->result == -EREMOTEIO)
        m->silent = 0;
    else
        m->silent++;
}

size_t matcher_best(const struct matcher *m, struct match ret_best[MATCH_BEST])
{
    memcpy(ret_best, m->best, sizeof(m->best));
    return m->best_count;
}
