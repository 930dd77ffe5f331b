/* plan - see plan.h. */
#include "bus/plan.h"

#include <errno.h>
#include <stdlib.h>

#include "bus/holes.h"

/* Modbus application protocol 1.1b3, 6.1 and 6.3. */
enum { MAX_REGISTERS = 125, MAX_BITS = 2000, BITS_PER_REGISTER = 16 };

/* By period, table, address; then by index, so that a plan never depends on the sort. */
static int compare_tags(const void *a, const void *b, void *arg)
{
    const struct tag_settings *tags = arg;
    uint32_t ia = *(const uint32_t *)a;
    uint32_t ib = *(const uint32_t *)b;
    const struct tag_settings *x = &tags[ia];
    const struct tag_settings *y = &tags[ib];

    if (x->poll_ms != y->poll_ms)
        return x->poll_ms < y->poll_ms ? -1 : 1;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return ia < ib ? -1 : ia > ib;
}

static uint32_t max_count(const struct device_settings *dev, enum modbus_table table)
{
    uint32_t registers = dev->max_count < MAX_REGISTERS ? dev->max_count : MAX_REGISTERS;

    if (!table_is_bits(table))
        return registers;
    return registers * BITS_PER_REGISTER < MAX_BITS ? registers * BITS_PER_REGISTER : MAX_BITS;
}

/* In no block two addresses are together when there is an edge between them. */
static bool in_one_block(const struct device_settings *dev, const struct request *req, const struct tag_settings *tag)
{
    for (size_t i = 0; i < dev->block_count; i++) {
        const struct block_settings *b = &dev->blocks[i];

        if (b->table == req->table && req->address >= b->from && req->address <= b->to)
            return tag->address <= b->to;
    }
    return true;
}

static bool joins(const struct device_settings *dev, const struct holes *holes, const struct request *req,
                  const struct tag_settings *tag)
{
    uint32_t end = (uint32_t)req->address + req->count;
    uint32_t new_end = tag_end(tag) > end ? tag_end(tag) : end;
    uint32_t gap = dev->max_gap * (table_is_bits(tag->table) ? (uint32_t)BITS_PER_REGISTER : 1u);

    return tag->poll_ms == req->poll_ms && tag->table == req->table && tag->address <= end + gap &&
           tag_end(tag) - req->address <= max_count(dev, tag->table) && in_one_block(dev, req, tag) &&
           !holes_forbid(holes, req->table, req->address, new_end);
}

static void take_tag(struct request *req, const struct tag_settings *tag)
{
    uint32_t end = (uint32_t)req->address + req->count;

    if (tag_end(tag) > end)
        end = tag_end(tag);
    req->count = (uint16_t)(end - req->address);
    req->tag_count++;
}

static void add_tag(const struct device_settings *dev, const struct holes *holes, struct plan *p, const uint32_t *index)
{
    const struct tag_settings *tag = &dev->tags[*index];
    struct request *req = p->count > 0 ? &p->requests[p->count - 1] : NULL;

    if (!req || !joins(dev, holes, req, tag)) {
        req = &p->requests[p->count++];
        *req = (struct request){.table = tag->table, .address = tag->address, .poll_ms = tag->poll_ms, .tags = index};
    }
    take_tag(req, tag);
}

int plan_build_around(const struct device_settings *dev, const struct holes *holes, struct plan *ret_plan)
{
    struct plan p = {
        .requests = calloc(dev->tag_count + 1, sizeof(*p.requests)),
        .tags = calloc(dev->tag_count + 1, sizeof(*p.tags)),
    };
    size_t count = 0;

    if (!p.requests || !p.tags) {
        plan_fini(&p);
        return -ENOMEM;
    }
    for (size_t i = 0; i < dev->tag_count; i++)
        if (!dev->broadcast && holes_refuse(holes, &dev->tags[i]) == 0) /* everybody: nobody answers */
            p.tags[count++] = (uint32_t)i;
    qsort_r(p.tags, count, sizeof(*p.tags), compare_tags, (void *)(uintptr_t)dev->tags);
    for (size_t i = 0; i < count; i++)
        add_tag(dev, holes, &p, &p.tags[i]);
    *ret_plan = p;
    return 0;
}

int plan_build(const struct device_settings *dev, struct plan *ret_plan)
{
    static const struct holes none = {0};

    return plan_build_around(dev, &none, ret_plan);
}

void plan_fini(struct plan *plan)
{
    free(plan->requests);
    free(plan->tags);
    *plan = (struct plan){0};
}

static uint32_t answer_bits(const struct request *req)
{
    return table_is_bits(req->table) ? req->count : (uint32_t)req->count * BITS_PER_REGISTER;
}

const struct request *plan_smallest(const struct plan *plan)
{
    const struct request *best = NULL;

    for (size_t i = 0; i < plan->count; i++)
        if (!best || answer_bits(&plan->requests[i]) < answer_bits(best))
            best = &plan->requests[i];
    return best;
}
