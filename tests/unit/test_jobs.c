/* What scans, reads and writes ask of a line, and what they make of the answers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "commission/job.h"
#include "commission/scan_order.h"
#include "core/buf.h"

enum { REGISTERS = 400, UNITS = 256 };

/* A line with one device: what it holds, and where it refuses. */
struct line {
    uint8_t unit;
    uint16_t registers[REGISTERS];
    bool hole[REGISTERS];
    bool stuck;   /* writes are confirmed and forgotten */
    int damaged;  /* so many answers first */
    uint8_t late; /* this unit's answer comes when the next is asked; 0: none */
    bool late_now;
    int32_t baud;     /* 0: any */
    char asked[8192]; /* "3:1 " for unit 3 by function 1, ... */
    uint8_t pdu[QUESTION_PDU_MAX];
};

static struct line line;
static struct buf told;

static const struct device_settings devices[] = {{.name = "meter", .unit = 3, .timeout_ms = 300, .max_count = 60}};
static const struct bus_settings buses[] = {
    {.name = "line",
     .type = BUS_MODBUS_RTU,
     .port = {.device = "/dev/null", .baud = 9600, .data_bits = 8, .stop_bits = 1},
     .devices = devices,
     .device_count = 1},
};
static const struct job_site site = {.buses = buses, .bus_count = 1, .config_path = "/nonexistent/wirepost.yaml"};

static void remember(void *arg, struct str object)
{
    (void)arg;
    buf_append(&told, object.data, object.len);
    buf_put_u8(&told, '\n');
}

static struct answer refuse(uint8_t code)
{
    return (struct answer){.result = -EREMOTEIO, .exception = code};
}

static struct answer give_registers(const struct question *q, unsigned address, unsigned count)
{
    if (address + count > REGISTERS)
        return refuse(2);
    for (unsigned i = 0; i < count; i++) {
        if (line.hole[address + i])
            return refuse(2);
        line.pdu[2 + 2 * i] = (uint8_t)(line.registers[address + i] >> 8);
        line.pdu[3 + 2 * i] = (uint8_t)line.registers[address + i];
    }
    line.pdu[0] = q->pdu[0];
    line.pdu[1] = (uint8_t)(2 * count);
    return (struct answer){.result = (int)(2 + 2 * count), .pdu = line.pdu};
}

static struct answer take_register(const struct question *q, unsigned address, unsigned value)
{
    if (line.hole[address])
        return refuse(2);
    if (!line.stuck)
        line.registers[address] = (uint16_t)value;
    return (struct answer){.result = 5, .pdu = q->pdu};
}

static struct answer answer_of(const struct question *q)
{
    unsigned first = (unsigned)(q->pdu[1] << 8 | q->pdu[2]);
    unsigned second = (unsigned)(q->pdu[3] << 8 | q->pdu[4]);
    size_t len = strlen(line.asked);

    if (len + 16 < sizeof(line.asked))
        snprintf(line.asked + len, 16, "%u:%u ", q->unit, q->pdu[0]);
    if (line.late_now) {
        line.late_now = false;
        return (struct answer){.result = -EPROTO};
    }
    if (line.late == q->unit && q->timeout_ms < 200) {
        line.late_now = q->once; /* without it the line is listened to until it is quiet */
        return (struct answer){.result = -ETIMEDOUT};
    }
    if (q->unit != line.unit || (line.baud && line.baud != (q->port ? q->port->baud : 9600)))
        return (struct answer){.result = -ETIMEDOUT};
    if (line.damaged > 0 && line.damaged--)
        return (struct answer){.result = -EBADMSG};
    if (q->pdu[0] == 3)
        return give_registers(q, first, second);
    if (q->pdu[0] == 6)
        return take_register(q, first, second);
    return refuse(1);
}

static int start(const char *kind, const char *text, struct job **ret_job)
{
    struct job_error error = {0};
    cJSON *request = cJSON_Parse(text);
    int r;

    buf_fini(&told);
    assert_non_null(request);
    r = job_new(&site, kind, request, remember, NULL, ret_job, &error);
    if (r < 0)
        buf_printf(&told, "%s: %s", error.code, error.text);
    cJSON_Delete(request);
    return r;
}

/* Runs a job to its end, or cancels it after so many questions. */
static const char *run(const char *kind, const char *text, int most)
{
    struct question q;
    struct job *j;
    int64_t now_ms = 0;
    enum job_step step;

    if (start(kind, text, &j) == 0) {
        while ((step = job_next(j, now_ms += 10, &q)) != JOB_DONE) {
            struct answer a;

            if (most-- == 0) {
                job_cancel(j);
                break;
            }
            if (step == JOB_AGAIN)
                continue;
            a = answer_of(&q);
            job_answer(j, &a);
        }
        job_free(j);
    }
    buf_put_u8(&told, '\0');
    return (const char *)buf_data(&told);
}

static int reset(void **state)
{
    (void)state;
    line = (struct line){.unit = 3};
    for (unsigned i = 0; i < REGISTERS; i++)
        line.registers[i] = (uint16_t)(1000 + i);
    return 0;
}

static int tidy(void **state)
{
    (void)state;
    buf_fini(&told);
    return 0;
}

static void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no %s in %s", part, text);
}

static void scan_finds_a_unit_and_knows_its_name(void **state)
{
    (void)state;
    const char *text = run("scan", "{\"id\":7,\"bus\":\"line\",\"units\":\"1-5\"}", -1);

    assert_says(text, "{\"id\":7,\"status\":\"accepted\"");
    assert_says(text, "\"status\":\"unit\",\"unit\":3,\"baud\":9600");
    assert_says(text, "\"device\":\"meter\"");
    assert_says(text, "\"status\":\"done\"");
}

static void scan_counts_a_refusal_as_presence(void **state)
{
    (void)state;
    line.hole[0] = true;
    assert_says(run("scan", "{\"bus\":\"line\",\"units\":\"3\"}", -1),
                "\"answer\":\"exception 2 (illegal data address)\"");
}

static void scan_asks_likely_units_first_and_silent_ones_another_way_last(void **state)
{
    (void)state;
    run("scan", "{\"bus\":\"line\",\"units\":\"3,18,40,100\",\"match\":false}", -1);
    assert_string_equal(line.asked, "3:3 3:43 40:3 100:3 18:3 40:4 100:4 18:4 ");
}

static void scan_finds_a_unit_at_another_speed(void **state)
{
    (void)state;
    line.baud = 19200;
    const char *text =
        run("scan", "{\"bus\":\"line\",\"units\":\"1-4\",\"baud\":\"9600,19200\",\"parity\":\"none,even\"}", -1);

    assert_says(text, "\"unit\":3,\"baud\":19200,\"data_bits\":8,\"parity\":\"none\"");
    assert_says(text, "\"settings\":4");
}

static void scan_asks_again_when_an_answer_came_late(void **state)
{
    (void)state;
    line.late = 3;
    const char *text = run("scan", "{\"bus\":\"line\",\"units\":\"1-5\"}", -1);

    assert_says(text, "\"units\":[{\"unit\":3");
}

static void scan_tells_of_a_unit_whose_answers_are_damaged(void **state)
{
    (void)state;
    line.damaged = 100;
    assert_says(run("scan", "{\"bus\":\"line\",\"units\":\"3\"}", -1), "\"answer\":\"damaged\"");
    line.damaged = 1;
    assert_says(run("scan", "{\"bus\":\"line\",\"units\":\"3\"}", -1), "\"answer\":\"a value\"");
}

static void cancelled_scan_tells_what_it_found(void **state)
{
    (void)state;
    const char *text = run("scan", "{\"bus\":\"line\"}", 20);

    assert_says(text, "\"status\":\"cancelled\"");
    assert_says(text, "\"units\":[{\"unit\":3");
}

static void scan_order_asks_everybody_once_and_the_silent_twice(void **state)
{
    (void)state;
    uint8_t units[247];
    struct scan_order o;
    struct scan_target t;
    size_t count = 0;

    for (unsigned i = 0; i < 247; i++)
        units[i] = (uint8_t)(i + 1);
    scan_order_init(&o, units, 247, 3);
    while (scan_order_next(&o, &t))
        count++;
    assert_int_equal(count, scan_order_total(&o));
    assert_int_equal(count, 247 * 4);
}

static void read_goes_around_holes(void **state)
{
    (void)state;
    line.hole[5] = line.hole[6] = line.hole[90] = true;
    const char *text = run("read", "{\"device\":\"meter\",\"table\":\"holding\",\"address\":4,\"count\":100}", -1);

    assert_says(text, "\"values\":[1004,null,null,1007,");
    assert_says(text, "{\"address\":5,\"count\":2,\"reason\":\"exception 2 (illegal data address)\"}");
    assert_says(text, "{\"address\":90,\"count\":1,");
    assert_says(text, "1103],");
}

static void read_says_when_nobody_answers(void **state)
{
    (void)state;
    const char *text = run("read", "{\"bus\":\"line\",\"unit\":9,\"table\":\"input\"}", -1);

    assert_says(text, "\"code\":\"no_answer\",\"error\":\"unit 9: no answer\"");
    assert_string_equal(line.asked, "9:4 9:4 ");
}

static void write_tells_old_and_new_and_reads_back(void **state)
{
    (void)state;
    const char *request = "{\"device\":\"meter\",\"table\":\"holding\",\"address\":7,\"values\":[42],\"verify\":true}";

    assert_says(run("write", request, -1), "\"result\":\"verified\"");
    assert_int_equal(line.registers[7], 42);
    line.stuck = true;
    line.registers[7] = 1;
    assert_says(run("write", request, -1), "\"code\":\"mismatch\",\"error\":\"unit 3 has 0x0001 at 7, not 0x002a\"");
}

static void write_that_is_refused_says_so(void **state)
{
    (void)state;
    line.hole[7] = true;
    const char *text = run("write", "{\"device\":\"meter\",\"table\":\"holding\",\"address\":7,\"values\":[1]}", -1);

    assert_says(text, "\"code\":\"refused\",\"error\":\"unit 3: exception 2 (illegal data address)\"");
}

static void wrong_requests_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *request, *error;
    } cases[] = {
        {"scan", "[]", "bad_request: a request must be a JSON object"},
        {"scan", "{}", "bad_request: say either 'bus' or 'device'"},
        {"scan", "{\"bus\":\"lime\"}", "no_such_bus: there is no bus 'lime'; did you mean 'line'?"},
        {"scan", "{\"bus\":\"line\",\"unit\":\"1-9\"}", "bad_request: unknown key 'unit'; did you mean 'units'?"},
        {"scan", "{\"bus\":\"line\",\"units\":\"9-1\"}", "bad_request: 'units' must be"},
        {"scan", "{\"bus\":\"line\",\"units\":\"0\"}", "bad_request: 'units' must be"},
        {"scan", "{\"bus\":\"line\",\"units\":\"1,\"}", "bad_request: 'units' must be"},
        {"scan", "{\"bus\":\"line\",\"parity\":\"odd,evn\"}", "bad_request: 'parity' must be"},
        {"scan", "{\"bus\":\"line\",\"baud\":\"9600,\"}", "bad_request: 'baud' must be"},
        {"scan", "{\"bus\":\"line\",\"baud\":1e300}", "bad_request: 'baud' must be a text"},
        {"read", "{\"device\":\"metre\",\"table\":\"coil\"}",
         "no_such_device: there is no device 'metre'; did you mean"},
        {"read", "{\"device\":\"meter\"}", "bad_request: 'table' is missing"},
        {"read", "{\"device\":\"meter\",\"table\":\"holdng\"}", "'table' cannot be 'holdng'; did you mean 'holding'?"},
        {"read", "{\"device\":\"meter\",\"table\":\"coil\",\"address\":65535,\"count\":2}", "reach over 65535"},
        {"read", "{\"device\":\"meter\",\"table\":\"coil\",\"count\":1.5}", "'count' must be a whole number"},
        {"write", "{\"device\":\"meter\",\"table\":\"coil\",\"address\":1,\"values\":[2]}",
         "bad_value: 2 is not 0 to 1"},
        {"write", "{\"device\":\"meter\",\"table\":\"holding\",\"address\":1,\"values\":[]}",
         "bad_value: 'values' must be"},
        {"write", "{\"device\":\"meter\",\"table\":\"holding\",\"values\":[1]}", "'address' is missing"},
        {"write", "{\"device\":\"meter\",\"table\":\"holding\",\"address\":1,\"values\":[1,2],\"fc\":6}",
         "function 6 does not write 2"},
        {"write", "{\"bus\":\"line\",\"unit\":0,\"table\":\"holding\",\"address\":1,\"values\":[1],\"verify\":true}",
         "cannot be read back"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_says(run(cases[i].kind, cases[i].request, -1), cases[i].error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(scan_finds_a_unit_and_knows_its_name, reset, tidy),
        cmocka_unit_test_setup_teardown(scan_counts_a_refusal_as_presence, reset, tidy),
        cmocka_unit_test_setup_teardown(scan_asks_likely_units_first_and_silent_ones_another_way_last, reset, tidy),
        cmocka_unit_test_setup_teardown(scan_finds_a_unit_at_another_speed, reset, tidy),
        cmocka_unit_test_setup_teardown(scan_asks_again_when_an_answer_came_late, reset, tidy),
        cmocka_unit_test_setup_teardown(scan_tells_of_a_unit_whose_answers_are_damaged, reset, tidy),
        cmocka_unit_test_setup_teardown(cancelled_scan_tells_what_it_found, reset, tidy),
        cmocka_unit_test_setup_teardown(scan_order_asks_everybody_once_and_the_silent_twice, reset, tidy),
        cmocka_unit_test_setup_teardown(read_goes_around_holes, reset, tidy),
        cmocka_unit_test_setup_teardown(read_says_when_nobody_answers, reset, tidy),
        cmocka_unit_test_setup_teardown(write_tells_old_and_new_and_reads_back, reset, tidy),
        cmocka_unit_test_setup_teardown(write_that_is_refused_says_so, reset, tidy),
        cmocka_unit_test_setup_teardown(wrong_requests_are_refused_with_the_reason, reset, tidy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
