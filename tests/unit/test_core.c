/* Unit tests of gateway/core: buffers, timers, values, JSON, messages. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/message.h"
#include "core/reading.h"
#include "core/timer.h"
#include "core/utf8.h"

static void assert_text(struct buf *b, const char *want)
{
    buf_put_u8(b, 0);
    assert_string_equal((const char *)buf_data(b), want);
    buf_fini(b);
}

static void consumed_bytes_make_room_again(void **state)
{
    (void)state;
    struct buf b = {0};
    size_t cap;

    buf_append(&b, "0123456789012345678901234567890123456789", 40);
    cap = b.cap;
    buf_consume(&b, 38);
    buf_append(&b, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", 52);
    assert_int_equal(b.cap, cap);
    assert_memory_equal(buf_data(&b), "89abc", 5);
    assert_int_equal(buf_len(&b), 54);
    buf_fini(&b);
}

static void numbers_are_written_big_endian(void **state)
{
    (void)state;
    struct buf b = {0};

    buf_put_u16(&b, 0x0102);
    buf_put_u32(&b, 0x03040506);
    assert_memory_equal(buf_data(&b), "\1\2\3\4\5\6", 6);
    buf_fini(&b);
}

static void note_time(void *arg)
{
    int *calls = arg;

    (*calls)++;
}

static void timers_ring_in_order_and_only_when_due(void **state)
{
    (void)state;
    struct timers ts;
    struct timer t[50];
    int calls[50] = {0};

    timers_init(&ts);
    for (int i = 0; i < 50; i++) {
        timer_init(&t[i], note_time, &calls[i]);
        assert_int_equal(timer_start(&ts, &t[i], (i * 37) % 50), 0);
    }
    timer_stop(&ts, &t[0]); /* due at 0 */
    assert_int_equal(timers_next(&ts), 1);
    timers_run(&ts, 24);
    for (int i = 0; i < 50; i++)
        assert_int_equal(calls[i], i != 0 && (i * 37) % 50 <= 24);
    assert_int_equal(timers_next(&ts), 25);
    timer_start(&ts, &t[1], 5); /* moved to the front: t[1] was due at 37 */
    assert_int_equal(timers_next(&ts), 5);
    timers_run(&ts, 100);
    assert_int_equal(timers_next(&ts), INT64_MAX);
    timers_fini(&ts);
}

static void values_print_as_a_person_would_write_them(void **state)
{
    (void)state;
    const struct {
        struct value value;
        const char *text;
    } cases[] = {
        {{.type = VALUE_FLOAT, .d = (double)230.1f}, "230.1"},
        {{.type = VALUE_FLOAT, .d = (double)0.1f}, "0.1"},
        {{.type = VALUE_FLOAT, .d = (double)16777217.0f}, "16777216"},
        {{.type = VALUE_FLOAT, .d = (double)1520500.0f}, "1520500"},
        {{.type = VALUE_FLOAT, .d = (double)-2e8f}, "-200000000"},
        {{.type = VALUE_FLOAT, .d = (double)3e9f}, "3e+09"},
        {{.type = VALUE_DOUBLE, .d = 3 * 0.1}, "0.3"},
        {{.type = VALUE_DOUBLE, .d = -40.0}, "-40"},
        {{.type = VALUE_INT, .i = INT64_MIN}, "-9223372036854775808"},
        {{.type = VALUE_UINT, .u = UINT64_MAX}, "18446744073709551615"},
        {{.type = VALUE_BOOL, .b = true}, "true"},
        {{.type = VALUE_TEXT, .text = str_of("on \"1\"")}, "on \"1\""},
        {{.type = VALUE_NONE}, ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = {0};

        value_print(&cases[i].value, &b);
        assert_text(&b, cases[i].text);
    }
}

static void a_batch_has_texts_of_its_own(void **state)
{
    (void)state;
    struct batch *b = batch_new(2);
    char text[] = "SN-1234";

    assert_non_null(b);
    batch_add(b, 0, (struct value){.type = VALUE_TEXT, .text = str_of(text)});
    memcpy(text, "XX", 2);
    batch_add(b, 1, (struct value){.type = VALUE_TEXT, .text = {text, 0}});
    assert_true(str_equal(b->readings[0].value.text, str_of("SN-1234")));
    assert_true(value_equal(&b->readings[0].value, &(struct value){.type = VALUE_TEXT, .text = str_of("SN-1234")}));
    assert_false(value_equal(&b->readings[0].value, &b->readings[1].value));
    assert_int_equal(b->readings[1].value.text.len, 0);
    batch_free(b);
}

static void a_reason_names_the_raw_value_without_a_word(void **state)
{
    (void)state;
    struct buf b = {0};

    reason_print((struct reason){.kind = REASON_ENUM, .code = -7}, &b);
    assert_text(&b, "enum:-7");
}

static void a_reason_names_the_exception_code(void **state)
{
    (void)state;
    struct buf b = {0};

    reason_print((struct reason){.kind = REASON_EXCEPTION, .code = 2}, &b);
    assert_text(&b, "exception:2");
}

static void json_escapes_what_it_must(void **state)
{
    (void)state;
    struct buf b = {0};
    struct json j = json_to(&b);

    json_object_begin(&j);
    json_key(&j, "a\"b");
    json_text(&j, "x\n\x01\\\xc3\xa9\xff");
    json_key(&j, "n");
    json_array_begin(&j);
    json_int(&j, -1);
    json_null(&j);
    json_bool(&j, true);
    json_array_end(&j);
    json_object_end(&j);
    assert_text(&b, "{\"a\\\"b\":\"x\\n\\u0001\\\\\xc3\xa9\xef\xbf\xbd\",\"n\":[-1,null,true]}");
}

static void malformed_utf8_is_refused(void **state)
{
    (void)state;
    const char *bad[] = {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "a\xff"};

    assert_true(utf8_valid(str_of("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(utf8_valid(str_of(bad[i])));
}

static void note_result(void *arg, struct message *m, int result)
{
    (void)m;
    *(int *)arg = result;
}

static void the_last_hold_settles_with_the_first_error(void **state)
{
    (void)state;
    int result = 1;
    struct message *m = message_new(str_of("t"), str_of("p"), str_of(""), 1, false);

    assert_non_null(m);
    m->on_settled = note_result;
    m->settled_arg = &result;
    message_hold(m);
    message_hold(m);
    message_settle(m, -ENOSPC);
    assert_int_equal(result, 1);
    message_settle(m, 0);
    assert_int_equal(result, -ENOSPC);
    message_unref(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consumed_bytes_make_room_again),
        cmocka_unit_test(numbers_are_written_big_endian),
        cmocka_unit_test(timers_ring_in_order_and_only_when_due),
        cmocka_unit_test(values_print_as_a_person_would_write_them),
        cmocka_unit_test(a_batch_has_texts_of_its_own),
        cmocka_unit_test(a_reason_names_the_raw_value_without_a_word),
        cmocka_unit_test(a_reason_names_the_exception_code),
        cmocka_unit_test(json_escapes_what_it_must),
        cmocka_unit_test(malformed_utf8_is_refused),
        cmocka_unit_test(the_last_hold_settles_with_the_first_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
