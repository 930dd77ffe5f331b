/* draft_derived - tags that are computed from others: `expression`. */
#include <errno.h>

#include "config/loader.h"
#include "config/near.h"
#include "core/expression.h"

static const struct node *expression_node(const struct tag_draft *tag)
{
    const struct node *own = node_get(tag->node, "expression");

    return own ? own : node_get(tag->base, "expression");
}

bool draft_is_derived(const struct tag_draft *tag)
{
    return expression_node(tag) != NULL;
}

void draft_refuse_read_keys(struct loader *ld, const struct tag_draft *tag)
{
    static const char *const keys[] = {"table",  "address",  "type",       "scale",       "offset",
                                       "length", "sentinel", "bit",        "bits",        "enum",
                                       "poll",   "order",    "word_order", "stale_after", "write"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (node_get(tag->node, keys[i]) || node_get(tag->base, keys[i]))
            report_error(&ld->report, key_place(tag->node, tag->base, keys[i]),
                         "a tag with an 'expression' is not read and has no '%s'", keys[i]);
}

/* Tags that hold text have no number to compute with. */
static bool is_number(const struct tag_draft *tag)
{
    return tag->type != TYPE_STRING && !tag->form.words;
}

/* Its place among the tags in the settings: those that are read come first. */
static uint32_t settings_index(const struct device_draft *device, size_t at)
{
    bool derived = draft_is_derived(&device->tags[at]);
    uint32_t before = 0;

    for (size_t i = 0; i < device->tag_count; i++)
        if (draft_is_derived(&device->tags[i]) == derived ? i < at : derived)
            before++;
    return before;
}

static void report_unknown(struct loader *ld, const struct device_draft *device, size_t at, const char *name)
{
    struct place place = expression_node(&device->tags[at])->place;
    struct near near = near_to(str_of(name));

    for (size_t i = 0; i < device->tag_count; i++)
        if (i != at && device->tags[i].name)
            near_offer(&near, device->tags[i].name);
    if (near.best)
        report_error(&ld->report, place, "there is no tag '%s' in this device; did you mean '%s'?", name, near.best);
    else
        report_error(&ld->report, place, "there is no tag '%s' in this device", name);
}

/* False when reported. */
static bool find_input(struct loader *ld, const struct device_draft *device, size_t at, const char *name,
                       uint32_t *ret_index)
{
    const struct node *node = expression_node(&device->tags[at]);

    for (size_t i = 0; i < device->tag_count; i++) {
        const struct tag_draft *tag = &device->tags[i];

        if (!tag->name || !str_equal(str_of(tag->name), str_of(name)))
            continue;
        if (draft_is_derived(tag) && i >= at)
            report_error(&ld->report, node->place, "'%s' is computed too, and must stand above the tags that use it",
                         name);
        else if (!is_number(tag))
            report_error(&ld->report, node->place, "'%s' is text: an expression needs numbers", name);
        else
            *ret_index = settings_index(device, i);
        return (!draft_is_derived(tag) || i < at) && is_number(tag);
    }
    report_unknown(ld, device, at, name);
    return false;
}

static void find_inputs(struct loader *ld, struct device_draft *device, size_t at, const struct expression *e)
{
    struct tag_draft *tag = &device->tags[at];
    uint32_t *inputs = arena_alloc(ld->ctx.arena, (expression_input_count(e) + 1) * sizeof(*inputs));

    if (!inputs) {
        ld->ctx.failed = true;
        return;
    }
    for (size_t i = 0; i < expression_input_count(e); i++)
        if (find_input(ld, device, at, expression_input(e, i), &inputs[tag->input_count]))
            tag->input_count++;
    tag->inputs = inputs;
    if (expression_input_count(e) == 0)
        report_error(&ld->report, expression_node(tag)->place, "this 'expression' uses no tag: it is always the same");
}

void draft_derived(struct loader *ld, struct device_draft *device)
{
    for (size_t i = 0; i < device->tag_count; i++) {
        struct tag_draft *tag = &device->tags[i];
        char problem[EXPRESSION_PROBLEM_MAX] = "";
        struct expression *e = NULL;
        int r;

        if (!tag->expression || !draft_is_derived(tag))
            continue;
        r = expression_new(tag->expression, problem, &e);
        if (r == -ENOMEM)
            ld->ctx.failed = true;
        else if (r < 0)
            report_error(&ld->report, expression_node(tag)->place, "'expression': %s", problem);
        else
            find_inputs(ld, device, i, e);
        expression_free(e);
    }
}
