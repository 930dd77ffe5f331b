/* permit - see permit.h. */
#include "access/permit.h"

#include <errno.h>
#include <stdlib.h>

#include "access/filters.h"
#include "core/buf.h"
#include "mqtt/topic.h"

struct own_rule {
    struct str pattern;
    uint8_t says;
};

/* What follows an ACL; one block, replaced as a whole. */
struct permit_rules {
    struct own_rule *own; /* behind the sets */
    size_t own_count;
    size_t set_count;
    struct acl_set *sets[];
};

struct permit {
    struct acl *acl;            /* NULL: everything is allowed */
    struct permit_rules *rules; /* NULL with an ACL: out of memory, nothing is allowed */
    struct str user;
    struct str client_id;
    char bytes[];
};

struct permit *permit_new(struct str user, struct str client_id)
{
    struct permit *p = malloc(sizeof(*p) + user.len + client_id.len);

    if (!p)
        return NULL;
    *p = (struct permit){.client_id = {.data = p->bytes + user.len, .len = client_id.len}};
    if (user.data)
        p->user = (struct str){.data = p->bytes, .len = user.len};
    if (user.data && user.len > 0)
        memcpy(p->bytes, user.data, user.len);
    if (client_id.len > 0)
        memcpy(p->bytes + user.len, client_id.data, client_id.len);
    return p;
}

void permit_free(struct permit *p)
{
    if (!p)
        return;
    free(p->rules);
    free(p);
}

struct str permit_user(const struct permit *p)
{
    return p->user;
}

struct acl *permit_acl(const struct permit *p)
{
    return p->acl;
}

/* ---- rules with %u and %c ---- */

static bool is_safe(struct str name)
{
    if (name.len == 0 || name.data[0] == '$')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] == '+' || name.data[i] == '#' || name.data[i] == '/')
            return false;
    return true;
}

/* %u or %c at `at`. */
static bool stands_for(struct str pattern, size_t at, char what)
{
    return at + 1 < pattern.len && pattern.data[at] == '%' && pattern.data[at + 1] == what;
}

/* "a/x%c/y" becomes "a/#". */
static void cut_level(struct buf *out, size_t begin)
{
    const uint8_t *data = buf_data(out);
    size_t len = buf_len(out);

    while (len > begin && data[len - 1] != '/')
        len--;
    buf_truncate(out, len);
    buf_put_u8(out, '#');
}

/* Appends the pattern with names in it. False: this rule says nothing to this client. */
static bool expand(const struct permit *p, const struct acl_rule *rule, struct buf *out)
{
    size_t begin = buf_len(out);

    for (size_t i = 0; i < rule->pattern.len; i++) {
        bool user = stands_for(rule->pattern, i, 'u');
        struct str name = user ? p->user : p->client_id;

        if (!user && !stands_for(rule->pattern, i, 'c')) {
            buf_put_u8(out, (uint8_t)rule->pattern.data[i]);
            continue;
        }
        if (user && !p->user.data)
            return false;
        if (!is_safe(name)) {
            cut_level(out, begin);
            return rule->says >> ACL_DENY;
        }
        buf_append(out, name.data, name.len);
        i++;
    }
    return buf_len(out) - begin <= UINT16_MAX;
}

static void expand_set(const struct permit *p, const struct acl_set *set, struct buf *patterns, struct buf *rules)
{
    for (const struct acl_rule *rule = set->has_named ? set->rules : NULL; rule; rule = rule->next) {
        size_t begin = buf_len(patterns);
        struct own_rule own = {.says = rule->says};

        if (!rule->named)
            continue;
        if (!expand(p, rule, patterns)) {
            buf_truncate(patterns, begin);
            continue;
        }
        own.pattern.len = buf_len(patterns) - begin;
        buf_append(rules, &own, sizeof(own));
    }
}

/* One block: | permit_rules | sets | own rules | their patterns | */
static struct permit_rules *rules_new(const struct permit *p, const struct acl_member *first, size_t count)
{
    struct buf patterns = {0};
    struct buf own = {0};
    struct permit_rules *r = NULL;
    size_t own_at = sizeof(*r) + (count + 1) * sizeof(r->sets[0]);
    char *text;

    for (size_t i = 0; i < count; i++)
        expand_set(p, first[i].set, &patterns, &own);
    expand_set(p, &p->acl->everyone, &patterns, &own);
    if (!buf_failed(&patterns) && !buf_failed(&own))
        r = malloc(own_at + buf_len(&own) + buf_len(&patterns));
    if (r) {
        *r = (struct permit_rules){.own = (void *)((char *)r + own_at),
                                   .own_count = buf_len(&own) / sizeof(struct own_rule)};
        for (size_t i = 0; i < count; i++)
            r->sets[r->set_count++] = first[i].set;
        r->sets[r->set_count++] = &p->acl->everyone;
        text = (char *)r + own_at + buf_len(&own);
        if (buf_len(&own) > 0)
            memcpy(r->own, buf_data(&own), buf_len(&own));
        if (buf_len(&patterns) > 0)
            memcpy(text, buf_data(&patterns), buf_len(&patterns));
        for (size_t i = 0; i < r->own_count; i++) {
            r->own[i].pattern.data = text;
            text += r->own[i].pattern.len;
        }
    }
    buf_fini(&patterns);
    buf_fini(&own);
    return r;
}

int permit_follow(struct permit *p, struct acl *acl)
{
    const struct acl_member *first;
    size_t count;

    free(p->rules);
    p->rules = NULL;
    p->acl = acl;
    if (!acl)
        return 0;
    count = acl_find(acl, p->user, &first);
    p->rules = rules_new(p, first, count);
    return p->rules ? 0 : -ENOMEM;
}

/* ---- verdicts ---- */

/* Whether what is said decides, so that later sets are not asked. */
static bool decides(const struct permit *p, uint8_t says, unsigned access)
{
    return p->acl->in_order && (says & (access | access << ACL_DENY));
}

static uint8_t ask_set(struct acl_set *set, struct str topic, uint64_t message)
{
    if (message == 0)
        return rule_tree_match(&set->tree, topic);
    if (set->asked != message) {
        set->said = rule_tree_match(&set->tree, topic);
        set->asked = message;
    }
    return set->said;
}

bool permit_may(struct permit *p, uint8_t access, struct str topic, uint64_t message)
{
    const struct permit_rules *r = p->rules;
    unsigned denied = (unsigned)access << ACL_DENY;
    bool last = false; /* own rules go with the last set */
    uint8_t says = 0;

    if (!r)
        return !p->acl;
    for (size_t i = 0; i < r->set_count && !decides(p, says, access); i++) {
        says |= ask_set(r->sets[i], topic, message);
        last = i + 1 == r->set_count;
    }
    for (size_t i = 0; last && i < r->own_count && !(says & denied); i++)
        if ((r->own[i].says & ~says) && topic_matches(r->own[i].pattern, topic))
            says |= r->own[i].says;
    return (says & access) && !(says & denied);
}

/* What rules say of a filter: those that have topics in common with it, and those that hold for all of it. */
struct opinion {
    uint8_t of_some;
    uint8_t of_all;
};

static void ask_own(const struct permit_rules *r, struct str filter, struct opinion *o)
{
    for (size_t i = 0; i < r->own_count; i++) {
        if (filters_overlap(r->own[i].pattern, filter))
            o->of_some |= r->own[i].says;
        if (filter_covers(r->own[i].pattern, filter))
            o->of_all |= r->own[i].says;
    }
}

/* Rules that say `subscribe` stand for all that may be subscribed to. */
static bool names_subscriptions(const struct permit_rules *r)
{
    uint8_t says = 0;

    for (size_t i = 0; i < r->set_count; i++)
        says |= rule_tree_all(&r->sets[i]->tree);
    for (size_t i = 0; i < r->own_count; i++)
        says |= r->own[i].says;
    return says & ACL_SUBSCRIBE;
}

bool permit_may_subscribe(const struct permit *p, struct str filter)
{
    const unsigned denied = (ACL_READ | ACL_SUBSCRIBE) << ACL_DENY;
    const struct permit_rules *r = p->rules;
    struct opinion o = {0};

    if (!r)
        return !p->acl;
    for (size_t i = 0; i < r->set_count; i++) {
        if (p->acl->in_order && ((o.of_all & denied) || (o.of_some & ACL_READ)))
            break;
        o.of_some |= rule_tree_overlap(&r->sets[i]->tree, filter);
        o.of_all |= rule_tree_cover(&r->sets[i]->tree, filter);
        if (i + 1 == r->set_count)
            ask_own(r, filter, &o);
    }
    if ((o.of_all & denied) || !(o.of_some & ACL_READ))
        return false;
    return (o.of_all & ACL_SUBSCRIBE) || !names_subscriptions(r);
}
