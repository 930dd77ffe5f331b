/* Unit tests of drivers/modbus: what registers mean, in every type and byte order. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/str.h"
#include "drivers/modbus.h"

static struct tag_settings tag_of(enum tag_type type, enum byte_order order)
{
    return (struct tag_settings){.name = "t", .table = TABLE_HOLDING, .type = type, .order = order, .scale = 1.0};
}

static const enum byte_order orders[] = {ORDER_ABCD, ORDER_CDAB, ORDER_BADC, ORDER_DCBA};

static void words_of_16_bits_follow_the_order_of_bytes_only(void **state)
{
    (void)state;
    const uint16_t regs[] = {0x1234};
    const uint64_t want[] = {0x1234, 0x1234, 0x3412, 0x3412};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct tag_settings tag = tag_of(TYPE_U16, orders[i]);
        struct reading r = modbus_decode(&tag, 7, regs);

        assert_int_equal(r.tag, 7);
        assert_int_equal(r.value.type, VALUE_UINT);
        assert_int_equal(r.value.u, want[i]);
    }
}

static void a_32_bit_value_is_found_in_each_order(void **state)
{
    (void)state;
    const uint16_t regs[][2] = {{0x0102, 0x0304}, {0x0304, 0x0102}, {0x0201, 0x0403}, {0x0403, 0x0201}};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct tag_settings tag = tag_of(TYPE_U32, orders[i]);

        assert_int_equal(modbus_decode(&tag, 0, regs[i]).value.u, 0x01020304);
    }
}

static void signed_values_keep_their_sign(void **state)
{
    (void)state;
    struct tag_settings s16 = tag_of(TYPE_S16, ORDER_ABCD);
    struct tag_settings s32 = tag_of(TYPE_S32, ORDER_CDAB);
    struct reading r = modbus_decode(&s16, 0, (const uint16_t[]){0x8000});

    assert_int_equal(r.value.type, VALUE_INT);
    assert_int_equal(r.value.i, -32768);
    assert_int_equal(modbus_decode(&s32, 0, (const uint16_t[]){0xfffe, 0xffff}).value.i, -2);
}

static void floats_are_found_in_each_order(void **state)
{
    (void)state;
    /* 230.2 is 0x43663333 */
    const uint16_t regs[][2] = {{0x4366, 0x3333}, {0x3333, 0x4366}, {0x6643, 0x3333}, {0x3333, 0x6643}};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct tag_settings tag = tag_of(TYPE_F32, orders[i]);
        struct reading r = modbus_decode(&tag, 0, regs[i]);

        assert_int_equal(r.value.type, VALUE_FLOAT);
        assert_true((float)r.value.d == 230.2f);
    }
}

static void a_float_that_is_no_number_is_refused(void **state)
{
    (void)state;
    const uint16_t regs[][2] = {{0x7fc0, 0}, {0x7f80, 0}, {0xff80, 0}, {0xffff, 0xffff}};
    struct tag_settings tag = tag_of(TYPE_F32, ORDER_ABCD);

    for (size_t i = 0; i < ARRAY_LEN(regs); i++) {
        struct reading r = modbus_decode(&tag, 3, regs[i]);

        assert_int_equal(r.tag, 3);
        assert_int_equal(r.reason.kind, REASON_NAN);
        assert_int_equal(r.value.type, VALUE_NONE);
    }
}

static void integers_stay_integers_unless_scaled(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TYPE_U16, ORDER_ABCD);
    struct reading r;

    assert_int_equal(modbus_decode(&tag, 0, (const uint16_t[]){2301}).value.type, VALUE_UINT);
    tag.scale = 0.1;
    r = modbus_decode(&tag, 0, (const uint16_t[]){2301});
    assert_int_equal(r.value.type, VALUE_DOUBLE);
    assert_true(fabs(r.value.d - 230.1) < 1e-9);
    tag.scale = 1.0;
    tag.offset = -40.0;
    r = modbus_decode(&tag, 0, (const uint16_t[]){15});
    assert_int_equal(r.value.type, VALUE_DOUBLE);
    assert_true(r.value.d == -25.0);
}

static void a_register_that_is_not_zero_is_true(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TYPE_BOOL, ORDER_ABCD);

    assert_false(modbus_decode(&tag, 0, (const uint16_t[]){0}).value.b);
    assert_true(modbus_decode(&tag, 0, (const uint16_t[]){0x0100}).value.b);
    assert_int_equal(modbus_decode(&tag, 0, (const uint16_t[]){1}).value.type, VALUE_BOOL);
}

static double number(const struct value *v)
{
    return v->type == VALUE_INT    ? (double)v->i
           : v->type == VALUE_UINT ? (double)v->u
           : v->type == VALUE_BOOL ? v->b
                                   : v->d;
}

static void what_is_encoded_decodes_to_the_same(void **state)
{
    (void)state;
    const struct {
        enum tag_type type;
        double value;
        double scale;
        double offset;
    } cases[] = {
        {TYPE_BOOL, 1, 1, 0},           {TYPE_U16, 65535, 1, 0},         {TYPE_S16, -32768, 1, 0},
        {TYPE_U32, 4294967295.0, 1, 0}, {TYPE_S32, -2147483648.0, 1, 0}, {TYPE_F32, -0.5, 1, 0},
        {TYPE_S16, -12.3, 0.1, 0},      {TYPE_U32, 1.234, 0.001, 0},     {TYPE_F32, 21.5, 2, -40},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t k = 0; k < ARRAY_LEN(orders); k++) {
            struct tag_settings tag = tag_of(cases[i].type, orders[k]);
            uint16_t regs[2];
            struct reading r;

            tag.scale = cases[i].scale;
            tag.offset = cases[i].offset;
            modbus_encode(&tag, cases[i].value, regs);
            r = modbus_decode(&tag, 0, regs);
            assert_true(fabs(number(&r.value) - cases[i].value) < 1e-6);
        }
}

static void encoding_stays_within_the_type(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TYPE_U16, ORDER_ABCD);
    uint16_t reg;

    modbus_encode(&tag, -5, &reg);
    assert_int_equal(reg, 0);
    modbus_encode(&tag, 1e9, &reg);
    assert_int_equal(reg, 65535);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_16_bits_follow_the_order_of_bytes_only),
        cmocka_unit_test(a_32_bit_value_is_found_in_each_order),
        cmocka_unit_test(signed_values_keep_their_sign),
        cmocka_unit_test(floats_are_found_in_each_order),
        cmocka_unit_test(a_float_that_is_no_number_is_refused),
        cmocka_unit_test(integers_stay_integers_unless_scaled),
        cmocka_unit_test(a_register_that_is_not_zero_is_true),
        cmocka_unit_test(what_is_encoded_decodes_to_the_same),
        cmocka_unit_test(encoding_stays_within_the_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
