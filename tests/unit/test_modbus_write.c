/* Unit tests of drivers/modbus_write and modbus_preview: which request a tag makes, what is refused. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/link_impl.h"
#include "drivers/modbus.h"

/* A line whose one device holds `regs` and writes down what it is asked. */
struct bench {
    struct link link;
    char asked[256]; /* in hexadecimal, a blank after each */
    uint16_t reg;
    bool misquotes;
    bool broadcast;
};

static int transact(struct link *l, uint8_t unit, const uint8_t *pdu, size_t len, size_t want, uint8_t *ret_pdu)
{
    struct bench *b = (struct bench *)(void *)l;
    size_t at = strlen(b->asked);

    (void)unit;
    for (size_t i = 0; i < len; i++)
        at += (size_t)snprintf(b->asked + at, sizeof(b->asked) - at, "%02x", pdu[i]);
    snprintf(b->asked + at, sizeof(b->asked) - at, " ");
    if (b->broadcast)
        return 0;
    memcpy(ret_pdu, pdu, len < want ? len : want);
    if (pdu[0] == 3 || pdu[0] == 23) {
        ret_pdu[1] = (uint8_t)(want - 2);
        ret_pdu[2] = (uint8_t)(b->reg >> 8);
        ret_pdu[3] = (uint8_t)b->reg;
    }
    if (b->misquotes)
        ret_pdu[3] ^= 1;
    return (int)want;
}

static const struct link_ops ops = {.transact = transact};

static void setup(struct bench *b)
{
    *b = (struct bench){.link = {.ops = &ops, .is_open = true}};
}

static struct tag_settings tag_of(enum modbus_table table, enum tag_type type, uint8_t function)
{
    return (struct tag_settings){
        .name = "t",
        .table = table,
        .address = 0x0102,
        .type = type,
        .scale = 1,
        .write = {.allowed = true, .function = function, .min = -INFINITY, .max = INFINITY},
    };
}

static int write_text(struct bench *b, const struct tag_settings *tag, const char *text)
{
    const struct device_settings settings = {.name = "d", .unit = 1, .tags = tag, .tag_count = 1};
    struct device dev = {.settings = &settings, .link = &b->link};

    b->asked[0] = '\0';
    return modbus_write(&dev, tag, str_of(text));
}

static void assert_asks(struct bench *b, const struct tag_settings *tag, const char *text, const char *asked)
{
    assert_int_equal(write_text(b, tag, text), 0);
    assert_string_equal(b->asked, asked);
}

static void the_function_follows_the_table_and_the_width(void **state)
{
    (void)state;
    struct bench b;
    struct tag_settings coil = tag_of(TABLE_COIL, TYPE_BOOL, 0);
    struct tag_settings one = tag_of(TABLE_HOLDING, TYPE_S16, 0);
    struct tag_settings two = tag_of(TABLE_HOLDING, TYPE_U32, 0);

    setup(&b);
    assert_asks(&b, &coil, "true", "050102ff00 ");
    assert_asks(&b, &coil, "false", "0501020000 ");
    assert_asks(&b, &one, "-2", "060102fffe ");
    assert_asks(&b, &two, "65538", "10010200020400010002 ");
}

static void a_tag_may_name_its_function(void **state)
{
    (void)state;
    struct bench b;
    struct tag_settings coil = tag_of(TABLE_COIL, TYPE_BOOL, 15);
    struct tag_settings many = tag_of(TABLE_HOLDING, TYPE_U16, 16);
    struct tag_settings masked = tag_of(TABLE_HOLDING, TYPE_U16, 22);
    struct tag_settings both = tag_of(TABLE_HOLDING, TYPE_U16, 23);

    setup(&b);
    assert_asks(&b, &coil, "true", "0f010200010101 ");
    assert_asks(&b, &many, "7", "1001020001020007 ");
    assert_asks(&b, &masked, "7", "16010200000007 ");
    assert_asks(&b, &both, "7", "170102000101020001020007 ");
}

static void bits_are_changed_alone(void **state)
{
    (void)state;
    struct bench b;
    struct tag_settings field = tag_of(TABLE_HOLDING, TYPE_U16, 0);
    struct tag_settings low = tag_of(TABLE_HOLDING, TYPE_U8, 0);

    setup(&b);
    field.form.bit_offset = 4;
    field.form.bit_count = 2;
    b.reg = 0xffff;
    assert_asks(&b, &field, "2", "0301020001 060102ffef ");
    b.reg = 0x1234;
    assert_asks(&b, &low, "255", "0301020001 06010212ff ");
    field.write.function = 22;
    assert_asks(&b, &field, "2", "160102ffcf0020 ");
    field.order = ORDER_BADC;
    assert_asks(&b, &field, "2", "160102cfff2000 ");
}

static void an_answer_to_another_write_is_no_answer(void **state)
{
    (void)state;
    struct bench b;
    struct tag_settings one = tag_of(TABLE_HOLDING, TYPE_U16, 0);

    setup(&b);
    b.misquotes = true;
    assert_int_equal(write_text(&b, &one, "5"), -EPROTO);
}

static void everybody_is_told_and_nobody_answers(void **state)
{
    (void)state;
    struct bench b;
    struct tag_settings one = tag_of(TABLE_HOLDING, TYPE_U16, 0);

    setup(&b);
    b.broadcast = true;
    assert_asks(&b, &one, "5", "0601020005 ");
}

static int preview(const struct tag_settings *tag, const char *text, const char *shown)
{
    char buffer[VALUE_TEXT_MAX];
    struct value v;
    struct buf printed = {0};
    int r = modbus_preview(tag, str_of(text), buffer, &v);

    if (r == 0) {
        value_print(&v, &printed);
        buf_put_u8(&printed, 0);
        assert_string_equal((const char *)buf_data(&printed), shown);
        buf_fini(&printed);
    }
    return r;
}

static void a_preview_is_what_will_be_read(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TABLE_HOLDING, TYPE_S16, 0);
    struct tag_settings wide = tag_of(TABLE_HOLDING, TYPE_U64, 0);

    tag.scale = 0.5;
    tag.offset = 10;
    assert_int_equal(preview(&tag, "21.4", "21.5"), 0);
    assert_int_equal(preview(&tag, "-3", "-3"), 0);
    assert_int_equal(preview(&wide, "18446744073709551615", "18446744073709551615"), 0);
    assert_int_equal(preview(&wide, "9007199254740993", "9007199254740993"), 0);
}

struct refused {
    enum tag_type type;
    const char *text;
    int error;
};

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const struct refused cases[] = {
        {TYPE_U8, "256", -ERANGE},
        {TYPE_S8, "-129", -ERANGE},
        {TYPE_U16, "-1", -ERANGE},
        {TYPE_U16, "65535.5", -ERANGE},
        {TYPE_S16, "32768", -ERANGE},
        {TYPE_U32, "4294967296", -ERANGE},
        {TYPE_S64, "9223372036854775808", -ERANGE},
        {TYPE_S64, "-9223372036854775809", -ERANGE},
        {TYPE_U64, "18446744073709551616", -ERANGE},
        {TYPE_F32, "3.5e38", -ERANGE},
        {TYPE_BCD16, "10000", -ERANGE},
        {TYPE_U16, "", -EINVAL},
        {TYPE_U16, "1 ", -EINVAL},
        {TYPE_U16, "true", -EINVAL},
        {TYPE_F64, "nan", -EINVAL},
        {TYPE_F64, "1e999", -EINVAL},
        {TYPE_U64, "1.5", -EINVAL},
        {TYPE_U16, "0000000000000000000000000000000000000000000000000000000000000001", -EINVAL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tag_settings tag = tag_of(TABLE_HOLDING, cases[i].type, 0);

        if (preview(&tag, cases[i].text, "") != cases[i].error)
            fail_msg("type %d, '%s'", cases[i].type, cases[i].text);
    }
}

static void limits_words_and_sentinels_are_kept(void **state)
{
    (void)state;
    static const struct tag_word words[] = {{0, "off"}, {7, "on"}};
    static const uint64_t sentinels[] = {0xffff};
    struct tag_settings tag = tag_of(TABLE_HOLDING, TYPE_U16, 0);

    tag.write.min = 5;
    tag.write.max = 9;
    assert_int_equal(preview(&tag, "4.9", ""), -ERANGE);
    assert_int_equal(preview(&tag, "9.1", ""), -ERANGE);
    assert_int_equal(preview(&tag, "9", "9"), 0);

    tag = tag_of(TABLE_HOLDING, TYPE_U16, 0);
    tag.form.sentinels = sentinels;
    tag.form.sentinel_count = 1;
    assert_int_equal(preview(&tag, "65535", ""), -ERANGE);

    tag.form.words = words;
    tag.form.word_count = 2;
    assert_int_equal(preview(&tag, "on", "on"), 0);
    assert_int_equal(preview(&tag, "7", "on"), 0);
    assert_int_equal(preview(&tag, "1", ""), -EINVAL);
    assert_int_equal(preview(&tag, "ON", ""), -EINVAL);
}

static void a_string_must_fit_and_be_text(void **state)
{
    (void)state;
    struct tag_settings tag = tag_of(TABLE_HOLDING, TYPE_STRING, 0);

    tag.form.length = 2;
    assert_int_equal(preview(&tag, "abcd", "abcd"), 0);
    assert_int_equal(preview(&tag, "", ""), 0);
    assert_int_equal(preview(&tag, "abcde", ""), -ERANGE);
    assert_int_equal(preview(&tag, "\xff", ""), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_function_follows_the_table_and_the_width),
        cmocka_unit_test(a_tag_may_name_its_function),
        cmocka_unit_test(bits_are_changed_alone),
        cmocka_unit_test(an_answer_to_another_write_is_no_answer),
        cmocka_unit_test(everybody_is_told_and_nobody_answers),
        cmocka_unit_test(a_preview_is_what_will_be_read),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(limits_words_and_sentinels_are_kept),
        cmocka_unit_test(a_string_must_fit_and_be_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
