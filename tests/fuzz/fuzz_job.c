/*
 * Fuzz target of scans, reads and writes: a request, and what a line answers to what is asked of it.
 *
 *   | request as JSON | \n | answers: result (1) | exception (1) | bytes of the PDU, from 0 on |
 *
 * Whatever comes, a job asks whole requests, ends, and all it tells is JSON with a status.
 */
#include <errno.h>
#include <string.h>

#include "commission/job.h"
#include "tests/fuzz/fuzz.h"

enum { QUESTIONS_MAX = 3000 };

static const struct tag_settings tags[] = {
    {.name = "a", .table = TABLE_HOLDING, .address = 3, .type = TYPE_U16, .scale = 1, .unit = "V"}};
static const struct device_settings devices[] = {
    {.name = "d", .unit = 3, .timeout_ms = 300, .max_count = 60, .tags = tags, .tag_count = 1}};
static const struct bus_settings buses[] = {
    {.name = "b",
     .type = BUS_MODBUS_RTU,
     .port = {.device = "/dev/null", .baud = 9600, .data_bits = 8, .stop_bits = 1},
     .devices = devices,
     .device_count = 1},
    {.name = "t", .type = BUS_MODBUS_TCP, .host = "h", .tcp_port = 502},
};
static const struct job_site site = {.buses = buses, .bus_count = 2, .config_path = "/nonexistent/wirepost.yaml"};

struct input {
    const uint8_t *data;
    size_t size;
};

static uint8_t next_byte(struct input *in)
{
    if (in->size == 0)
        return 0;
    in->size--;
    return *in->data++;
}

static void on_told(void *arg, struct str object)
{
    cJSON *parsed = cJSON_ParseWithLength(object.data, object.len);

    (void)arg;
    REQUIRE(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(parsed, "status")));
    cJSON_Delete(parsed);
}

static struct answer make_answer(struct input *in, const struct question *q, uint8_t *pdu)
{
    static const int errors[] = {-ETIMEDOUT, -EBADMSG, -EPROTO, -EREMOTEIO};
    uint8_t how = next_byte(in);
    struct answer a = {.exception = next_byte(in), .pdu = pdu, .took_us = how * 1000};
    size_t len = q->want ? q->want : how % 60u;

    if (how < 4) {
        a.result = errors[how];
        return a;
    }
    if (how == 255) {
        a.result = -ENODEV;
        return a;
    }
    for (size_t i = 0; i < len; i++)
        pdu[i] = next_byte(in);
    if (how % 2 == 0) { /* plausible: a link lets no other through */
        pdu[0] = q->pdu[0];
        pdu[1] = (uint8_t)(len - 2);
    }
    a.result = (int)len;
    return a;
}

static void run(struct job *j, struct input *in)
{
    uint8_t pdu[QUESTION_PDU_MAX];
    struct question q;
    enum job_step step;
    int questions = 0;

    for (int64_t now_ms = 0; (step = job_next(j, now_ms, &q)) != JOB_DONE; now_ms += 10) {
        struct answer a;

        if (step == JOB_AGAIN)
            continue;
        REQUIRE(q.len >= 4 && q.len <= sizeof(q.pdu) && q.want <= sizeof(pdu) && q.timeout_ms > 0);
        if (++questions > QUESTIONS_MAX) {
            job_cancel(j);
            continue;
        }
        a = make_answer(in, &q, pdu);
        job_answer(j, &a);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = {"read", "scan", "write"};
    const uint8_t *end = memchr(data, '\n', size);
    size_t len = end ? (size_t)(end - data) : size;
    cJSON *request = cJSON_ParseWithLength((const char *)data, len);

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct input in = {.data = data + len, .size = size - len};
        struct job_error error = {.code = ""};
        struct job *j;

        if (job_new(&site, kinds[i], request, on_told, NULL, &j, &error) < 0) {
            REQUIRE(error.code[0] && error.text[0]);
            continue;
        }
        run(j, &in);
        job_free(j);
    }
    cJSON_Delete(request);
    return 0;
}
