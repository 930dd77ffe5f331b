/* draft_form - what becomes of a tag's raw value: bits, words, sentinels, range, precision; and which of them its
 * type can have. */
#include <inttypes.h>
#include <stdlib.h>

#include "config/loader.h"
#include "core/reading.h"

enum { WORD_MAX = 64, WORD_BITS = 32 };

static const struct node *find_key(const struct tag_draft *tag, const char *key)
{
    const struct node *own = node_get(tag->node, key);

    return own ? own : node_get(tag->base, key);
}

/* As it was written; a bit may have none, or bool. */
static const char *type_name(const struct tag_draft *tag)
{
    const struct node *type = find_key(tag, "type");

    if (tag->type == TYPE_BOOL)
        return "bool";
    return tag->type == TYPE_U16 || !type ? "u16" : type->text.data;
}

/* Each of `keys`, ended by NULL, that the tag has is an error: "`what` has no 'scale'". */
static void refuse_keys(struct loader *ld, const struct tag_draft *tag, const char *what, const char *const *keys)
{
    for (; *keys; keys++) {
        const char *key = tag->text.is_field && strcmp(*keys, "offset") == 0 ? "add" : *keys;

        if (find_key(tag, key))
            report_error(&ld->report, key_place(tag->node, tag->base, key), "%s has no '%s'", what, key);
    }
}

/* A number of a frame that has fewer bytes than its type, and no sign that could be lost. */
static bool has_part(const struct tag_draft *tag)
{
    enum tag_type type = (enum tag_type)tag->type;
    bool can = type_is_unsigned(type) || type == TYPE_BCD16 || type == TYPE_BCD32;

    return can && tag->form.length > 0 && (unsigned)tag->form.length * 8 < type_bits(type);
}

static void check_length(struct loader *ld, const struct tag_draft *tag, struct value_form *form)
{
    if (tag->text.is_field && find_key(tag, "length") && has_part(tag))
        return;
    if (tag->type != TYPE_STRING && find_key(tag, "length"))
        report_error(&ld->report, key_place(tag->node, tag->base, "length"), "only a string%s has a 'length', not %s",
                     tag->text.is_field ? ", or an unsigned or bcd number of fewer bytes than its type," : "",
                     type_name(tag));
    if (tag->type != TYPE_STRING)
        return;
    if (!find_key(tag, "length"))
        report_error(&ld->report, key_place(tag->node, tag->base, "type"), "a string needs 'length', in %s",
                     tag->text.is_field ? "bytes" : "registers");
    form->length = tag->form.length > 0 ? (uint16_t)tag->form.length : 1;
}

static void check_bit_count(struct loader *ld, const struct tag_draft *tag, const char *key, int64_t end)
{
    unsigned bits = type_bits((enum tag_type)tag->type);

    if (end > bits)
        report_error(&ld->report, key_place(tag->node, tag->base, key),
                     "'%s' goes beyond the type %s, which has bits 0 to %u", key, type_name(tag), bits - 1);
}

static void check_bits(struct loader *ld, const struct tag_draft *tag, struct value_form *form)
{
    static const char *const no_number[] = {"scale", "offset", "range", "precision", "deadband", NULL};
    bool one = find_key(tag, "bit");
    const char *key = one ? "bit" : "bits";

    if (!find_key(tag, key))
        return;
    if (one && find_key(tag, "bits"))
        report_error(&ld->report, key_place(tag->node, tag->base, "bits"),
                     "'bit' and 'bits' contradict each other: give one of them");
    if (!type_is_unsigned((enum tag_type)tag->type)) {
        report_error(&ld->report, key_place(tag->node, tag->base, key),
                     "'%s' needs the type u8, u16, u32 or u64, not %s", key, type_name(tag));
        return;
    }
    if (one) {
        refuse_keys(ld, tag, "a bit", no_number);
        check_bit_count(ld, tag, key, tag->form.bit + 1);
        form->is_bit = true;
        form->bit_offset = (uint8_t)tag->form.bit;
        form->bit_count = 1;
    } else if (tag->form.bits.offset >= 0 && tag->form.bits.count > 0) {
        check_bit_count(ld, tag, key, tag->form.bits.offset + tag->form.bits.count);
        form->bit_offset = (uint8_t)tag->form.bits.offset;
        form->bit_count = (uint8_t)tag->form.bits.count;
    }
}

/* Bits of the number that words stand for; more than 32 when there can be none. */
static unsigned word_bits(const struct tag_draft *tag, const struct value_form *form)
{
    enum tag_type type = (enum tag_type)tag->type;

    if (type == TYPE_BOOL)
        return 1;
    if (form->bit_count > 0)
        return form->bit_count;
    return type_is_unsigned(type) || type_is_signed(type) ? type_bits(type) : 64;
}

static bool read_word(struct loader *ld, const struct tag_draft *tag, unsigned bits, const struct node *n,
                      struct tag_word *ret_word)
{
    bool is_signed = type_is_signed((enum tag_type)tag->type);
    int64_t max = (INT64_C(1) << (is_signed ? bits - 1 : bits)) - 1;
    int64_t min = is_signed ? -max - 1 : 0;
    char found[TEXT_SHOWN];

    if (text_read_int(str_of(n->key), &ret_word->raw) < 0 || ret_word->raw < min || ret_word->raw > max) {
        report_error(&ld->report, n->key_place,
                     "'enum' gives words to raw values, whole numbers from %" PRId64 " to %" PRId64 "; found %s", min,
                     max, text_quote(str_of(n->key), found));
        return false;
    }
    if (n->kind != NODE_SCALAR || n->text.len == 0 || n->text.len > WORD_MAX || !text_is_printable(n->text)) {
        report_error(&ld->report, n->place, "a word of 'enum' must be text of 1 to %d bytes; found %s", WORD_MAX,
                     node_describe(n, found));
        return false;
    }
    ret_word->word = arena_strdup(ld->ctx.arena, n->text);
    ld->ctx.failed |= !ret_word->word;
    return ret_word->word;
}

static void check_words(struct loader *ld, const struct tag_draft *tag, struct value_form *form)
{
    static const char *const no_number[] = {"scale", "offset", "range", "precision", "deadband", NULL};
    const struct node *list = tag->form.words;
    unsigned bits = word_bits(tag, form);
    struct tag_word *words;

    if (!list)
        return;
    if (bits > WORD_BITS) {
        report_error(&ld->report, list->place, "'enum' needs a whole number of at most %d bits, not %s", WORD_BITS,
                     type_name(tag));
        return;
    }
    if (tag->type != TYPE_BOOL && !form->is_bit)
        refuse_keys(ld, tag, "a value with words ('enum')", no_number);
    if (list->count == 0)
        report_error(&ld->report, list->place, "'enum' needs at least one word");
    words = arena_alloc(ld->ctx.arena, (list->count + 1) * sizeof(*words));
    if (!words) {
        ld->ctx.failed = true;
        return;
    }
    form->words = words;
    for (const struct node *n = node_first(list); n; n = n->next) {
        struct tag_word *word = &words[form->word_count];

        if (!read_word(ld, tag, bits, n, word))
            continue;
        for (size_t i = 0; i < form->word_count; i++)
            if (words[i].raw == word->raw)
                report_error(&ld->report, n->key_place, "'enum' has a word for %" PRId64 " already: '%s'", word->raw,
                             words[i].word);
        form->word_count++;
    }
}

static uint64_t bits_of_double(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

static uint32_t bits_of_float(float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

/* Of a float: the number; any other: its bits, or with a sign, what they mean. Hexadecimal is always bits. */
static bool read_raw(enum tag_type type, struct str text, uint64_t *ret_raw)
{
    bool hex = str_starts_with(text, str_of("0x")) || str_starts_with(text, str_of("0X"));
    uint64_t max = UINT64_MAX >> (64 - type_bits(type));
    double number;
    int64_t v;

    if (hex && text.len <= 18 && strspn(text.data + 2, "0123456789abcdefABCDEF") == text.len - 2 && text.len > 2) {
        *ret_raw = strtoull(text.data, NULL, 16);
        return *ret_raw <= max;
    }
    if (type_is_float(type)) {
        if (text_read_float(text, &number) < 0)
            return false;
        *ret_raw = type == TYPE_F64 ? bits_of_double(number) : bits_of_float((float)number);
        return true;
    }
    if (text_read_int(text, &v) < 0 || (v < 0 && (!type_is_signed(type) || v < -(int64_t)(max / 2) - 1)))
        return false;
    *ret_raw = (uint64_t)v & max;
    return v < 0 || (uint64_t)v <= max;
}

static void check_sentinels(struct loader *ld, const struct tag_draft *tag, struct value_form *form)
{
    const struct node *list = tag->form.sentinels;
    uint64_t *raws;
    char found[TEXT_SHOWN];

    if (!list || tag->type == TYPE_STRING || tag->type == TYPE_BOOL)
        return;
    raws = arena_alloc(ld->ctx.arena, (list->count + 1) * sizeof(*raws));
    if (!raws) {
        ld->ctx.failed = true;
        return;
    }
    form->sentinels = raws;
    for (const struct node *n = node_first(list); n; n = n->next)
        if (n->kind == NODE_SCALAR && read_raw((enum tag_type)tag->type, n->text, &raws[form->sentinel_count]))
            form->sentinel_count++;
        else
            report_error(&ld->report, n->place, "'sentinel' lists raw values of the type %s; found %s", type_name(tag),
                         node_describe(n, found));
}

static void check_range(struct loader *ld, const struct tag_draft *tag, struct value_form *form)
{
    const struct node *list = tag->form.range;
    const struct node *low = node_first(list);

    if (!list)
        return;
    if (list->count != 2 || text_read_float(low->text, &form->range_min) < 0 ||
        text_read_float(low->next->text, &form->range_max) < 0) {
        report_error(&ld->report, list->place, "'range' must be the least and the greatest value, such as [0, 100]");
        return;
    }
    if (form->range_min > form->range_max)
        report_error(&ld->report, list->place, "'range' begins (%.15g) above its end (%.15g): no value is in it",
                     form->range_min, form->range_max);
    form->has_range = true;
}

void draft_form(struct loader *ld, struct tag_draft *tag)
{
    static const char *const not_of_bool[] = {"length", "sentinel", "bit", "bits", "range", "precision", NULL};
    static const char *const not_of_string[] = {"scale", "offset", "sentinel",  "bit",      "bits",
                                                "enum",  "range",  "precision", "deadband", NULL};
    struct value_form *form = &tag->form.checked;

    *form = (struct value_form){0};
    if (tag->type < 0)
        return;
    if (tag->type == TYPE_STRING)
        refuse_keys(ld, tag, "a string", not_of_string);
    if (tag->type == TYPE_BOOL)
        refuse_keys(ld, tag, "a bool", not_of_bool);
    else
        check_length(ld, tag, form);
    if (tag->type == TYPE_STRING)
        return;
    if (tag->type != TYPE_BOOL)
        check_bits(ld, tag, form);
    check_words(ld, tag, form);
    check_sentinels(ld, tag, form);
    check_range(ld, tag, form);
    form->has_precision = tag->form.precision >= 0;
    form->precision = form->has_precision ? (uint8_t)tag->form.precision : 0;
}

void draft_text_form(struct loader *ld, struct tag_draft *tag)
{
    struct value_form *form = &tag->form.checked;

    *form = (struct value_form){.length = tag->type == TYPE_STRING ? (VALUE_TEXT_MAX + 1) / 2 : 0};
    check_range(ld, tag, form);
    form->has_precision = tag->form.precision >= 0;
    form->precision = form->has_precision ? (uint8_t)tag->form.precision : 0;
}

/* As far as it is known. */
static struct tag_settings shape_of(const struct tag_draft *tag)
{
    return (struct tag_settings){.type = (enum tag_type)tag->type, .form = tag->form.checked};
}

static uint32_t width_of(const struct tag_draft *tag)
{
    struct tag_settings shape = shape_of(tag);

    return tag_width(&shape);
}

static bool has_registers(const struct tag_draft *tag)
{
    return tag->type > TYPE_BOOL && tag->address >= 0 && (tag->table == TABLE_INPUT || tag->table == TABLE_HOLDING);
}

static int compare_places(const void *a, const void *b)
{
    const struct tag_draft *x = *(const struct tag_draft *const *)a;
    const struct tag_draft *y = *(const struct tag_draft *const *)b;

    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return x < y ? -1 : x > y; /* as they are written */
}

static uint32_t end_of(const struct tag_draft *tag)
{
    return (uint32_t)tag->address + width_of(tag);
}

/* The same registers twice may be meant, and so may bits of a longer value; anything else is a slip. */
static void check_overlap(struct loader *ld, const struct tag_draft *first, const struct tag_draft *second)
{
    bool same = first->address == second->address && width_of(first) == width_of(second);

    if (first->form.checked.bit_count > 0 || second->form.checked.bit_count > 0)
        return;
    if (!same)
        report_warning(&ld->report, key_place(second->node, second->base, "address"),
                       "'%s' lies partly in the registers of '%s', which are %d to %d", second->name, first->name,
                       first->address, (int)end_of(first) - 1);
    else if (first->type != second->type)
        report_warning(&ld->report, key_place(second->node, second->base, "address"),
                       "'%s' reads the registers of '%s' as another type", second->name, first->name);
}

/* Sorted by table and address; the one that reaches furthest is the one that may lie under the next. */
static void check_overlaps(struct loader *ld, const struct tag_draft *const *tags, size_t count)
{
    const struct tag_draft *furthest = count > 0 ? tags[0] : NULL;

    for (size_t i = 1; i < count; i++) {
        if (tags[i]->table == furthest->table && (uint32_t)tags[i]->address < end_of(furthest))
            check_overlap(ld, furthest, tags[i]);
        if (tags[i]->table != furthest->table || end_of(tags[i]) > end_of(furthest))
            furthest = tags[i];
    }
}

void draft_check_registers(struct loader *ld, const struct device_draft *device)
{
    const struct tag_draft **tags = loader_alloc(ld, device->tag_count, sizeof(*tags));
    size_t count = 0;

    for (size_t i = 0; tags && i < device->tag_count; i++) {
        const struct tag_draft *tag = &device->tags[i];

        if (!has_registers(tag) || !tag->name)
            continue;
        tags[count++] = tag;
        if (width_of(tag) > device->asking.max_count)
            report_error(&ld->report, key_place(tag->node, tag->base, "type"),
                         "a value of %u registers is more than one request may ask for ('max_count' %u)", width_of(tag),
                         device->asking.max_count);
    }
    if (count > 0)
        qsort(tags, count, sizeof(*tags), compare_places);
    check_overlaps(ld, tags, count);
}
