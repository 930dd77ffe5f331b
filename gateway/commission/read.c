/*
 * read - a range of registers or bits. What a device refuses is halved until the holes are known.
 *
 *   {"bus": "rs485-1", "unit": 2, "table": "holding", "address": 0, "count": 10}
 *   {"device": "tank", "table": "input", "address": 100}
 *
 *   -> {"status": "done", ..., "values": [1, null, 3], "refused": [{"address": 1, "count": 1, "reason": "exception 2
 * ..."}]}
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commission/fields.h"
#include "commission/job_private.h"
#include "commission/pdu.h"

enum { READ_MAX = 2000, STACK_MAX = READ_MAX + 16, ATTEMPTS = 2, NO_ANSWER = 0xff };

struct range {
    uint16_t address;
    uint16_t count;
};

struct read_job {
    struct job job;
    const struct device_settings *device; /* NULL: by unit */
    uint8_t unit;
    enum modbus_table table;
    struct range range;
    int64_t timeout_ms;
    struct range stack[STACK_MAX]; /* still to be asked, the lowest address on top */
    size_t depth;
    int attempts; /* at the top of the stack */
    bool answered;
    int64_t took_us;
    uint16_t values[READ_MAX];
    uint8_t problems[READ_MAX]; /* exception code, or NO_ANSWER; 0: the value is good */
};

static struct read_job *read_of(struct job *j)
{
    return (struct read_job *)(void *)j;
}

static const char *const table_words[] = {
    [TABLE_COIL] = "coil", [TABLE_DISCRETE] = "discrete", [TABLE_INPUT] = "input", [TABLE_HOLDING] = "holding", NULL};

static enum job_step read_next(struct job *j, int64_t now_ms, struct question *q)
{
    struct read_job *rd = read_of(j);
    const struct range *top;

    (void)now_ms;
    if (rd->depth == 0)
        return JOB_DONE;
    top = &rd->stack[rd->depth - 1];
    *q = (struct question){.unit = rd->unit, .timeout_ms = rd->timeout_ms};
    pdu_ask_values(q, rd->table, top->address, top->count);
    return JOB_ASK;
}

static void mark(struct read_job *rd, const struct range *r, uint8_t problem)
{
    memset(rd->problems + (r->address - rd->range.address), problem, r->count);
}

static void push(struct read_job *rd, unsigned address, unsigned count)
{
    rd->stack[rd->depth++] = (struct range){.address = (uint16_t)address, .count = (uint16_t)count};
}

/* Refused whole; a part of it may not be. */
static void halve(struct read_job *rd, struct range r)
{
    unsigned half = r.count / 2u;

    push(rd, r.address + half, r.count - half);
    push(rd, r.address, half);
}

static void read_answer(struct job *j, const struct answer *a)
{
    struct read_job *rd = read_of(j);
    struct range top = rd->stack[rd->depth - 1];
    bool refused = a->result == -EREMOTEIO;
    char reason[JOB_REASON_LEN];

    rd->took_us += a->took_us;
    if (!refused && pdu_take_values(a, rd->table, rd->values + (top.address - rd->range.address), top.count) < 0) {
        if (++rd->attempts < ATTEMPTS)
            return;
        if (!rd->answered) {
            job_fail(j, "no_answer", "unit %u: %s", rd->unit, job_reason(a, reason));
            return;
        }
        mark(rd, &top, NO_ANSWER);
    }
    rd->attempts = 0;
    rd->answered = true;
    rd->depth--;
    if (refused && top.count > 1 && rd->depth + 2 <= STACK_MAX)
        halve(rd, top);
    else if (refused)
        mark(rd, &top, a->exception ? a->exception : NO_ANSWER);
}

static void print_refused(const struct read_job *rd, struct json *out)
{
    json_key(out, "refused");
    json_array_begin(out);
    for (unsigned i = 0, n; i < rd->range.count; i += n) {
        struct answer a = {.result = rd->problems[i] == NO_ANSWER ? -ETIMEDOUT : -EREMOTEIO,
                           .exception = rd->problems[i]};
        char reason[JOB_REASON_LEN];

        for (n = 1; i + n < rd->range.count && rd->problems[i + n] == rd->problems[i];)
            n++;
        if (rd->problems[i] == 0)
            continue;
        json_object_begin(out);
        json_key(out, "address");
        json_uint(out, rd->range.address + i);
        json_key(out, "count");
        json_uint(out, n);
        json_key(out, "reason");
        json_text(out, job_reason(&a, reason));
        json_object_end(out);
    }
    json_array_end(out);
}

static void print_values(const struct read_job *rd, struct json *out)
{
    json_key(out, "values");
    json_array_begin(out);
    for (unsigned i = 0; i < rd->range.count; i++)
        if (rd->problems[i])
            json_null(out);
        else
            json_uint(out, rd->values[i]);
    json_array_end(out);
}

static void read_end(struct job *j, const char *status)
{
    struct read_job *rd = read_of(j);
    struct json out = job_begin(j, status);

    for (; rd->depth > 0; rd->depth--) /* cancelled: never asked */
        mark(rd, &rd->stack[rd->depth - 1], NO_ANSWER);
    json_key(&out, "bus");
    json_text(&out, j->bus->name);
    if (rd->device) {
        json_key(&out, "device");
        json_text(&out, rd->device->name);
    }
    json_key(&out, "unit");
    json_uint(&out, rd->unit);
    json_key(&out, "table");
    json_text(&out, table_words[rd->table]);
    json_key(&out, "address");
    json_uint(&out, rd->range.address);
    print_values(rd, &out);
    print_refused(rd, &out);
    json_key(&out, "took_ms");
    json_int(&out, rd->took_us / 1000);
    job_send(j, &out);
}

static void read_free(struct job *j)
{
    free(read_of(j));
}

static const struct job_ops read_ops = {
    .next = read_next,
    .answer = read_answer,
    .end = read_end,
    .free = read_free,
};

/* The last block deepest. */
static void cut_into_blocks(struct read_job *rd)
{
    unsigned most = table_is_bits(rd->table) ? PDU_READ_BITS : PDU_READ_REGISTERS;
    unsigned end = rd->range.address + rd->range.count;
    unsigned blocks;

    if (rd->device && !table_is_bits(rd->table) && rd->device->max_count < most)
        most = rd->device->max_count;
    blocks = (rd->range.count + most - 1) / most;
    for (unsigned i = blocks; i-- > 0;) {
        unsigned address = rd->range.address + i * most;

        push(rd, address, end - address < most ? end - address : most);
    }
}

int read_new(const struct job_site *site, struct fields *f, struct job **ret_job)
{
    struct read_job *rd = calloc(1, sizeof(*rd));
    int table;

    if (!rd)
        return -ENOMEM;
    rd->job.ops = &read_ops;
    *ret_job = &rd->job;
    fields_place(f, site, &rd->job.bus, &rd->device);
    rd->unit = (uint8_t)field_int(f, "unit", 0, 255, rd->device ? rd->device->unit : 1);
    table = field_word(f, "table", table_words);
    if (table < 0)
        fields_refuse(f, "bad_request", "'table' is missing: coil, discrete, input or holding");
    rd->table = table < 0 ? TABLE_HOLDING : (enum modbus_table)table;
    rd->range.address = (uint16_t)field_int(f, "address", 0, 65535, 0);
    rd->range.count = (uint16_t)field_int(f, "count", 1, READ_MAX, 1);
    rd->timeout_ms = field_timeout_ms(f, rd->device);
    if (rd->range.address + rd->range.count > 65536)
        fields_refuse(f, "bad_request", "address %u and %u more reach over 65535", rd->range.address, rd->range.count);
    fields_end(f);
    if (f->bad)
        return -EINVAL;
    cut_into_blocks(rd);
    return 0;
}
