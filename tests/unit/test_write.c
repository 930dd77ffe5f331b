/* Unit tests of gateway/write: requests, recent ids, failsafe values, outcomes. The writer itself:
 * tests/integration/45. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/arena.h"
#include "write/failsafe.h"
#include "write/outcome.h"
#include "write/recent.h"
#include "write/request.h"

static struct arena *arena;

static int begin(void **state)
{
    (void)state;
    arena = arena_new();
    return arena ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static int parse(const char *topic, const char *payload, struct write_request *ret)
{
    return request_parse("g", str_of(topic), str_of(payload), arena, ret);
}

static void assert_text(struct str text, const char *wanted)
{
    char copy[128];

    snprintf(copy, sizeof(copy), STR_FMT, STR_ARG(text));
    assert_string_equal(copy, wanted);
}

static void a_plain_request_is_its_value(void **state)
{
    (void)state;
    struct write_request req;

    assert_int_equal(parse("wp/g/d/tank/v/level/set", "3.50", &req), 0);
    assert_text(req.device, "tank");
    assert_int_equal(req.count, 1);
    assert_text(req.items[0].name, "level");
    assert_text(req.items[0].text, "3.50");
    assert_text(req.items[0].given, "\"3.50\"");
    assert_false(req.has_id);
    assert_int_equal(req.expires_ms, -1);
    assert_int_equal(req.verify, -1);

    assert_int_equal(parse("wp/g/d/tank/action/reset/set", "", &req), 0);
    assert_true(req.is_action);
    assert_text(req.items[0].name, "reset");
}

static void a_json_request_is_read_whole(void **state)
{
    (void)state;
    struct write_request req;

    assert_int_equal(
        parse("wp/g/d/tank/set",
              " {\"id\":\"a\\\"7\",\"v\":{\"x\":-0.1,\"y\":true,\"z\":\"on\",\"n\":null,\"i\":9007199254740992},"
              "\"expires_ms\":50,\"verify\":false,\"more\":1} ",
              &req),
        0);
    assert_text(req.id, "\"a\\\"7\"");
    assert_int_equal(req.count, 5);
    assert_text(req.items[0].text, "-0.10000000000000001");
    assert_text(req.items[0].given, "-0.1");
    assert_text(req.items[1].text, "true");
    assert_text(req.items[2].text, "on");
    assert_false(req.items[3].is_value);
    assert_text(req.items[4].text, "9007199254740992");
    assert_int_equal(req.expires_ms, 50);
    assert_int_equal(req.verify, 0);

    assert_int_equal(parse("wp/g/d/tank/set", "{\"id\":12,\"v\":{\"x\":1}}", &req), 0);
    assert_text(req.id, "12");
}

static void whole_numbers_that_a_double_does_not_hold_are_no_values(void **state)
{
    (void)state;
    struct write_request req;

    assert_int_equal(parse("wp/g/d/t/set", "{\"v\":{\"x\":9007199254740993123}}", &req), 0);
    assert_false(req.items[0].is_value);
    assert_int_equal(parse("wp/g/d/t/set", "{\"v\":{\"x\":\"9007199254740993123\"}}", &req), 0);
    assert_text(req.items[0].text, "9007199254740993123");
}

static void the_id_is_known_of_a_request_that_is_wrong_elsewhere(void **state)
{
    (void)state;
    struct write_request req;

    assert_int_equal(parse("wp/g/d/tank/set", "{\"id\":\"a\",\"v\":7}", &req), -EBADMSG);
    assert_text(req.id, "\"a\"");
    assert_text(req.device, "tank");
}

static void what_is_no_request_is_refused(void **state)
{
    (void)state;
    static const char *const payloads[] = {"",
                                           "x",
                                           "[]",
                                           "{}",
                                           "{\"v\":{}}",
                                           "{\"v\":{\"a\":1},\"id\":\"\"}",
                                           "{\"v\":{\"a\":1},\"id\":1.5}",
                                           "{\"v\":{\"a\":1},\"id\":true}",
                                           "{\"v\":{\"a\":1},\"expires_ms\":0}",
                                           "{\"v\":{\"a\":1},\"expires_ms\":3600001}",
                                           "{\"v\":{\"a\":1},\"expires_ms\":\"5\"}",
                                           "{\"v\":{\"a\":1},\"verify\":\"yes\"}",
                                           "{\"v\":{\"a\":1,\"a\":2}}",
                                           "{\"v\":{\"a\":1}}}",
                                           "{\"v\":{\"a\":\"\xc3\"}}"};
    struct write_request req;

    for (size_t i = 0; i < ARRAY_LEN(payloads); i++)
        if (parse("wp/g/d/t/set", payloads[i], &req) != -EBADMSG)
            fail_msg("taken: %s", payloads[i]);
}

static void other_topics_are_not_for_us(void **state)
{
    (void)state;
    static const char *const topics[] = {"",
                                         "set",
                                         "wp/g/d/t/v/set",
                                         "wp/g/d//set",
                                         "wp/g/d/t/v//set",
                                         "wp/h/d/t/set",
                                         "wp/g/d/t/v/x/set/y",
                                         "wp/g/d/t/x/y/set",
                                         "wp/g/d/t/json"};
    struct write_request req;

    for (size_t i = 0; i < ARRAY_LEN(topics); i++)
        if (parse(topics[i], "{\"v\":{\"a\":1}}", &req) != -ENOENT)
            fail_msg("taken: %s", topics[i]);
}

static void no_answer_goes_where_the_gateway_speaks_or_listens(void **state)
{
    static const char *const refused[] = {"wp/g/d/other/set",
                                          "wp/g/d/other/v/level/set",
                                          "wp/g/request/write",
                                          "wp/g/d/other/v/level",
                                          "wp/g/state",
                                          "$SYS/wirepost/bus/line",
                                          "wp/g/"};
    static const char *const allowed[] = {"answers/here", "wp/g/response/write", "wp/g2/d/other/set", "wp", "wp/g", ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (request_may_answer_on("g", str_of(refused[i])))
            fail_msg("an answer may go to %s", refused[i]);
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
        if (!request_may_answer_on("g", str_of(allowed[i])))
            fail_msg("no answer may go to %s", allowed[i]);
}

static void the_last_256_ids_are_remembered(void **state)
{
    (void)state;
    struct recent r = {0};
    char id[16];

    for (int i = 0; i < RECENT_IDS + 1; i++) {
        snprintf(id, sizeof(id), "%d", i);
        assert_false(recent_has(&r, str_of(id)));
        recent_add(&r, str_of(id));
        assert_true(recent_has(&r, str_of(id)));
    }
    assert_false(recent_has(&r, str_of("0")));
    assert_true(recent_has(&r, str_of("1")));
    recent_fini(&r);
}

static void a_failsafe_value_is_due_when_writes_cease(void **state)
{
    (void)state;
    struct failsafe f;
    struct failsafe_due due;

    failsafe_init(&f);
    assert_true(failsafe_next(&f) == INT64_MAX);
    assert_int_equal(failsafe_written(&f, "d", "t", "0", 1000, 100), 0);
    assert_int_equal(failsafe_written(&f, "d", "t", "0", 1000, 600), 0);
    assert_false(failsafe_take(&f, 1599, &due));
    assert_int_equal(failsafe_next(&f), 1600);
    assert_true(failsafe_take(&f, 1600, &due));
    assert_string_equal(due.tag, "t");
    assert_string_equal(due.value, "0");
    assert_false(failsafe_take(&f, 1600, &due));

    failsafe_done(&f, "d", "t", false, 1700); /* the device did not take it */
    assert_int_equal(failsafe_next(&f), 1700 + FAILSAFE_RETRY_MS);
    assert_true(failsafe_take(&f, 10000, &due));
    failsafe_done(&f, "d", "t", true, 10001);
    assert_true(failsafe_next(&f) == INT64_MAX);
    failsafe_fini(&f);
}

static void a_write_during_the_failsafe_write_counts(void **state)
{
    (void)state;
    struct failsafe f;
    struct failsafe_due due;

    failsafe_init(&f);
    assert_int_equal(failsafe_written(&f, "d", "t", "0", 1000, 0), 0);
    assert_true(failsafe_take(&f, 1000, &due));
    assert_int_equal(failsafe_written(&f, "d", "t", "0", 1000, 1001), 0);
    failsafe_done(&f, "d", "t", true, 1002);
    assert_int_equal(failsafe_next(&f), 2001);
    failsafe_forget(&f, "d", "t");
    assert_true(failsafe_next(&f) == INT64_MAX);
    failsafe_fini(&f);
}

static void an_outcome_says_it_all(void **state)
{
    (void)state;
    const struct outcome_value values[] = {{"a", {"1.5", 3}}, {"b", {"\"on\"", 4}}};
    struct outcome o = {.id = str_of("\"x\""),
                        .status = WRITE_FAILED,
                        .code = "timeout",
                        .tag = "b",
                        .values = values,
                        .count = 2,
                        .ts_ms = 5};
    struct buf out = {0};

    outcome_print(&o, &out);
    buf_put_u8(&out, 0);
    assert_string_equal((const char *)buf_data(&out), "{\"id\":\"x\",\"status\":\"failed\",\"code\":\"timeout\","
                                                      "\"tag\":\"b\",\"v\":{\"a\":1.5,\"b\":\"on\"},\"ts\":5}");
    buf_clear(&out);
    o = (struct outcome){.id = str_of("7"), .status = WRITE_ACCEPTED, .ts_ms = 6};
    outcome_print(&o, &out);
    buf_put_u8(&out, 0);
    assert_string_equal((const char *)buf_data(&out),
                        "{\"id\":7,\"status\":\"accepted\",\"code\":null,\"v\":{},\"ts\":6}");
    buf_fini(&out);
}

static void results_have_codes(void **state)
{
    (void)state;
    char text[OUTCOME_CODE_LEN];
    const char *code;

    assert_int_equal(outcome_of_result(-ETIME, 0, text, &code), WRITE_EXPIRED);
    assert_string_equal(code, "expired");
    assert_int_equal(outcome_of_result(-EREMOTEIO, 11, text, &code), WRITE_FAILED);
    assert_string_equal(code, "exception:11");
    assert_int_equal(outcome_of_result(-ESTALE, 0, text, &code), WRITE_FAILED);
    assert_string_equal(code, "superseded");
    assert_int_equal(outcome_of_result(-EHOSTDOWN, 0, text, &code), WRITE_FAILED);
    assert_string_equal(code, "device_offline");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_request_is_its_value),
        cmocka_unit_test(a_json_request_is_read_whole),
        cmocka_unit_test(whole_numbers_that_a_double_does_not_hold_are_no_values),
        cmocka_unit_test(the_id_is_known_of_a_request_that_is_wrong_elsewhere),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(other_topics_are_not_for_us),
        cmocka_unit_test(no_answer_goes_where_the_gateway_speaks_or_listens),
        cmocka_unit_test(the_last_256_ids_are_remembered),
        cmocka_unit_test(a_failsafe_value_is_due_when_writes_cease),
        cmocka_unit_test(a_write_during_the_failsafe_write_counts),
        cmocka_unit_test(an_outcome_says_it_all),
        cmocka_unit_test(results_have_codes),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
