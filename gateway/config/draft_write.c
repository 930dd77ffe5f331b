/* draft_write - see draft_write.h. */
#include "config/draft_write.h"

#include <errno.h>
#include <math.h>

#include "config/loader.h"
#include "config/options.h"
#include "drivers/modbus.h"

enum { WRITE_COIL = 5, WRITE_REGISTER = 6, WRITE_COILS = 15, MASK_WRITE = 22, READ_WRITE = 23 };

/* Registers in one request: 123, and 121 beside those that 23 reads (Modbus application protocol 1.1b3, 6.12, 6.17). */
enum { MAX_WRITTEN = 121 };

static bool is_part_of_register(const struct tag_draft *tag)
{
    return tag->form.checked.bit_count > 0 || tag->type == TYPE_U8 || tag->type == TYPE_S8;
}

static const char *why_not_function(const struct tag_draft *tag, const struct tag_settings *shape, int function)
{
    bool coil = tag->table == TABLE_COIL;

    if (coil != (function == WRITE_COIL || function == WRITE_COILS))
        return coil ? "a coil is written with 5 or 15" : "a holding register is written with 6, 16, 22 or 23";
    if ((function == WRITE_REGISTER || function == MASK_WRITE) && tag_width(shape) != 1)
        return "6 and 22 write one register, and this tag has more";
    return NULL;
}

static void check_rules(struct loader *ld, const struct tag_draft *tag, const struct node *n,
                        const struct write_draft *w)
{
    const struct tag_settings shape = {.type = (enum tag_type)tag->type, .form = tag->form.checked};
    bool is_number = tag->type != TYPE_BOOL && tag->type != TYPE_STRING && !tag->form.checked.is_bit &&
                     tag->form.checked.word_count == 0;
    const char *why = w->function ? why_not_function(tag, &shape, w->function) : NULL;

    if (why)
        report_error(&ld->report, node_get(n, "fc")->place, "%s", why);
    if ((isfinite(w->min) || isfinite(w->max)) && !is_number)
        report_error(&ld->report, n->place, "'min' and 'max' are for numbers, and this tag has none");
    if (w->min > w->max)
        report_error(&ld->report, n->place, "'min' is greater than 'max': nothing could be written");
    if (tag_width(&shape) > MAX_WRITTEN)
        report_error(&ld->report, n->place, "%u registers cannot be written in one request, %d can", tag_width(&shape),
                     MAX_WRITTEN);
}

static void check_device(struct loader *ld, const struct tag_draft *tag, const struct node *n,
                         const struct write_draft *w)
{
    if (!tag->broadcast)
        return;
    if (w->verify)
        report_error(&ld->report, n->place, "unit 0 is everybody, and nobody answers: there is nothing to 'verify'");
    if (is_part_of_register(tag) && w->function != MASK_WRITE)
        report_error(&ld->report, n->place,
                     "unit 0 is everybody, and nobody answers: bits need 'fc' 22, for the others cannot be read first");
}

/* A failsafe value that cannot be written would be found out when it is needed. */
static void check_failsafe(struct loader *ld, const struct tag_draft *tag, const struct node *n,
                           const struct write_draft *w)
{
    const struct tag_settings shape = {.table = (enum modbus_table)tag->table,
                                       .type = (enum tag_type)tag->type,
                                       .scale = tag->scale,
                                       .offset = tag->offset,
                                       .form = tag->form.checked,
                                       .write = {.min = w->min, .max = w->max}};
    const struct node *failsafe = node_get(n, "failsafe");
    char text[VALUE_TEXT_MAX];
    struct value shown;

    if (w->failsafe.value && tag->scale != 0 && modbus_preview(&shape, str_of(w->failsafe.value), text, &shown) < 0)
        report_error(&ld->report, node_get(failsafe, "value")->place,
                     "'%s' is not a value that may be written to this tag", w->failsafe.value);
}

static void read_rules(struct loader *ld, const struct node *n, struct tag_draft *tag)
{
    struct write_draft w = {.min = -INFINITY, .max = INFINITY};

    if (n->kind == NODE_MAPPING) {
        schema_read(&ld->ctx, &write_section, 0, n, &w);
        check_rules(ld, tag, n, &w);
        check_failsafe(ld, tag, n, &w);
    }
    check_device(ld, tag, n, &w);
    tag->write_rules = (struct write_rules){.allowed = true,
                                            .verify = w.verify,
                                            .function = (uint8_t)w.function,
                                            .min = w.min,
                                            .max = w.max,
                                            .failsafe = w.failsafe.value,
                                            .failsafe_after_ms = w.failsafe.after_ms};
}

void draft_write(struct loader *ld, struct tag_draft *tag)
{
    const struct node *n = tag->write;
    bool is_word = n && n->kind == NODE_SCALAR && !n->quoted;
    char found[TEXT_SHOWN];

    if (n && n->kind != NODE_MAPPING &&
        !(is_word && (str_equal(n->text, str_of("true")) || str_equal(n->text, str_of("false"))))) {
        report_error(&ld->report, n->place,
                     "'write' must be true, false or a mapping such as {min: 0, max: 100}; found %s",
                     node_describe(n, found));
        return;
    }
    if (!n || (is_word && n->text.data[0] == 'f')) {
        if (tag->broadcast)
            report_error(&ld->report, tag->node->place,
                         "unit 0 is everybody, and nobody answers: its tags cannot be read, only written ('write')");
        return;
    }
    if (tag->table < 0 || tag->type < 0)
        return;
    if (tag->table != TABLE_COIL && tag->table != TABLE_HOLDING)
        report_error(&ld->report, n->place, "only the tables coil and holding can be written");
    else
        read_rules(ld, n, tag);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Pairs of digits, blanks between them. 0 or -EINVAL. */
static int read_hex(const char *text, struct action_settings *to)
{
    to->len = 0;
    while (*text) {
        if (*text == ' ') {
            text++;
            continue;
        }
        if (digit(text[0]) < 0 || digit(text[1]) < 0 || to->len == sizeof(to->pdu))
            return -EINVAL;
        to->pdu[to->len++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
        text += 2;
    }
    return to->len > 0 && to->pdu[0] > 0 && to->pdu[0] < 0x80 ? 0 : -EINVAL;
}

static void add_action(struct loader *ld, struct device_draft *device, const struct node *n)
{
    struct action_draft a = {.node = n};

    if (!item_is_mapping(ld, &action_section, n))
        return;
    schema_read(&ld->ctx, &action_section, 0, n, &a);
    schema_require(&ld->ctx, &action_section, 0, n, NULL);
    if (a.pdu && read_hex(a.pdu, &a.checked) < 0)
        report_error(&ld->report, node_get(n, "pdu")->place,
                     "'pdu' must be 1 to %d bytes in hexadecimal, the first a function code of 01 to 7f",
                     ACTION_PDU_MAX);
    if (!a.name)
        return;
    a.checked.name = a.name;
    for (size_t i = 0; i < device->action_count; i++) {
        if (!str_equal(str_of(device->actions[i].name), str_of(a.name)))
            continue;
        if (device->actions[i].node->place.file == n->place.file)
            report_error(&ld->report, n->place, "duplicate action '%s', first at line %u", a.name,
                         device->actions[i].node->place.line);
        device->actions[i] = a;
        return;
    }
    device->actions[device->action_count++] = a;
}

void draft_actions(struct loader *ld, struct device_draft *device, const struct device_template *template)
{
    const struct node *own = device->action_list;
    const struct node *theirs = template ? node_get(template->root, "actions") : NULL;

    device->actions = loader_alloc(ld, node_count(own) + node_count(theirs), sizeof(*device->actions));
    if (!device->actions)
        return;
    for (const struct node *n = node_first(theirs); n; n = n->next)
        add_action(ld, device, n);
    for (const struct node *n = node_first(own); n; n = n->next)
        add_action(ld, device, n);
}
