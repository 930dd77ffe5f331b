/* draft_setup - what is written to a device when it comes; see draft_plan.h. */
#include <math.h>

#include "config/draft_plan.h"
#include "config/loader.h"
#include "config/options.h"
#include "drivers/modbus.h"

/* Tags that are read come first in the settings: its place there. */
static const struct tag_draft *find_tag(const struct device_draft *device, const char *name, uint32_t *ret_index)
{
    *ret_index = 0;
    for (size_t i = 0; i < device->tag_count; i++) {
        const struct tag_draft *tag = &device->tags[i];

        if (tag->name && !tag->expression && str_equal(str_of(tag->name), str_of(name)))
            return tag;
        *ret_index += !tag->expression;
    }
    return NULL;
}

static bool find_action(const struct device_draft *device, const char *name, uint32_t *ret_index)
{
    for (size_t i = 0; i < device->action_count; i++) {
        if (!str_equal(str_of(device->actions[i].name), str_of(name)))
            continue;
        *ret_index = (uint32_t)i;
        return true;
    }
    return false;
}

/* A value that cannot be written would be found out when the device is there. */
static void check_value(struct loader *ld, const struct node *n, const struct tag_draft *tag, const char *value)
{
    const struct tag_settings shape = {.table = (enum modbus_table)tag->table,
                                       .type = (enum tag_type)tag->type,
                                       .scale = tag->scale,
                                       .offset = tag->offset,
                                       .form = tag->form.checked,
                                       .write = {.min = -INFINITY, .max = INFINITY}};
    char text[VALUE_TEXT_MAX];
    struct value shown;

    if (tag->table < 0 || tag->type < 0 || tag->scale == 0)
        return;
    if (tag->table != TABLE_COIL && tag->table != TABLE_HOLDING)
        report_error(&ld->report, node_get(n, "tag")->place, "only the tables coil and holding can be written");
    else if (modbus_preview(&shape, str_of(value), text, &shown) < 0)
        report_error(&ld->report, node_get(n, "value")->place, "'%s' is not a value of the tag '%s'", value, tag->name);
}

static void read_tag(struct loader *ld, const struct device_draft *device, const struct node *n,
                     const struct setup_draft *from, struct setup_settings *to)
{
    const struct tag_draft *tag = find_tag(device, from->tag, &to->index);

    to->name = from->tag;
    to->value = from->value;
    to->verify = from->verify;
    if (!tag)
        report_error(&ld->report, node_get(n, "tag")->place, "the device has no tag '%s' that is read", from->tag);
    else if (!from->value)
        report_error(&ld->report, n->place, "a setup write of a tag needs the key 'value'");
    else
        check_value(ld, n, tag, from->value);
}

static void read_action(struct loader *ld, const struct device_draft *device, const struct node *n,
                        const struct setup_draft *from, struct setup_settings *to)
{
    to->name = from->action;
    to->is_action = true;
    if (from->value || from->verify)
        report_error(&ld->report, n->place, "an action has neither 'value' nor 'verify'");
    if (!find_action(device, from->action, &to->index))
        report_error(&ld->report, node_get(n, "action")->place, "the device has no action '%s'", from->action);
}

void draft_setup(struct loader *ld, struct device_draft *device)
{
    struct planning *plan = &device->planning;
    struct setup_settings *setup = arena_alloc(ld->ctx.arena, node_count(plan->setup_list) * sizeof(*setup));

    plan->setup = setup;
    plan->setup_count = 0;
    if (!setup) {
        ld->ctx.failed = true;
        return;
    }
    for (const struct node *n = node_first(plan->setup_list); n; n = n->next) {
        struct setup_draft from = {0};
        struct setup_settings *to = &setup[plan->setup_count++];

        *to = (struct setup_settings){0};
        if (!item_is_mapping(ld, &setup_section, n))
            continue;
        schema_read(&ld->ctx, &setup_section, 0, n, &from);
        if (!from.tag == !from.action)
            report_error(&ld->report, n->place, "a setup write needs either the key 'tag' or 'action'");
        else if (from.tag)
            read_tag(ld, device, n, &from, to);
        else
            read_action(ld, device, n, &from, to);
    }
}
