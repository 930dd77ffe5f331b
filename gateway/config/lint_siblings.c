/* lint_siblings - see lint.h. Siblings are tags whose names differ in a number only. */
#include <stdio.h>

#include "config/lint.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether the names are the same but for one number; not for each of several, which may be phases of channels. */
static bool are_siblings(const char *a, const char *b)
{
    size_t start = 0;
    size_t end_a = strlen(a);
    size_t end_b = strlen(b);

    if (strcmp(a, b) == 0)
        return false;
    while (a[start] && a[start] == b[start])
        start++;
    while (start > 0 && is_digit(a[start - 1]))
        start--;
    while (end_a > start && end_b > start && a[end_a - 1] == b[end_b - 1] && !is_digit(a[end_a - 1])) {
        end_a--;
        end_b--;
    }
    return end_a > start && end_b > start && strspn(a + start, "0123456789") == end_a - start &&
           strspn(b + start, "0123456789") == end_b - start;
}

/* What is different although it should not be; NULL when nothing is. */
static const char *difference(const struct tag_draft *a, const struct tag_draft *b)
{
    if (a->table != b->table)
        return "table";
    if (a->type != b->type)
        return "type";
    if (a->scale != b->scale)
        return "scale";
    if (a->offset != b->offset)
        return "offset";
    if (strcmp(a->unit, b->unit) != 0)
        return "unit";
    if (a->sampling.order != b->sampling.order)
        return "order";
    return a->form.checked.sentinel_count != b->form.checked.sentinel_count ? "sentinel" : NULL;
}

static void check_alike(const struct lint *lint, const struct tag_draft *first, const struct tag_draft *tag)
{
    const char *what = difference(first, tag);

    if (what)
        report_warning(&lint->ld->report, lint_place(tag, what), "'%s' and '%s' have not the same '%s'", first->name,
                       tag->name, what);
}

/* Three in a row whose addresses are not: 0, 2, 5. A comment above one of them says that this is so. */
static void check_steps(const struct lint *lint, const struct tag_draft *const three[3])
{
    int step = three[1]->address - three[0]->address;

    if (three[0]->address < 0 || three[0]->form.checked.is_bit || three[2]->address - three[1]->address == step)
        return;
    for (size_t i = 0; i < 3; i++)
        if (lint_is_commented(lint, three[i]->node->place, three[i]->name))
            return;
    report_warning(&lint->ld->report, lint_place(three[2], "address"),
                   "the addresses of '%s', '%s' and '%s' are not evenly spaced: if that is so, a comment above should "
                   "say it",
                   three[0]->name, three[1]->name, three[2]->name);
}

/* The nearest sibling before `index`; NULL when it is the first. */
static const struct tag_draft *elder(const struct lint *lint, size_t index)
{
    const struct tag_draft *tags = lint->device->tags;

    for (size_t i = index; i > 0; i--)
        if (are_siblings(tags[i - 1].name, tags[index].name))
            return &tags[i - 1];
    return NULL;
}

void lint_siblings(const struct lint *lint)
{
    const struct tag_draft *tags = lint->device->tags;

    for (size_t i = 1; i < lint->device->tag_count; i++) {
        const struct tag_draft *second = elder(lint, i);
        const struct tag_draft *first = second ? elder(lint, (size_t)(second - tags)) : NULL;

        if (second)
            check_alike(lint, second, &tags[i]);
        if (first)
            check_steps(lint, (const struct tag_draft *const[]){first, second, &tags[i]});
    }
}
