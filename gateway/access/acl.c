/* acl - see acl.h. */
#include "access/acl.h"

#include <errno.h>
#include <stdlib.h>

#include "core/arena.h"
#include "mqtt/topic.h"

struct acl *acl_new(struct arena *arena, bool in_order)
{
    struct acl *a = arena_alloc(arena, sizeof(*a));

    if (a)
        *a = (struct acl){.arena = arena, .in_order = in_order};
    return a;
}

struct acl_set *acl_set_new(struct acl *a)
{
    return arena_alloc(a->arena, sizeof(struct acl_set));
}

int acl_give(struct acl *a, struct acl_set *set, struct str user)
{
    struct acl_member *m;

    if (a->member_count == a->member_room) {
        size_t room = a->member_room ? 2 * a->member_room : 16;
        struct acl_member *members = arena_alloc(a->arena, room * sizeof(*members));

        if (!members)
            return -ENOMEM;
        if (a->member_count > 0)
            memcpy(members, a->members, a->member_count * sizeof(*members));
        a->members = members;
        a->member_room = room;
    }
    m = &a->members[a->member_count];
    *m = (struct acl_member){.user = user, .set = set, .order = a->member_count};
    if (user.data)
        m->user.data = arena_strdup(a->arena, user);
    if (user.data && !m->user.data)
        return -ENOMEM;
    a->member_count++;
    return 0;
}

static size_t count_levels(struct str pattern)
{
    size_t count = 1;

    for (size_t i = 0; i < pattern.len; i++)
        count += pattern.data[i] == '/';
    return count;
}

static bool has_names(struct str pattern)
{
    return memmem(pattern.data, pattern.len, "%u", 2) || memmem(pattern.data, pattern.len, "%c", 2);
}

int acl_add(struct acl *a, struct acl_set *set, struct str pattern, uint8_t says, bool named)
{
    struct acl_rule *rule = arena_alloc(a->arena, sizeof(*rule));

    if (!rule)
        return -ENOMEM;
    *rule = (struct acl_rule){.next = set->rules,
                              .pattern = {.data = arena_strdup(a->arena, pattern), .len = pattern.len},
                              .says = says,
                              .named = named && has_names(pattern)};
    if (!rule->pattern.data)
        return -ENOMEM;
    set->rules = rule;
    set->has_named |= rule->named;
    set->level_count += count_levels(pattern);
    a->rule_count++;
    return 0;
}

static int finish_set(struct acl *a, struct acl_set *set)
{
    int r;

    if (set->tree.root) /* of several users */
        return 0;
    r = rule_tree_init(&set->tree, a->arena, set->level_count);
    for (const struct acl_rule *rule = set->rules; r == 0 && rule; rule = rule->next)
        if (!rule->named)
            r = rule_tree_add(&set->tree, rule->pattern, rule->says);
    return r;
}

/* Whoever has no name is before all others. */
static int compare_users(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order;

    if (!a.data || !b.data)
        return (a.data != NULL) - (b.data != NULL);
    order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_members(const void *left, const void *right)
{
    const struct acl_member *a = left;
    const struct acl_member *b = right;
    int order = compare_users(a->user, b->user);

    return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

int acl_finish(struct acl *a)
{
    int r = finish_set(a, &a->everyone);

    if (a->member_count > 0)
        qsort(a->members, a->member_count, sizeof(a->members[0]), compare_members);
    for (size_t i = 0; r == 0 && i < a->member_count; i++)
        r = finish_set(a, a->members[i].set);
    return r;
}

size_t acl_find(const struct acl *a, struct str user, const struct acl_member **ret_first)
{
    size_t low = 0;
    size_t high = a->member_count;
    size_t end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_users(a->members[middle].user, user) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < a->member_count && compare_users(a->members[end].user, user) == 0; end++)
        ;
    *ret_first = a->members ? a->members + low : NULL;
    return end - low;
}

const char *acl_pattern_problem(struct str pattern)
{
    if (str_starts_with(pattern, str_of("$share/")))
        return "a rule for shared subscriptions names their filter alone, without $share/NAME/";
    if (!topic_filter_valid(pattern))
        return "it is no topic filter: '+' is a level by itself, '#' the last one";
    if (count_levels(pattern) > RULE_LEVELS_MAX)
        return "it has more than 128 levels";
    return NULL;
}
