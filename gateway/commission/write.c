/*
 * write - registers or coils as they are; the old values first, and read back when asked.
 *
 *   {"bus": "rs485-1", "unit": 2, "table": "holding", "address": 7, "values": [350], "verify": true}
 *
 *   -> {"status": "done", "result": "verified", "old": [300], "new": [350], ...}
 *   -> {"status": "failed", "code": "refused", "error": "unit 2: exception 2 (illegal data address)"}
 *
 * No limits and no scaling: tags have those (wirepost write DEVICE TAG VALUE).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commission/fields.h"
#include "commission/job_private.h"
#include "commission/pdu.h"

enum { BROADCAST = 0 };

enum write_stage { READ_OLD, WRITE, READ_BACK, WRITTEN };

struct write_job {
    struct job job;
    const struct device_settings *device; /* NULL: by unit */
    uint8_t unit;
    enum modbus_table table;
    int function;
    uint16_t address;
    uint16_t count;
    bool verify;
    int64_t timeout_ms;
    enum write_stage stage;
    bool has_old;
    struct question asked;
    uint16_t values[PDU_WRITE_BITS];
    uint16_t old[PDU_WRITE_BITS];
    uint16_t back[PDU_WRITE_BITS];
};

static struct write_job *write_of(struct job *j)
{
    return (struct write_job *)(void *)j;
}

static const char *const table_words[] = {"coil", "holding", NULL};

static enum job_step write_next(struct job *j, int64_t now_ms, struct question *q)
{
    struct write_job *wr = write_of(j);

    (void)now_ms;
    if (wr->stage == WRITTEN)
        return JOB_DONE;
    wr->asked = (struct question){.unit = wr->unit, .timeout_ms = wr->timeout_ms};
    if (wr->stage == WRITE)
        pdu_ask_write(&wr->asked, wr->function, wr->address, wr->values, wr->count);
    else
        pdu_ask_values(&wr->asked, wr->table, wr->address, wr->count);
    *q = wr->asked;
    return JOB_ASK;
}

static void written(struct write_job *wr, const struct answer *a)
{
    bool confirmed = wr->unit == BROADCAST ? a->result >= 0 : pdu_confirms_write(a, &wr->asked);
    char reason[JOB_REASON_LEN];

    wr->stage = wr->verify ? READ_BACK : WRITTEN;
    if (confirmed || (wr->verify && a->result != -EREMOTEIO)) /* reading back tells whether it arrived */
        return;
    if (a->result == -EREMOTEIO)
        job_fail(&wr->job, "refused", "unit %u: %s", wr->unit, job_reason(a, reason));
    else
        job_fail(&wr->job, "no_answer", "unit %u: %s; it may have been written or not", wr->unit,
                 job_reason(a, reason));
}

static void read_back(struct write_job *wr, const struct answer *a)
{
    char reason[JOB_REASON_LEN];

    wr->stage = WRITTEN;
    if (pdu_take_values(a, wr->table, wr->back, wr->count) < 0) {
        job_fail(&wr->job, "not_verified", "unit %u, read back: %s; it may have been written or not", wr->unit,
                 job_reason(a, reason));
        return;
    }
    for (unsigned i = 0; i < wr->count; i++) {
        if (wr->back[i] == wr->values[i])
            continue;
        job_fail(&wr->job, "mismatch", "unit %u has 0x%04x at %u, not 0x%04x", wr->unit, wr->back[i], wr->address + i,
                 wr->values[i]);
        return;
    }
}

static void write_answer(struct job *j, const struct answer *a)
{
    struct write_job *wr = write_of(j);

    switch (wr->stage) {
    case READ_OLD: /* not everything that can be written can be read */
        wr->has_old = pdu_take_values(a, wr->table, wr->old, wr->count) == 0;
        wr->stage = WRITE;
        break;
    case WRITE:
        written(wr, a);
        break;
    case READ_BACK:
        read_back(wr, a);
        break;
    case WRITTEN:
        break;
    }
}

static void print_values(struct json *out, const char *key, const uint16_t *values, unsigned count)
{
    json_key(out, key);
    json_array_begin(out);
    for (unsigned i = 0; i < count; i++)
        json_uint(out, values[i]);
    json_array_end(out);
}

static void write_end(struct job *j, const char *status)
{
    struct write_job *wr = write_of(j);
    struct json out = job_begin(j, status);

    json_key(&out, "result");
    json_text(&out, wr->stage != WRITTEN ? "unknown" : wr->verify ? "verified" : "written");
    json_key(&out, "bus");
    json_text(&out, j->bus->name);
    json_key(&out, "unit");
    json_uint(&out, wr->unit);
    json_key(&out, "table");
    json_text(&out, wr->table == TABLE_COIL ? "coil" : "holding");
    json_key(&out, "address");
    json_uint(&out, wr->address);
    json_key(&out, "function");
    json_int(&out, wr->function);
    if (wr->has_old)
        print_values(&out, "old", wr->old, wr->count);
    print_values(&out, "new", wr->values, wr->count);
    job_send(j, &out);
}

static void write_free(struct job *j)
{
    free(write_of(j));
}

static const struct job_ops write_ops = {
    .next = write_next,
    .answer = write_answer,
    .end = write_end,
    .free = write_free,
};

static void take_value(struct write_job *wr, struct fields *f, size_t i, const cJSON *v)
{
    int64_t most = wr->table == TABLE_COIL ? 1 : 65535;
    int64_t number = cJSON_IsTrue(v);

    if (!field_is_int(v, &number) && !(cJSON_IsBool(v) && wr->table == TABLE_COIL))
        fields_refuse(f, "bad_value", "'values' must be whole numbers");
    else if (number < 0 || number > most)
        fields_refuse(f, "bad_value", "%lld is not 0 to %lld", (long long)number, (long long)most);
    else
        wr->values[i] = (uint16_t)number;
}

static void take_values(struct write_job *wr, struct fields *f)
{
    size_t most = wr->table == TABLE_COIL ? PDU_WRITE_BITS : PDU_WRITE_REGISTERS;
    const cJSON *list = field_list(f, "values");
    size_t count = (size_t)cJSON_GetArraySize(list);
    const cJSON *v;
    size_t i = 0;

    if (count == 0 || count > most) {
        fields_refuse(f, "bad_value", "'values' must be a list of 1 to %zu numbers", most);
        return;
    }
    wr->count = (uint16_t)count;
    cJSON_ArrayForEach(v, list)
    {
        take_value(wr, f, i++, v);
    }
    if (wr->address + wr->count > 65536)
        fields_refuse(f, "bad_request", "address %u and %u more reach over 65535", wr->address, wr->count);
}

static void choose_function(struct write_job *wr, struct fields *f)
{
    int one = wr->table == TABLE_COIL ? 5 : 6;
    int several = wr->table == TABLE_COIL ? 15 : 16;

    wr->function = (int)field_int(f, "fc", 5, 16, wr->count == 1 ? one : several);
    if (wr->function != several && (wr->function != one || wr->count > 1))
        fields_refuse(f, "bad_request", "function %d does not write %u of the %s table", wr->function, wr->count,
                      wr->table == TABLE_COIL ? "coil" : "holding");
}

int write_new(const struct job_site *site, struct fields *f, struct job **ret_job)
{
    struct write_job *wr = calloc(1, sizeof(*wr));
    int table;

    if (!wr)
        return -ENOMEM;
    wr->job.ops = &write_ops;
    *ret_job = &wr->job;
    fields_place(f, site, &wr->job.bus, &wr->device);
    wr->unit = (uint8_t)field_int(f, "unit", 0, 255, wr->device ? wr->device->unit : 1);
    table = field_word(f, "table", table_words);
    if (table < 0)
        fields_refuse(f, "bad_request", "'table' is missing: coil or holding");
    wr->table = table == 0 ? TABLE_COIL : TABLE_HOLDING;
    wr->address = (uint16_t)field_int(f, "address", 0, 65535, 0);
    wr->verify = field_bool(f, "verify", false);
    wr->timeout_ms = field_timeout_ms(f, wr->device);
    take_values(wr, f);
    choose_function(wr, f);
    fields_end(f);
    if (!f->bad && !cJSON_GetObjectItemCaseSensitive(f->request, "address"))
        fields_refuse(f, "bad_request", "'address' is missing");
    if (wr->unit == BROADCAST && wr->job.bus && wr->job.bus->type != BUS_MODBUS_TCP) {
        wr->stage = WRITE; /* nobody answers */
        if (wr->verify)
            fields_refuse(f, "bad_request", "what goes to all units at once cannot be read back");
    }
    return f->bad ? -EINVAL : 0;
}
