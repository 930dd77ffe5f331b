/* parameters - see parameters.h. */
#include "config/parameters.h"

#include "config/loader.h"
#include "config/near.h"
#include "config/options.h"

struct substitution {
    struct loader *ld;
    const struct node *declared; /* the template's parameters */
    const struct node *given;    /* the device's; NULL: none */
    bool failed;
};

static size_t name_len(struct str text)
{
    size_t len = 0;

    while (len < text.len && (text.data[len] == '_' || (text.data[len] >= 'a' && text.data[len] <= 'z') ||
                              (len > 0 && text.data[len] >= '0' && text.data[len] <= '9')))
        len++;
    return len;
}

static bool is_scalar(const struct node *n)
{
    return n && n->kind == NODE_SCALAR && !node_is_empty(n);
}

/* NULL when there is none. */
static const struct node *find_named(const struct node *mapping, struct str name)
{
    for (const struct node *n = node_first(mapping); n; n = n->next)
        if (n->key && str_equal(str_of(n->key), name))
            return n;
    return NULL;
}

static void refuse_name(struct substitution *sub, struct place at, const char *what, struct str name)
{
    struct near near = near_to(name);
    char found[TEXT_SHOWN];

    sub->failed = true;
    text_quote(name, found);
    for (const struct node *n = node_first(sub->declared); n; n = n->next)
        near_offer(&near, n->key);
    if (near.best)
        report_error(&sub->ld->report, at, "%s %s; did you mean '%s'?", what, found, near.best);
    else
        report_error(&sub->ld->report, at, "%s %s", what, found);
}

/* What the parameter stands for; NULL when nobody says, which is reported elsewhere. */
static const struct node *value_of(const struct substitution *sub, const struct node *parameter)
{
    const struct node *given = find_named(sub->given, str_of(parameter->key));

    return given ? given : node_get(parameter, "default");
}

/* "$name" or "${name}" at the start of `text`: its length, and the name; 0 when it is neither, and so means itself. */
static size_t reference_at(struct str text, struct str *ret_name)
{
    struct str rest = {.data = text.data + 1, .len = text.len - 1};
    bool braces = rest.len > 0 && rest.data[0] == '{';

    if (braces) {
        rest.data++;
        rest.len--;
    }
    *ret_name = (struct str){.data = rest.data, .len = name_len(rest)};
    if (ret_name->len == 0 || (braces && (ret_name->len == rest.len || rest.data[ret_name->len] != '}')))
        return 0;
    return 1 + ret_name->len + (braces ? 2 : 0);
}

/* Appends `n`'s text with values for names. */
static void substitute(struct substitution *sub, const struct node *n, struct buf *out)
{
    struct str rest = n->text;

    while (rest.len > 0) {
        struct str name;
        size_t len = rest.data[0] == '$' ? reference_at(rest, &name) : 0;
        const struct node *parameter = len > 0 ? find_named(sub->declared, name) : NULL;
        const struct node *value = parameter ? value_of(sub, parameter) : NULL;

        if (len > 0 && !parameter)
            refuse_name(sub, n->place, "this template has no parameter", name);
        if (value)
            buf_append(out, value->text.data, value->text.len);
        if (len == 0) {
            len = rest.len > 1 && rest.data[0] == '$' && rest.data[1] == '$' ? 2 : 1;
            buf_put_u8(out, (uint8_t)rest.data[0]);
        }
        rest.data += len;
        rest.len -= len;
    }
}

static void copy_text(struct substitution *sub, const struct node *from, struct node *to)
{
    struct buf out = {0};
    char *copy;

    if (from->kind != NODE_SCALAR || !memchr(from->text.data, '$', from->text.len))
        return;
    substitute(sub, from, &out);
    copy = buf_failed(&out) ? NULL : arena_strdup(sub->ld->scratch, buf_str(&out));
    if (copy)
        to->text = (struct str){.data = copy, .len = buf_len(&out)};
    else
        sub->ld->ctx.failed = true;
    buf_fini(&out);
}

static struct node *copy_node(struct substitution *sub, const struct node *from);

static void copy_children(struct substitution *sub, const struct node *from, struct node *to)
{
    struct node **end = &to->children;

    to->children = NULL;
    for (const struct node *child = from->children; child; child = child->next) {
        *end = copy_node(sub, child);
        if (!*end)
            return;
        end = &(*end)->next;
    }
}

/* NULL when out of memory. As deep as the tree, which is bounded. */
static struct node *copy_node(struct substitution *sub, const struct node *from)
{
    struct node *to = loader_alloc(sub->ld, 1, sizeof(*to));

    if (!to)
        return NULL;
    *to = *from;
    to->next = NULL;
    copy_text(sub, from, to);
    if (from != sub->declared)
        copy_children(sub, from, to);
    return to;
}

static void check_declared(struct substitution *sub)
{
    char found[TEXT_SHOWN];
    char nothing; /* is kept */

    for (const struct node *n = node_first(sub->declared); n; n = n->next) {
        struct str name = str_of(n->key);

        if (name.len == 0 || name_len(name) != name.len) {
            report_error(&sub->ld->report, n->key_place,
                         "a parameter's name has small letters, digits and '_'; found %s", text_quote(name, found));
            sub->failed = true;
        }
        schema_read(&sub->ld->ctx, &parameter_section, 0, n, &nothing);
    }
}

static void check_given(struct substitution *sub)
{
    char found[TEXT_SHOWN];

    for (const struct node *n = node_first(sub->given); n; n = n->next) {
        if (!find_named(sub->declared, str_of(n->key))) {
            refuse_name(sub, n->key_place, "the template has no parameter", str_of(n->key));
        } else if (!is_scalar(n)) {
            report_error(&sub->ld->report, n->place, "a parameter needs a value; found %s", node_describe(n, found));
            sub->failed = true;
        }
    }
}

static void check_complete(struct substitution *sub, struct place user)
{
    for (const struct node *n = node_first(sub->declared); n; n = n->next) {
        const struct node *help = node_get(n, "help");

        if (value_of(sub, n))
            continue;
        report_error(&sub->ld->report, user, "the template needs the parameter '%s'%s" STR_FMT, n->key,
                     is_scalar(help) ? ": " : "", STR_ARG(is_scalar(help) ? help->text : str_of("")));
        sub->failed = true;
    }
}

bool parameters_wanted(const struct node *root)
{
    for (const struct node *n = node_first(node_get(root, "parameters")); n; n = n->next)
        if (n->key && !node_get(n, "default"))
            return true;
    return false;
}

const struct node *parameters_apply(struct loader *ld, const struct node *root, const struct node *given,
                                    struct place user)
{
    struct substitution sub = {.ld = ld, .declared = node_get(root, "parameters"), .given = given};
    size_t errors = ld->report.errors;
    const struct node *copy;

    if (sub.declared && sub.declared->kind != NODE_MAPPING)
        sub.declared = NULL; /* the schema says so */
    if (given && given->kind != NODE_MAPPING)
        sub.given = NULL;
    check_declared(&sub);
    check_given(&sub);
    check_complete(&sub, user);
    if (!sub.declared)
        return sub.failed ? NULL : root;
    copy = copy_node(&sub, root);
    return sub.failed || ld->report.errors > errors ? NULL : copy;
}
