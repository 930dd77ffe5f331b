/* draft_acl - a file of rules in YAML: from what is written to an ACL. */
#include <errno.h>
#include <string.h>

#include "access/acl.h"
#include "config/draft_access.h"
#include "config/loader.h"
#include "config/options.h"

struct acl_reader {
    struct loader *ld;
    struct acl *acl;
};

static void check(struct acl_reader *r, int result)
{
    r->ld->ctx.failed |= result < 0;
}

/* The texts of a list, those that are none reported. NULL: none is left. */
static const struct node *first_text(struct acl_reader *r, const struct node *n, const char *what)
{
    char found[TEXT_SHOWN];

    for (; n; n = n->next) {
        if (n->kind == NODE_SCALAR && n->text.len > 0 && !memchr(n->text.data, '\0', n->text.len))
            return n;
        report_error(&r->ld->report, n->place, "%s must be text; found %s", what, node_describe(n, found));
    }
    return NULL;
}

static void add_patterns(struct acl_reader *r, struct acl_set *set, const struct node *list, uint8_t says)
{
    char found[TEXT_SHOWN];

    for (const struct node *n = node_first(list); (n = first_text(r, n, "a topic")); n = n->next) {
        const char *problem = acl_pattern_problem(n->text);

        if (problem)
            report_error(&r->ld->report, n->place, "%s: %s", node_describe(n, found), problem);
        else
            check(r, acl_add(r->acl, set, n->text, says, true));
    }
}

static void add_rules(struct acl_reader *r, struct acl_set *set, const struct acl_rules_draft *rules)
{
    add_patterns(r, set, rules->read, ACL_READ);
    add_patterns(r, set, rules->write, ACL_WRITE);
    add_patterns(r, set, rules->readwrite, ACL_READ | ACL_WRITE);
    add_patterns(r, set, rules->subscribe, ACL_SUBSCRIBE);
    add_patterns(r, set, rules->deny, ACL_ALL << ACL_DENY);
    add_patterns(r, set, rules->deny_read, ACL_READ << ACL_DENY);
    add_patterns(r, set, rules->deny_write, ACL_WRITE << ACL_DENY);
}

static struct acl_set *new_set(struct acl_reader *r)
{
    struct acl_set *set = acl_set_new(r->acl);

    if (!set)
        r->ld->ctx.failed = true;
    return set;
}

static void read_members(struct acl_reader *r, struct acl_set *set, const struct node *list)
{
    for (const struct node *n = node_first(list); (n = first_text(r, n, "a user name")); n = n->next)
        check(r, acl_give(r->acl, set, n->text));
}

/* Who stands twice in a list has been changed in one place and forgotten in the other. */
static void check_repetition(struct acl_reader *r, const struct node *list, const struct node *party)
{
    const struct node *name = node_get(party, "name");
    char found[TEXT_SHOWN];
    char where[PLACE_TEXT];

    for (const struct node *n = node_first(list); name && n != party; n = n->next) {
        const struct node *other = node_get(n, "name");

        if (!other || other->kind != NODE_SCALAR || name->kind != NODE_SCALAR || !str_equal(other->text, name->text))
            continue;
        report_error(&r->ld->report, name->place, "duplicate name %s, first at %s", node_describe(name, found),
                     place_print(name->place, other->place, where));
        return;
    }
}

static void read_party(struct acl_reader *r, const struct schema_section *section, const struct node *n)
{
    struct acl_party_draft party = {0};
    struct acl_set *set = new_set(r);

    if (!set || !item_is_mapping(r->ld, section, n))
        return;
    schema_read(&r->ld->ctx, section, 0, n, &party);
    schema_require(&r->ld->ctx, section, 0, n, NULL);
    if (party.members)
        read_members(r, set, party.members);
    else if (party.name)
        check(r, acl_give(r->acl, set, str_of(party.name)));
    add_rules(r, set, &party.rules);
}

static void read_parties(struct acl_reader *r, const struct schema_section *section, const struct node *list)
{
    for (const struct node *n = node_first(list); n; n = n->next) {
        read_party(r, section, n);
        check_repetition(r, list, n);
    }
}

struct acl *draft_acl(struct loader *ld, const struct node *root)
{
    struct acl_reader r = {.ld = ld, .acl = acl_new(ld->ctx.arena, false)};
    struct acl_draft d = {0};
    struct acl_set *anonymous;

    if (!r.acl) {
        ld->ctx.failed = true;
        return NULL;
    }
    schema_read(&ld->ctx, &acl_section, 0, root, &d);
    add_rules(&r, &r.acl->everyone, &d.everyone);
    anonymous = new_set(&r);
    if (anonymous) {
        check(&r, acl_give(r.acl, anonymous, (struct str){0}));
        add_rules(&r, anonymous, &d.anonymous);
    }
    read_parties(&r, &acl_group_section, d.groups);
    read_parties(&r, &acl_user_section, d.users);
    check(&r, acl_finish(r.acl));
    return r.acl;
}
