/* lint - see lint.h. */
#include "config/lint.h"

#include <errno.h>
#include <stdio.h>

#include "config/config.h"
#include "config/parameters.h"

/* Line `number`, from 1; empty beyond the end. */
static struct str line_at(struct str text, uint32_t number)
{
    for (;;) {
        const char *end = text.len > 0 ? memchr(text.data, '\n', text.len) : NULL;
        size_t len = end ? (size_t)(end - text.data) : text.len;

        if (--number == 0)
            return (struct str){.data = text.data, .len = len};
        if (!end)
            return (struct str){.data = text.data, .len = 0};
        text.data += len + 1;
        text.len -= len + 1;
    }
}

static bool contains(struct str line, const char *word)
{
    return line.len > 0 && memmem(line.data, line.len, word, strlen(word));
}

static bool begins_with_comment(struct str line)
{
    while (line.len > 0 && line.data[0] == ' ') {
        line.data++;
        line.len--;
    }
    return line.len > 0 && line.data[0] == '#';
}

bool lint_is_commented(const struct lint *lint, struct place place, const char *key)
{
    uint32_t line = place.line;

    if (contains(line_at(lint->text, line), " # "))
        return true;
    while (line > 1 && contains(line_at(lint->text, line - 1), key) &&
           !begins_with_comment(line_at(lint->text, line - 1)))
        line--;
    return line > 1 && begins_with_comment(line_at(lint->text, line - 1));
}

struct place lint_place(const struct tag_draft *tag, const char *key)
{
    return key_place(tag->node, NULL, key);
}

static void check_said(const struct lint *lint)
{
    static const struct {
        const char *key;
        const char *why;
    } wanted[] = {
        {"name", "what devices call it by"},
        {"summary", "which devices it is for, in one line"},
        {"manufacturer", "who makes them"},
        {"model", "what the maker calls them"},
        {"source", "where the registers are documented"},
        {"verified", "against what it was checked, or that it was not"},
        {"address_base", "0: that addresses are as on the wire"},
        {"probe", "a register that tells whether the device is there"},
    };

    size_t count = ARRAY_LEN(wanted) - (is_serial(lint->root) ? 2 : 0); /* which has no registers */

    for (size_t i = 0; i < count; i++)
        if (!node_get(lint->root, wanted[i].key))
            report_warning(&lint->ld->report, lint->root->place, "a template should say '%s': %s", wanted[i].key,
                           wanted[i].why);
}

/* "…/meter.yaml" -> "meter" */
static struct str stem_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str stem = str_of(slash ? slash + 1 : path);

    if (stem.len > 5 && strcmp(stem.data + stem.len - 5, ".yaml") == 0)
        stem.len -= 5;
    return stem;
}

static void check_name(const struct lint *lint)
{
    const struct node *name = node_get(lint->root, "name");
    struct str stem = stem_of(lint->root->place.file->name);
    char found[TEXT_SHOWN];
    char file[TEXT_SHOWN];

    if (name && name->kind == NODE_SCALAR && !str_equal(name->text, stem))
        report_warning(&lint->ld->report, name->place, "the name is %s, but devices find the template by its file: %s",
                       text_quote(name->text, found), text_quote(stem, file));
}

static bool says_table(const struct node *n, int table)
{
    static const char *const names[] = {
        [TABLE_COIL] = "coil", [TABLE_DISCRETE] = "discrete", [TABLE_INPUT] = "input", [TABLE_HOLDING] = "holding"};
    const struct node *said = node_get(n, "table");

    return said && str_equal(said->text, str_of(names[table]));
}

static bool number_of(const struct node *n, const char *key, int64_t *ret_number)
{
    const struct node *value = node_get(n, key);

    return value && value->kind == NODE_SCALAR && text_read_int(value->text, ret_number) == 0;
}

static bool in_blocks(const struct lint *lint, const struct node *probe, int64_t address)
{
    int64_t from;
    int64_t to;

    for (const struct node *b = node_first(node_get(lint->root, "blocks")); b; b = b->next) {
        const struct node *table = node_get(b, "table");

        if (table && str_equal(table->text, node_get(probe, "table")->text) && number_of(b, "from", &from) &&
            number_of(b, "to", &to) && address >= from && address <= to)
            return true;
    }
    return false;
}

static bool in_a_tag(const struct lint *lint, const struct node *probe, int64_t address)
{
    for (size_t i = 0; i < lint->device->tag_count; i++) {
        const struct tag_draft *tag = &lint->device->tags[i];
        struct tag_settings shape = {.type = (enum tag_type)tag->type, .form = tag->form.checked};

        if (says_table(probe, tag->table) && address >= tag->address && address < tag->address + tag_width(&shape))
            return true;
    }
    return false;
}

static void check_probe(const struct lint *lint)
{
    const struct node *probe = node_get(lint->root, "probe");
    int64_t address;

    if (!probe || !number_of(probe, "address", &address) || in_blocks(lint, probe, address) ||
        in_a_tag(lint, probe, address))
        return;
    report_warning(&lint->ld->report, key_place(probe, NULL, "address"),
                   "the probe reads what neither a tag nor a block has: a device that refuses it would stay away");
}

/* False for tags that are computed, which have none. */
static bool is_hex(const struct node *address)
{
    return address && (str_starts_with(address->text, str_of("0x")) || str_starts_with(address->text, str_of("0X")));
}

/* Whether the table has an address that cannot be in the notation with the table as its first digit. */
static bool has_plain_address(const struct lint *lint, int table, int first)
{
    for (size_t i = 0; i < lint->device->tag_count; i++) {
        const struct tag_draft *tag = &lint->device->tags[i];
        const struct node *address = node_get(tag->node, "address");

        if (tag->table == table && !is_hex(address) && (tag->address <= first || tag->address > first + 9999))
            return true;
    }
    return false;
}

/* 40001 for the first holding register, 30001 for the first input register: as manuals count, not as the wire does. */
static void check_notation(const struct lint *lint)
{
    for (size_t i = 0; i < lint->device->tag_count; i++) {
        const struct tag_draft *tag = &lint->device->tags[i];
        int first = tag->table == TABLE_HOLDING ? 40000 : tag->table == TABLE_INPUT ? 30000 : 65536;
        const struct node *address = node_get(tag->node, "address");
        bool stated = node_get(lint->root, "address_base");

        if (tag->address <= first || tag->address > first + 9999 || is_hex(address))
            continue;
        if (!stated && !has_plain_address(lint, tag->table, first))
            report_warning(&lint->ld->report, address->place,
                           "%d looks like a manual's number for address %d; if it is on the wire like this, say "
                           "'address_base: 0'",
                           tag->address, tag->address - first - 1);
    }
}

/* Decimal 4xxxx among hexadecimal addresses comes from another column of the manual. */
static void check_mixture(const struct lint *lint)
{
    const struct tag_draft *hex[TABLE_HOLDING + 1] = {NULL};

    for (size_t i = 0; i < lint->device->tag_count; i++) {
        const struct tag_draft *tag = &lint->device->tags[i];

        if (is_hex(node_get(tag->node, "address")))
            hex[tag->table] = tag;
    }
    for (size_t i = 0; i < lint->device->tag_count; i++) {
        const struct tag_draft *tag = &lint->device->tags[i];
        int first = tag->table == TABLE_HOLDING ? 40000 : tag->table == TABLE_INPUT ? 30000 : 65536;

        if (tag->address > first && tag->address <= first + 9999 && hex[tag->table] &&
            !is_hex(node_get(tag->node, "address")))
            report_warning(&lint->ld->report, lint_place(tag, "address"),
                           "a decimal address like %d among hexadecimal ones, as of '%s': is it one of a manual that "
                           "counts from %d?",
                           tag->address, hex[tag->table]->name, first + 1);
    }
}

/* A word order that is not the standard's is believed only with its reason. */
static void check_order(const struct lint *lint)
{
    const struct node *order = node_get(lint->root, "order");
    const struct node *words = node_get(lint->root, "word_order");
    const struct node *odd = order && !str_equal(order->text, str_of("ABCD"))  ? order
                             : words && !str_equal(words->text, str_of("big")) ? words
                                                                               : NULL;

    if (odd && !lint_is_commented(lint, odd->place, "order:"))
        report_warning(&lint->ld->report, odd->place,
                       "an order other than the usual ABCD should have a comment, as what "
                       "looks like a mistake is often one");
}

static void lint_template(struct loader *ld, const struct node *root, const struct device_draft *device,
                          struct str text)
{
    struct lint lint = {.ld = ld, .root = root, .device = device, .text = text};

    check_said(&lint);
    check_name(&lint);
    if (is_serial(root))
        return;
    check_probe(&lint);
    check_notation(&lint);
    check_mixture(&lint);
    check_order(&lint);
    lint_tags(&lint);
    lint_siblings(&lint);
}

/* 0, or -errno when it cannot be read. */
static int check_file(struct loader *ld, const char *path)
{
    struct device_draft device;
    struct buf text = {0};
    struct place whole = {0};
    const struct node *root = NULL;
    struct node *tree;
    int r = source_read(ld, path, &whole.file, &tree);

    if (r == -ENOMEM || r == -EINVAL)
        return r == -EINVAL ? 0 : r;
    if (r == 0)
        r = source_read_bytes(path, TREE_MAX_BYTES, &text);
    if (r < 0) {
        report_error(&ld->report, whole, "cannot read this file: %s", strerror(-r));
    } else if (parameters_wanted(tree)) {
        report_warning(&ld->report, tree->place,
                       "a parameter without default keeps the template from being checked by itself");
    } else {
        root = parameters_apply(ld, tree, NULL, tree->place);
    }
    if (root)
        template_check(ld, root, &device);
    if (root && ld->report.errors == 0)
        lint_template(ld, root, &device, buf_str(&text));
    buf_fini(&text);
    return r;
}

int config_check_template(const char *path, struct buf *report)
{
    struct loader ld = {.main_name = path, .scratch = arena_new()};
    int r = -ENOMEM;

    ld.ctx.report = &ld.report;
    ld.ctx.arena = arena_new();
    if (ld.scratch && ld.ctx.arena)
        r = check_file(&ld, path);
    if (ld.ctx.failed || ld.report.failed)
        r = -ENOMEM;
    if (r == 0 && ld.report.errors > 0)
        r = -EINVAL;
    if (report_write(&ld.report, report) < 0)
        r = -ENOMEM;
    report_fini(&ld.report);
    arena_free(ld.scratch);
    arena_free(ld.ctx.arena);
    return r;
}
