/* draft_plan - see draft_plan.h. */
#include "config/draft_plan.h"

#include "config/loader.h"
#include "config/options.h"

static const char *const table_names[] = {
    [TABLE_COIL] = "coil", [TABLE_DISCRETE] = "discrete", [TABLE_INPUT] = "input", [TABLE_HOLDING] = "holding"};

static bool overlap(const struct block_settings *a, const struct block_settings *b)
{
    return a->table == b->table && a->from <= b->to && b->from <= a->to;
}

/* Whether *b, which is blocks[count], can be used. */
static bool check_block(struct loader *ld, const struct node *n, const struct block_settings *blocks, size_t count)
{
    const struct block_settings *b = &blocks[count];

    if (b->from > b->to) {
        report_error(&ld->report, node_get(n, "to")->place, "a block cannot end (%u) before it begins (%u)", b->to,
                     b->from);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!overlap(&blocks[i], b))
            continue;
        report_error(&ld->report, n->place, "the block %s %u to %u overlaps the one of %u to %u", table_names[b->table],
                     b->from, b->to, blocks[i].from, blocks[i].to);
        return false;
    }
    return true;
}

/* False when some were wrong: which tags are outside is not known then. */
static bool read_blocks(struct loader *ld, struct planning *plan)
{
    const struct node *list = plan->block_list;
    struct block_settings *blocks = arena_alloc(ld->ctx.arena, node_count(list) * sizeof(*blocks));
    size_t errors = ld->report.errors;

    if (!blocks) {
        ld->ctx.failed = true;
        return false;
    }
    for (const struct node *n = node_first(list); n; n = n->next) {
        struct block_draft block = {-1, -1, -1};

        if (!item_is_mapping(ld, &block_section, n))
            continue;
        schema_read(&ld->ctx, &block_section, 0, n, &block);
        schema_require(&ld->ctx, &block_section, 0, n, NULL);
        if (block.table < 0 || block.from < 0 || block.to < 0)
            continue;
        blocks[plan->block_count] =
            (struct block_settings){(enum modbus_table)block.table, (uint16_t)block.from, (uint16_t)block.to};
        plan->block_count += check_block(ld, n, blocks, plan->block_count);
    }
    plan->blocks = blocks;
    return ld->report.errors == errors;
}

static void check_tag(struct loader *ld, const struct planning *plan, const struct tag_draft *tag)
{
    const struct tag_settings shape = {
        .table = (enum modbus_table)tag->table, .type = (enum tag_type)tag->type, .form = tag->form.checked};
    uint32_t first = (uint32_t)tag->address;
    uint32_t last = first + (table_is_bits(shape.table) ? 1u : tag_width(&shape)) - 1;
    bool bounded = false;

    for (size_t i = 0; i < plan->block_count; i++) {
        const struct block_settings *b = &plan->blocks[i];

        if (b->table != shape.table)
            continue;
        bounded = true;
        if (first >= b->from && last <= b->to)
            return;
    }
    if (bounded)
        report_error(&ld->report, key_place(tag->node, tag->base, "address"),
                     "'%s' (%s %u to %u) lies in none of the device's blocks", tag->name, table_names[shape.table],
                     first, last);
}

void draft_blocks(struct loader *ld, struct device_draft *device)
{
    struct planning *plan = &device->planning;

    plan->blocks = NULL;
    plan->block_count = 0;
    if (!plan->block_list || !read_blocks(ld, plan))
        return;
    for (size_t i = 0; i < device->tag_count; i++) {
        const struct tag_draft *tag = &device->tags[i];

        if (tag->name && !tag->expression && tag->table >= 0 && tag->address >= 0 && tag->type >= 0)
            check_tag(ld, plan, tag);
    }
}
