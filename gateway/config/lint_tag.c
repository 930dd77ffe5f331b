/* lint_tag - see lint.h. */
#include <math.h>
#include <stdio.h>

#include "config/lint.h"

static bool is_class(const struct tag_draft *tag, const char *name)
{
    return strcmp(tag->about.class_found, name) == 0;
}

static bool is_number(const struct tag_draft *tag)
{
    return tag->type != TYPE_BOOL && tag->type != TYPE_STRING && !tag->form.checked.is_bit &&
           tag->form.checked.word_count == 0;
}

static bool is_unsigned(const struct tag_draft *tag)
{
    return is_number(tag) && type_is_unsigned((enum tag_type)tag->type);
}

static bool has_word(const char *name, const char *const *words)
{
    for (; *words; words++)
        if (strstr(name, *words))
            return true;
    return false;
}

/* -5 degC would be read as 6553.1 degC. An offset or a range says that somebody thought of it, and kelvins need none.
 */
static void check_temperature(const struct lint *lint, const struct tag_draft *tag)
{
    bool thought_of = strcmp(tag->unit, "K") == 0 || tag->offset < 0 ||
                      (tag->form.checked.has_range && tag->form.checked.range_min >= 0);

    if (is_unsigned(tag) && !thought_of && is_class(tag, "temperature"))
        report_warning(&lint->ld->report, lint_place(tag, "type"),
                       "a temperature without sign reads -1 as a large number: is '%s' an s16 or s32?", tag->name);
}

/* Whether energy goes both ways: then power has a sign. */
static bool is_bidirectional(const struct lint *lint)
{
    static const char *const out[] = {"export", "feed_in", "net_", NULL};

    for (size_t i = 0; i < lint->device->tag_count; i++)
        if (is_class(&lint->device->tags[i], "energy") && has_word(lint->device->tags[i].name, out))
            return true;
    return false;
}

static void check_power(const struct lint *lint, const struct tag_draft *tag, bool bidirectional)
{
    static const char *const one_way[] = {"import", "export", "feed_in", "pv",   "solar",
                                          "charge", "rated",  "max",     "load", NULL};

    if (bidirectional && is_unsigned(tag) && is_class(tag, "power") && !has_word(tag->name, one_way))
        report_warning(&lint->ld->report, lint_place(tag, "type"),
                       "energy is counted in both directions, but the power '%s' has no sign", tag->name);
}

/* Makers whose devices mark what they do not have, in all values or in those of some classes. */
static const struct {
    const char *manufacturer;
    const char *classes; /* NULL: all */
} with_sentinels[] = {
    {"ABB", NULL}, {"GoodWe", NULL},  {"Huawei", NULL},
    {"SMA", NULL}, {"WellPro", NULL}, {"Wiren Board", "temperature humidity carbon_dioxide"},
};

static bool wants_sentinel(const struct lint *lint, const struct tag_draft *tag)
{
    const struct node *maker = node_get(lint->root, "manufacturer");

    if (!maker || !is_number(tag) || type_is_float((enum tag_type)tag->type) || tag->write_rules.allowed)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(with_sentinels); i++) {
        if (!str_equal(maker->text, str_of(with_sentinels[i].manufacturer)))
            continue;
        return !with_sentinels[i].classes ||
               (*tag->about.class_found && strstr(with_sentinels[i].classes, tag->about.class_found));
    }
    return false;
}

static void check_sentinel(const struct lint *lint, const struct tag_draft *tag)
{
    if (tag->form.checked.sentinel_count == 0 && wants_sentinel(lint, tag))
        report_warning(&lint->ld->report, tag->node->place,
                       "'%s' has no 'sentinel': devices of this maker mark values they do not have", tag->name);
}

static void check_unit(const struct lint *lint, const struct tag_draft *tag)
{
    if (is_number(tag) && !node_get(tag->node, "unit") && !*tag->about.class_found)
        report_warning(&lint->ld->report, tag->node->place, "'%s' has no 'unit': say \"\" when it really has none",
                       tag->name);
}

static void check_order(const struct lint *lint, const struct tag_draft *tag)
{
    static const char *const keys[] = {"order", "word_order"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct node *order = node_get(tag->node, keys[i]);
        bool usual = order && (str_equal(order->text, str_of("ABCD")) || str_equal(order->text, str_of("big")) ||
                               str_equal(order->text, str_of("AB")));

        if (order && !usual && !lint_is_commented(lint, order->place, "order:"))
            report_warning(&lint->ld->report, order->place,
                           "an order other than the usual ABCD should have a comment, as what looks like a mistake is "
                           "often one");
    }
}

static bool same_registers(const struct tag_draft *a, const struct tag_draft *b)
{
    const struct value_form *x = &a->form.checked;
    const struct value_form *y = &b->form.checked;

    return a->address >= 0 && a->table == b->table && a->address == b->address && a->type == b->type &&
           x->is_bit == y->is_bit && x->bit_offset == y->bit_offset && x->bit_count == y->bit_count;
}

static void check_twin(const struct lint *lint, size_t index)
{
    const struct tag_draft *tag = &lint->device->tags[index];

    for (size_t i = 0; i < index; i++) {
        const struct tag_draft *first = &lint->device->tags[i];

        if (!same_registers(first, tag))
            continue;
        report_warning(&lint->ld->report, lint_place(tag, "address"), "'%s' is the same value as '%s' (line %u)",
                       tag->name, first->name, first->node->place.line);
        return;
    }
}

/* Whoever may write a number should not be able to write any. */
static void check_limits(const struct lint *lint, const struct tag_draft *tag)
{
    const struct write_rules *rules = &tag->write_rules;

    if (rules->allowed && is_number(tag) && !(isfinite(rules->min) && isfinite(rules->max)))
        report_warning(&lint->ld->report, tag->write->key_place,
                       "'%s' can be written without limits: give 'min' and 'max'", tag->name);
}

static void check_spelling(const struct lint *lint, const struct tag_draft *tag)
{
    if (strspn(tag->name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(tag->name))
        report_warning(&lint->ld->report, lint_place(tag, "name"),
                       "'%s' is a part of topics: small letters, digits and '_' serve best", tag->name);
}

void lint_tags(const struct lint *lint)
{
    bool bidirectional = is_bidirectional(lint);

    for (size_t i = 0; i < lint->device->tag_count; i++) {
        const struct tag_draft *tag = &lint->device->tags[i];

        check_spelling(lint, tag);
        check_temperature(lint, tag);
        check_power(lint, tag, bidirectional);
        check_sentinel(lint, tag);
        check_unit(lint, tag);
        check_order(lint, tag);
        check_twin(lint, i);
        check_limits(lint, tag);
    }
}
