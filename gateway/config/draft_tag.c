/* draft_tag - the tags of a device: those of its template, changed or not, then its own. */
#include "config/loader.h"
#include "config/options.h"

static const struct node *find_tag(const struct node *list, const struct node *like)
{
    const struct node *name = node_get(like, "name");

    if (!list || !name || name->kind != NODE_SCALAR)
        return NULL;
    for (const struct node *n = list->children; n; n = n->next) {
        const struct node *other = node_get(n, "name");

        if (other && other->kind == NODE_SCALAR && str_equal(other->text, name->text))
            return n;
    }
    return NULL;
}

static bool is_bits(const struct tag_draft *tag)
{
    return tag->table == TABLE_COIL || tag->table == TABLE_DISCRETE;
}

static bool has_key(const struct tag_draft *tag, const char *key)
{
    return node_get(tag->node, key) || node_get(tag->base, key);
}

/* Two keys contradict each other: the place is where the device says one of them, or else the template. */
static struct place clash_place(const struct tag_draft *tag, const char *key, const char *other)
{
    bool own = node_get(tag->node, key) || !node_get(tag->node, other);

    return key_place(tag->node, tag->base, own ? key : other);
}

static void check_type(struct loader *ld, struct tag_draft *tag)
{
    const char *table = tag->table == TABLE_COIL ? "coil" : "discrete";

    if (tag->table < 0)
        return;
    if (is_bits(tag) && !has_key(tag, "type"))
        tag->type = TYPE_BOOL;
    if (!is_bits(tag) && (has_key(tag, "bit") || has_key(tag, "bits")) &&
        (!has_key(tag, "type") || (tag->type == TYPE_BOOL && has_key(tag, "bit"))))
        tag->type = TYPE_U16;
    if (tag->type < 0)
        return;
    if (is_bits(tag) && tag->type != TYPE_BOOL)
        report_error(&ld->report, clash_place(tag, "type", "table"), "the %s table holds bits: 'type' must be bool",
                     table);
    if (!is_bits(tag) && tag->type == TYPE_BOOL)
        report_error(&ld->report, clash_place(tag, "type", "table"),
                     "registers are not bool: give a 'bit', another 'type', or 'table' coil or discrete");
}

static void check_numbers(struct loader *ld, const struct tag_draft *tag)
{
    const struct tag_settings shape = {.type = (enum tag_type)tag->type, .form = tag->form.checked};

    if (tag->address >= 0 && tag->type >= 0 && tag->address + tag_width(&shape) > 65536)
        report_error(&ld->report, clash_place(tag, "address", "type"),
                     "a value of %u registers at address %d ends beyond 65535", tag_width(&shape), tag->address);
    if (tag->scale == 0)
        report_error(&ld->report, key_place(tag->node, tag->base, "scale"),
                     "'scale' must not be 0: every value would be the same");
    if (tag->type == TYPE_BOOL && has_key(tag, "scale"))
        report_error(&ld->report, key_place(tag->node, tag->base, "scale"), "a bool has no 'scale'");
    if (tag->type == TYPE_BOOL && has_key(tag, "offset"))
        report_error(&ld->report, key_place(tag->node, tag->base, "offset"), "a bool has no 'offset'");
    if (tag->type == TYPE_BOOL && has_key(tag, "deadband"))
        report_error(&ld->report, key_place(tag->node, tag->base, "deadband"), "a bool has no 'deadband'");
}

void draft_sampling(struct loader *ld, const struct node *level, struct sampling *s)
{
    const struct node *poll = node_get(level, "poll");
    const struct node *stale = node_get(level, "stale_after");
    const struct node *word_order = node_get(level, "word_order");
    char poll_text[TEXT_SHOWN];
    char stale_text[TEXT_SHOWN];

    if (word_order && node_get(level, "order"))
        report_error(&ld->report, word_order->place, "'order' says the same as 'word_order': give one of them");
    if (poll && !stale)
        s->stale_after_ms = -1;
    if (!stale || s->stale_after_ms < 0 || s->stale_after_ms >= s->poll_ms)
        return;
    text_print_duration(s->poll_ms, poll_text);
    text_print_duration(s->stale_after_ms, stale_text);
    report_error(&ld->report, stale->place,
                 "'stale_after' (%s) is shorter than 'poll' (%s): the value would be stale before it is read again",
                 stale_text, poll_text);
}

void draft_publishing(struct loader *ld, const struct node *level, const struct publish_rules *rules)
{
    const struct node *min = node_get(level, "min_interval");
    const struct node *max = node_get(level, "max_interval");
    char min_text[TEXT_SHOWN];
    char max_text[TEXT_SHOWN];

    if ((!min && !max) || rules->max_interval_ms == 0 || rules->min_interval_ms <= rules->max_interval_ms)
        return;
    text_print_duration(rules->min_interval_ms, min_text);
    text_print_duration(rules->max_interval_ms, max_text);
    report_error(&ld->report, min ? min->place : max->place, "'min_interval' (%s) is longer than 'max_interval' (%s)",
                 min_text, max_text);
}

static void check_required(struct loader *ld, const struct tag_draft *tag)
{
    schema_require(&ld->ctx, &tag_section, 0, tag->node, tag->base);
    if (tag->table >= 0 && !is_bits(tag) && !has_key(tag, "type") && !has_key(tag, "bit") && !has_key(tag, "bits"))
        report_error(&ld->report, tag->node->place, "a tag needs the key 'type'");
}

/* whole: nothing else can say what this tag leaves out. */
static void draft_tag(struct loader *ld, const struct device_draft *device, bool whole, struct tag_draft *tag)
{
    tag->table = -1;
    tag->address = -1;
    tag->type = -1;
    tag->form = (struct form_draft){.length = -1, .bit = -1, .bits = {-1, -1}, .precision = -1};
    schema_preset(&ld->ctx, &tag_section, 0, tag);
    tag->sampling = device->sampling;
    tag->publishing = device->publishing;
    if (tag->base) {
        schema_read(&ld->ctx, &tag_section, 0, tag->base, tag);
        draft_sampling(ld, tag->base, &tag->sampling);
        draft_publishing(ld, tag->base, &tag->publishing.rules);
    }
    schema_read(&ld->ctx, &tag_section, 0, tag->node, tag);
    draft_sampling(ld, tag->node, &tag->sampling);
    draft_publishing(ld, tag->node, &tag->publishing.rules);
    if (draft_is_derived(tag)) {
        tag->type = TYPE_F64;
        draft_refuse_read_keys(ld, tag);
    } else if (whole) {
        check_required(ld, tag);
    }
    check_type(ld, tag);
    draft_form(ld, tag);
    check_numbers(ld, tag);
    draft_write(ld, tag);
    draft_about(ld, tag);
}

static void check_repetition(struct loader *ld, const struct node *list, const struct node *n)
{
    const struct node *first = find_tag(list, n);
    char found[TEXT_SHOWN];

    if (first && first != n)
        report_error(&ld->report, node_get(n, "name")->place, "duplicate tag %s, first at line %u",
                     node_describe(node_get(n, "name"), found), node_get(first, "name")->place.line);
}

static void add_tag(struct loader *ld, struct device_draft *device, bool whole, const struct node *node,
                    const struct node *base)
{
    struct tag_draft *tag = &device->tags[device->tag_count++];

    *tag = (struct tag_draft){.node = node, .base = base, .broadcast = device->broadcast};
    draft_tag(ld, device, whole, tag);
}

void draft_tags(struct loader *ld, struct device_draft *device, const struct device_template *template)
{
    const struct node *own = device->tag_list;
    const struct node *theirs = template ? node_get(template->root, "tags") : NULL;
    /* What a template that cannot be had would have said is not missing. */
    bool whole = template || !node_get(device->node, "template");

    device->tags = loader_alloc(ld, node_count(own) + node_count(theirs), sizeof(*device->tags));
    if (!device->tags)
        return;
    for (const struct node *n = node_first(theirs); n; n = n->next) {
        const struct node *change = find_tag(own, n);

        add_tag(ld, device, true, change ? change : n, change ? n : NULL);
    }
    for (const struct node *n = node_first(own); n; n = n->next) {
        if (!item_is_mapping(ld, &tag_section, n))
            continue;
        check_repetition(ld, own, n);
        if (!find_tag(theirs, n))
            add_tag(ld, device, whole, n, NULL);
    }
    draft_check_registers(ld, device);
    draft_blocks(ld, device);
    draft_derived(ld, device);
}
