/*
 * draft_access - a file of rules as it is written: a part of draft.h.
 */
#ifndef WP_CONFIG_DRAFT_ACCESS_H
#define WP_CONFIG_DRAFT_ACCESS_H

struct node;

/* Lists of patterns. */
struct acl_rules_draft {
    const struct node *read;
    const struct node *write;
    const struct node *readwrite;
    const struct node *subscribe;
    const struct node *deny;
    const struct node *deny_read;
    const struct node *deny_write;
};

/* A user or a group. */
struct acl_party_draft {
    const char *name;
    const struct node *members; /* of a group */
    struct acl_rules_draft rules;
};

struct acl_draft {
    struct acl_rules_draft everyone;
    struct acl_rules_draft anonymous;
    const struct node *groups;
    const struct node *users;
};

#endif
