/*
 * acl - rules: who may publish what, be given what, subscribe to what.
 *
 *   user anna    ---> set of rules (her own) ---> tree of patterns, patterns with %u and %c
 *   group of hers --> set                    `-> what they say: allow, deny
 *   everyone -------> set
 *
 * What no rule allows is denied. Among the rules that hold for a client, one that denies wins; in order (as in
 * mosquitto's files) only within a set: the first set that says anything of a topic decides.
 *
 * Built by whoever reads a file, then asked through permits (permit.h). Lives in an arena. Loop thread only: a set
 * remembers what it said of the last topic.
 */
#ifndef WP_ACCESS_ACL_H
#define WP_ACCESS_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access/rule_tree.h"
#include "core/str.h"

struct arena;

/* What a rule allows; shifted by ACL_DENY, what it denies. */
enum {
    ACL_READ = 1, /* be given messages */
    ACL_WRITE = 2,
    ACL_SUBSCRIBE = 4,
    ACL_ALL = 7,
    ACL_DENY = 3, /* bits to shift */
};

struct acl_rule {
    struct acl_rule *next;
    struct str pattern;
    uint8_t says;
    bool named; /* %u and %c are the client's */
};

struct acl_set {
    struct acl_rule *rules; /* the newest first */
    struct rule_tree tree;  /* of those without %u and %c */
    size_t level_count;
    bool has_named;
    uint64_t asked; /* about which message... */
    uint8_t said;   /* ...and the answer */
};

struct acl_member {
    struct str user; /* NULL data: clients without a name */
    struct acl_set *set;
    size_t order;
};

struct acl {
    struct arena *arena;
    const char *name;     /* of its file, borrowed; NULL: none */
    uint64_t fingerprint; /* of the file; its reader's, both */
    bool in_order;
    struct acl_member *members; /* by user, then as they were added */
    size_t member_count;
    size_t member_room;
    struct acl_set everyone; /* holds for every client, after what is its own */
    size_t rule_count;
};

/* NULL when out of memory. */
struct acl *acl_new(struct arena *arena, bool in_order);

struct acl_set *acl_set_new(struct acl *a); /* NULL when out of memory */

/* The set holds for this user; NULL data: for whoever has no name. 0 or -ENOMEM. */
int acl_give(struct acl *a, struct acl_set *set, struct str user);

/* named: %u and %c in the pattern stand for user name and client id. Copies. 0 or -ENOMEM. */
int acl_add(struct acl *a, struct acl_set *set, struct str pattern, uint8_t says, bool named);

/* After the last rule, before the first question. 0 or -ENOMEM. */
int acl_finish(struct acl *a);

/* The first of a user's members, and how many follow each other; 0: it has none. */
size_t acl_find(const struct acl *a, struct str user, const struct acl_member **ret_first);

/* NULL, or why this is no pattern. */
const char *acl_pattern_problem(struct str pattern);

#endif
