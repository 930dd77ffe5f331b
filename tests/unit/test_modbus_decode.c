/* Unit tests of drivers/modbus: what registers mean, in every type and byte order. */
#include <errno.h>
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

/* A text of the reading is valid until the next call. */
static struct reading decode(const struct tag_settings *tag, uint32_t index, const uint16_t *regs)
{
    static char text[VALUE_TEXT_MAX];

    return modbus_decode(tag, index, regs, text);
}

static const enum byte_order orders[] = {ORDER_ABCD, ORDER_CDAB, ORDER_BADC, ORDER_DCBA};

static void words_of_16_bits_follow_the_order_of_bytes_only(void **state)
{
    (void)state;
    const uint16_t regs[] = {0x1234};
    const uint64_t want[] = {0x1234, 0x1234, 0x3412, 0x3412};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct tag_settings tag = tag_of(TYPE_U16, orders[i]);
        struct reading r = decode(&tag, 7, regs);

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

        assert_int_equal(decode(&tag, 0, regs[i]).value.u, 0x01020304);
    }
}

static void signed_values_keep_their_sign(void **state)
{
    (void)state;
    struct tag_settings s16 = tag_of(TYPE_S16, ORDER_ABCD);
    struct tag_settings s32 = tag_of(TYPE_S32, ORDER_CDAB);
    struct reading r = decode(&s16, 0, (const uint16_t[]){0x8000});

    assert_int_equal(r.value.type, VALUE_INT);
    assert_int_equal(r.value.i, -32768);
    assert_int_equal(decode(&s32, 0, (const uint16_t[]){0xfffe, 0xffff}).value.i, -2);
}

static void floats_are_found_in_each_order(void **state)
{
    (void)state;
    /* 230.2 is 0x43663333 */
    const uint16_t regs[][2] = {{0x4366, 0x3333}, {0x3333, 0x4366}, {0x6643, 0x3333}, {0x3333, 0x6643}};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct tag_settings tag = tag_of(TYPE_F32, orders[i]);
        struct reading r = decode(&tag, 0, regs[i]);

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
        struct reading r = decode(&tag, 3, regs[i]);

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

    assert_int_equal(decode(&tag, 0, (const uint16_t[]){2301}).value.type, VALUE_UINT);
    tag.scale = 0.1;
    r = decode(&tag, 0, (const uint16_t[]){2301});
    assert_int_equal(r.value.type, VALUE_DOUBLE);
    assert_true(fabs(r.value.d - 230.1) < 1e-9);
    tag.scale = 1.0;
    tag.offset = -40.0;
    r = decode(&tag, 0, (const uint16_t[]){15});
    assert_int_equal(r.value.type, VALUE_DOUBLE);
    assert_true(r.value.d == -25.0);
}

static void a_register_that_is_not_zero_is_true(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TYPE_BOOL, ORDER_ABCD);

    assert_false(decode(&tag, 0, (const uint16_t[]){0}).value.b);
    assert_true(decode(&tag, 0, (const uint16_t[]){0x0100}).value.b);
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){1}).value.type, VALUE_BOOL);
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
            r = decode(&tag, 0, regs);
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

/* Where the bytes of 0x0102030405060708 are in each order. */
static const uint16_t four_words[][4] = {{0x0102, 0x0304, 0x0506, 0x0708},
                                         {0x0708, 0x0506, 0x0304, 0x0102},
                                         {0x0201, 0x0403, 0x0605, 0x0807},
                                         {0x0807, 0x0605, 0x0403, 0x0201}};

static void a_64_bit_value_is_found_in_each_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct tag_settings tag = tag_of(TYPE_U64, orders[i]);

        assert_true(decode(&tag, 0, four_words[i]).value.u == UINT64_C(0x0102030405060708));
        tag.type = TYPE_S64;
        assert_true(decode(&tag, 0, four_words[i]).value.i == INT64_C(0x0102030405060708));
        assert_true(decode(&tag, 0, (const uint16_t[]){0xffff, 0xffff, 0xffff, 0xffff}).value.i == -1);
    }
}

static void a_64_bit_float_is_found_in_each_order(void **state)
{
    (void)state;
    /* -0.1 is 0xbfb999999999999a */
    const uint16_t regs[][4] = {{0xbfb9, 0x9999, 0x9999, 0x999a},
                                {0x999a, 0x9999, 0x9999, 0xbfb9},
                                {0xb9bf, 0x9999, 0x9999, 0x9a99},
                                {0x9a99, 0x9999, 0x9999, 0xb9bf}};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct tag_settings tag = tag_of(TYPE_F64, orders[i]);
        struct reading r = decode(&tag, 0, regs[i]);

        assert_int_equal(r.value.type, VALUE_DOUBLE);
        assert_true(r.value.d == -0.1);
    }
    for (size_t i = 0; i < 2; i++) {
        struct tag_settings tag = tag_of(TYPE_F64, ORDER_ABCD);

        assert_int_equal(decode(&tag, 0, (const uint16_t[]){i ? 0x7ff8 : 0xfff0, 0, 0, 0}).reason.kind, REASON_NAN);
    }
}

static void a_byte_is_the_low_one_unless_they_are_swapped(void **state)
{
    (void)state;
    const int want[] = {0x80, 0x80, 0x7f, 0x7f};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct tag_settings tag = tag_of(TYPE_U8, orders[i]);

        assert_int_equal(decode(&tag, 0, (const uint16_t[]){0x7f80}).value.u, want[i]);
        tag.type = TYPE_S8;
        assert_int_equal(decode(&tag, 0, (const uint16_t[]){0x7f80}).value.i, (int8_t)want[i]);
    }
}

static void decimal_digits_are_found_in_each_order(void **state)
{
    (void)state;
    const uint16_t regs[][2] = {{0x1234, 0x5678}, {0x5678, 0x1234}, {0x3412, 0x7856}, {0x7856, 0x3412}};
    const int want[] = {1234, 5678, 1234, 5678};

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct tag_settings tag = tag_of(TYPE_BCD32, orders[i]);

        assert_int_equal(decode(&tag, 0, regs[i]).value.u, 12345678);
        tag.type = TYPE_BCD16;
        assert_int_equal(decode(&tag, 0, regs[i]).value.u, want[i]);
    }
}

static void a_digit_above_nine_is_refused(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TYPE_BCD16, ORDER_ABCD);

    assert_int_equal(decode(&tag, 0, (const uint16_t[]){0x9999}).value.u, 9999);
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){0x00a0}).reason.kind, REASON_BCD);
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){0xa000}).reason.kind, REASON_BCD);
}

static void text_is_found_in_both_orders_without_what_fills_it_up(void **state)
{
    (void)state;
    const struct {
        enum byte_order order;
        uint16_t regs[3];
        const char *text;
    } cases[] = {
        {ORDER_ABCD, {0x4142, 0x4344, 0x4546}, "ABCDEF"},
        {ORDER_CDAB, {0x4142, 0x4344, 0x4546}, "ABCDEF"},
        {ORDER_BADC, {0x4241, 0x4443, 0x4645}, "ABCDEF"},
        {ORDER_DCBA, {0x4241, 0x4443, 0x4645}, "ABCDEF"},
        {ORDER_ABCD, {0x4120, 0x4220, 0x2020}, "A B"},
        {ORDER_ABCD, {0x4142, 0x0000, 0xffff}, "AB"},
        {ORDER_ABCD, {0x4120, 0x0000, 0x0000}, "A"},
        {ORDER_ABCD, {0, 0, 0}, ""},
        {ORDER_ABCD,
         {0x32c2, 0xb043, 0x0000},
         "2\xc2\xb0"
         "C"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tag_settings tag = tag_of(TYPE_STRING, cases[i].order);
        struct reading r;

        tag.form.length = 3;
        r = decode(&tag, 0, cases[i].regs);
        assert_int_equal(r.value.type, VALUE_TEXT);
        assert_true(str_equal(r.value.text, str_of(cases[i].text)));
    }
}

static void text_that_is_not_utf8_is_refused(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TYPE_STRING, ORDER_ABCD);

    tag.form.length = 2;
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){0xffff, 0xffff}).reason.kind, REASON_UTF8);
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){0x4141, 0x41c2}).reason.kind, REASON_UTF8);
}

static void a_bit_is_true_or_false(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TYPE_U32, ORDER_CDAB);

    tag.form = (struct value_form){.is_bit = true, .bit_offset = 17, .bit_count = 1};
    assert_true(decode(&tag, 0, (const uint16_t[]){0x0000, 0x0002}).value.b);
    assert_false(decode(&tag, 0, (const uint16_t[]){0xffff, 0xfffd}).value.b);
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){0, 0}).value.type, VALUE_BOOL);
}

static void bits_are_a_number(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TYPE_U16, ORDER_ABCD);

    tag.form = (struct value_form){.bit_offset = 4, .bit_count = 3};
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){0x00d0}).value.u, 5);
    tag.scale = 0.5;
    assert_true(decode(&tag, 0, (const uint16_t[]){0x00d0}).value.d == 2.5);
    tag = tag_of(TYPE_U64, ORDER_ABCD);
    tag.form = (struct value_form){.bit_offset = 0, .bit_count = 64};
    assert_true(decode(&tag, 0, (const uint16_t[]){0xffff, 0xffff, 0xffff, 0xffff}).value.u == UINT64_MAX);
}

static const struct tag_word words[] = {{0, "off"}, {1, "on"}, {-2, "fault"}};

static void a_raw_value_has_its_word_or_is_refused(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TYPE_S16, ORDER_ABCD);
    struct reading r;

    tag.form = (struct value_form){.words = words, .word_count = ARRAY_LEN(words)};
    assert_true(str_equal(decode(&tag, 0, (const uint16_t[]){0xfffe}).value.text, str_of("fault")));
    r = decode(&tag, 0, (const uint16_t[]){0xfff9});
    assert_int_equal(r.reason.kind, REASON_ENUM);
    assert_true(r.reason.code == -7);
    tag.form.is_bit = true;
    assert_true(str_equal(decode(&tag, 0, (const uint16_t[]){0xfffd}).value.text, str_of("on")));
    tag.form.is_bit = false;
    assert_true(str_equal(modbus_decode_bit(&tag, 0, false).value.text, str_of("off")));
}

static void a_sentinel_is_compared_with_the_bits_in_the_registers(void **state)
{
    (void)state;
    const uint64_t sentinels[] = {0x8000, 0x7fc00000};
    struct tag_settings tag = tag_of(TYPE_S16, ORDER_BADC);

    tag.form = (struct value_form){.sentinels = sentinels, .sentinel_count = 2};
    tag.scale = 0.1;
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){0x0080}).reason.kind, REASON_SENTINEL);
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){0x8000}).value.type, VALUE_DOUBLE);
    tag.type = TYPE_F32;
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){0xc07f, 0}).reason.kind, REASON_SENTINEL);
}

static void values_outside_their_range_are_refused(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TYPE_U16, ORDER_ABCD);

    tag.scale = 0.1;
    tag.form = (struct value_form){.has_range = true, .range_min = 10, .range_max = 100};
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){100}).reason.kind, REASON_NONE);
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){1000}).reason.kind, REASON_NONE);
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){99}).reason.kind, REASON_RANGE);
    assert_int_equal(decode(&tag, 0, (const uint16_t[]){1001}).reason.kind, REASON_RANGE);
}

static void a_value_is_rounded_to_its_precision(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TYPE_F32, ORDER_ABCD);

    tag.form = (struct value_form){.has_precision = true, .precision = 1};
    assert_true(decode(&tag, 0, (const uint16_t[]){0x4366, 0x28f6}).value.d == 230.2);  /* 230.16 */
    assert_false(signbit(decode(&tag, 0, (const uint16_t[]){0xbc23, 0xd70a}).value.d)); /* -0.01 */
    tag.form.precision = 0;
    tag.scale = 1e30; /* more digits than there are */
    assert_true(decode(&tag, 0, (const uint16_t[]){0x3f80, 0}).value.d == 1e30);
}

static struct str shown(const struct tag_settings *tag, const uint16_t *regs)
{
    static struct buf out;
    struct reading r = decode(tag, 0, regs);

    buf_clear(&out);
    value_print(&r.value, &out);
    return buf_str(&out);
}

static void what_is_encoded_from_text_shows_the_same(void **state)
{
    (void)state;
    const struct {
        enum tag_type type;
        struct value_form form;
        const char *text;
    } cases[] = {
        {TYPE_U8, {0}, "200"},
        {TYPE_S8, {0}, "-128"},
        {TYPE_U64, {0}, "18446744073709551615"},
        {TYPE_S64, {0}, "-9223372036854775808"},
        {TYPE_S64, {0}, "9007199254740993"},
        {TYPE_F64, {0}, "-1234567.89012"},
        {TYPE_BCD16, {0}, "9876"},
        {TYPE_BCD32, {0}, "98765432"},
        {TYPE_STRING, {.length = 4}, "SN 1234"},
        {TYPE_STRING, {.length = 4}, ""},
        {TYPE_U16, {.words = words, .word_count = 2}, "on"},
        {TYPE_U16, {.is_bit = true, .bit_offset = 15, .bit_count = 1}, "true"},
        {TYPE_U32, {.bit_offset = 12, .bit_count = 8}, "255"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t k = 0; k < ARRAY_LEN(orders); k++) {
            struct tag_settings tag = tag_of(cases[i].type, orders[k]);
            uint16_t regs[4] = {0};

            tag.form = cases[i].form;
            assert_int_equal(modbus_encode_text(&tag, str_of(cases[i].text), regs), 0);
            assert_true(str_equal(shown(&tag, regs), str_of(cases[i].text)));
        }
}

static void encoding_keeps_the_bits_beside_it(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TYPE_U16, ORDER_ABCD);
    uint16_t reg = 0xffff;

    tag.form = (struct value_form){.bit_offset = 4, .bit_count = 4};
    assert_int_equal(modbus_encode_text(&tag, str_of("2"), &reg), 0);
    assert_int_equal(reg, 0xff2f);
    tag = tag_of(TYPE_U8, ORDER_BADC);
    modbus_encode(&tag, 1, &reg);
    assert_int_equal(reg, 0x012f);
}

static void what_a_tag_cannot_show_is_not_encoded(void **state)
{
    (void)state;
    struct tag_settings string = tag_of(TYPE_STRING, ORDER_ABCD);
    struct tag_settings number = tag_of(TYPE_U64, ORDER_ABCD);
    uint16_t regs[4] = {0};
    bool bit;

    string.form.length = 2;
    assert_int_equal(modbus_encode_text(&string, str_of("12345"), regs), -EINVAL);
    for (const char *const *text = (const char *const[]){"", "x", "-1", "1.5", NULL}; *text; text++)
        assert_int_equal(modbus_encode_text(&number, str_of(*text), regs), -EINVAL);
    assert_int_equal(modbus_encode_text(&number, str_of("18446744073709551616"), regs), -ERANGE);
    assert_int_equal(modbus_encode_bit(&number, str_of("maybe"), &bit), -EINVAL);
    assert_int_equal(modbus_encode_bit(&number, str_of("true"), &bit), 0);
    assert_true(bit);
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
        cmocka_unit_test(a_64_bit_value_is_found_in_each_order),
        cmocka_unit_test(a_64_bit_float_is_found_in_each_order),
        cmocka_unit_test(a_byte_is_the_low_one_unless_they_are_swapped),
        cmocka_unit_test(decimal_digits_are_found_in_each_order),
        cmocka_unit_test(a_digit_above_nine_is_refused),
        cmocka_unit_test(text_is_found_in_both_orders_without_what_fills_it_up),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
        cmocka_unit_test(a_bit_is_true_or_false),
        cmocka_unit_test(bits_are_a_number),
        cmocka_unit_test(a_raw_value_has_its_word_or_is_refused),
        cmocka_unit_test(a_sentinel_is_compared_with_the_bits_in_the_registers),
        cmocka_unit_test(values_outside_their_range_are_refused),
        cmocka_unit_test(a_value_is_rounded_to_its_precision),
        cmocka_unit_test(what_is_encoded_from_text_shows_the_same),
        cmocka_unit_test(encoding_keeps_the_bits_beside_it),
        cmocka_unit_test(what_a_tag_cannot_show_is_not_encoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
