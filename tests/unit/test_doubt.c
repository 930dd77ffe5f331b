/* Unit tests of gateway/bus/doubt and fault: no late answer is taken for another's, and what a silent bus is told to
 * be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "bus/doubt.h"
#include "bus/fault.h"

static struct request read_of(enum modbus_table table, uint16_t address, uint16_t count)
{
    return (struct request){.table = table, .address = address, .count = count};
}

static bool may_ask(const struct doubt *d, enum modbus_table table, uint16_t address, uint16_t count)
{
    return doubt_allows(d, &(struct request){.table = table, .address = address, .count = count});
}

static struct doubt doubt_of(enum modbus_table table, uint16_t address, uint16_t count)
{
    struct request req = read_of(table, address, count);
    struct doubt d = {0};

    doubt_add(&d, &req);
    return d;
}

static void without_doubt_all_may_be_asked(void **state)
{
    (void)state;
    struct doubt d = {0};

    assert_true(may_ask(&d, TABLE_HOLDING, 10, 1));
}

static void only_what_differs_in_function_or_length_may_be_asked(void **state)
{
    (void)state;
    struct doubt d = doubt_of(TABLE_HOLDING, 10, 2);

    assert_false(may_ask(&d, TABLE_HOLDING, 20, 2));
    assert_true(may_ask(&d, TABLE_HOLDING, 20, 3));
    assert_true(may_ask(&d, TABLE_INPUT, 20, 2));
    assert_true(may_ask(&d, TABLE_HOLDING, 10, 2)); /* the same: a late answer of it is true */
}

static void bits_are_alike_when_their_bytes_are_as_many(void **state)
{
    (void)state;
    struct doubt d = doubt_of(TABLE_COIL, 0, 3);

    assert_false(may_ask(&d, TABLE_COIL, 0, 5));
    assert_false(may_ask(&d, TABLE_COIL, 8, 8));
    assert_true(may_ask(&d, TABLE_COIL, 0, 9));
    assert_true(may_ask(&d, TABLE_DISCRETE, 0, 5));
}

static void an_answer_of_another_shape_ends_the_doubt(void **state)
{
    (void)state;
    struct request same = read_of(TABLE_HOLDING, 10, 2);
    struct request other = read_of(TABLE_HOLDING, 20, 1);
    struct doubt d = doubt_of(TABLE_HOLDING, 10, 2);

    doubt_answered(&d, &same); /* the late one, or its own: one more may come */
    assert_false(may_ask(&d, TABLE_HOLDING, 20, 2));
    doubt_answered(&d, &other);
    assert_true(may_ask(&d, TABLE_HOLDING, 20, 2));
}

static void the_question_asked_instead_has_fewer_registers_if_it_can(void **state)
{
    (void)state;
    struct request req = read_of(TABLE_HOLDING, 20, 2);
    struct doubt d = doubt_of(TABLE_HOLDING, 10, 2);
    struct request q = doubt_question(&d, &req);

    assert_int_equal(q.address, 20);
    assert_int_equal(q.count, 1);
    assert_int_equal(q.tag_count, 0);
    doubt_add(&d, &q); /* not answered either: the old question again */
    q = doubt_question(&d, &req);
    assert_int_equal(q.address, 10);
    assert_int_equal(q.count, 2);
    q = doubt_question(&d, &req); /* fewer is in doubt too */
    assert_int_equal(q.address, 20);
    assert_int_equal(q.count, 3);
}

static void one_register_becomes_two_but_not_beyond_the_last_address(void **state)
{
    (void)state;
    struct request req = read_of(TABLE_INPUT, 20, 1);
    struct request last = read_of(TABLE_INPUT, 65535, 1);
    struct doubt d = doubt_of(TABLE_INPUT, 10, 1);
    struct doubt e = d;

    assert_int_equal(doubt_question(&d, &req).count, 2);
    assert_int_equal(doubt_question(&e, &last).address, 10);
}

static void bits_are_asked_for_by_the_byte(void **state)
{
    (void)state;
    struct request req = read_of(TABLE_COIL, 0, 10);
    struct request few = read_of(TABLE_COIL, 0, 3);
    struct doubt d = doubt_of(TABLE_COIL, 100, 16);
    struct doubt e = doubt_of(TABLE_COIL, 100, 1);

    assert_int_equal(doubt_question(&d, &req).count, 2);
    assert_int_equal(doubt_question(&e, &few).count, 11);
}

static void with_too_many_doubts_only_these_are_asked(void **state)
{
    (void)state;
    struct request req = read_of(TABLE_HOLDING, 500, 9);
    struct doubt d = {0};

    for (uint16_t i = 1; i <= DOUBTS_MAX + 2; i++) {
        struct request open = read_of(TABLE_HOLDING, i, i);

        doubt_add(&d, &open);
    }
    assert_int_equal(d.count, DOUBTS_MAX);
    assert_false(may_ask(&d, TABLE_HOLDING, 500, 9));
    assert_int_equal(doubt_question(&d, &req).address, 1);
    doubt_clear(&d);
    assert_true(may_ask(&d, TABLE_HOLDING, 500, 9));
}

/* Each fits the reason of a bus. */
static void a_silent_bus_names_what_to_check(void **state)
{
    (void)state;
    char text[128];

    fault_print(BUS_MODBUS_RTU, 247, false, false, text, sizeof(text));
    assert_string_equal(text,
                        "none of 247 devices answers: check wires A and B, power, baud rate, parity and unit ids");
    fault_print(BUS_MODBUS_RTU, 5, true, false, text, sizeof(text));
    assert_string_equal(text, "all 5 devices fell silent: check cable, wires A and B, termination and power");
    fault_print(BUS_MODBUS_RTU, 5, true, true, text, sizeof(text));
    assert_string_equal(text, "only damaged answers of 5 devices: check baud rate, parity, termination and bias");
    fault_print(BUS_MODBUS_TCP, 5, false, false, text, sizeof(text));
    assert_string_equal(text, "none of 5 devices answers: check unit ids and the gateway's serial side");
    fault_print(BUS_MODBUS_TCP, 1, true, true, text, sizeof(text));
    assert_string_equal(text, "its only device does not answer: the device, its settings or the line");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_doubt_all_may_be_asked),
        cmocka_unit_test(only_what_differs_in_function_or_length_may_be_asked),
        cmocka_unit_test(bits_are_alike_when_their_bytes_are_as_many),
        cmocka_unit_test(an_answer_of_another_shape_ends_the_doubt),
        cmocka_unit_test(the_question_asked_instead_has_fewer_registers_if_it_can),
        cmocka_unit_test(one_register_becomes_two_but_not_beyond_the_last_address),
        cmocka_unit_test(bits_are_asked_for_by_the_byte),
        cmocka_unit_test(with_too_many_doubts_only_these_are_asked),
        cmocka_unit_test(a_silent_bus_names_what_to_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
