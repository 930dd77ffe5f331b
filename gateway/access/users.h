/*
 * users - who may come in, by the hash of a password: a file of NAME:HASH lines, as mosquitto's.
 *
 *   # a comment
 *   anna:$y$j9T$...        made by wirepost passwd
 *   otto:$7$101$...        made by mosquitto_passwd
 *
 * Read once, then only asked; a reload reads another one. What password was right is remembered as a keyed digest,
 * so that a client that comes again costs microseconds. Loop thread only.
 */
#ifndef WP_ACCESS_USERS_H
#define WP_ACCESS_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct arena;
struct findings;

enum {
    USERS_DIGEST = 32,
    USERS_MAX_BYTES = 16 * 1024 * 1024, /* of a file: 100 000 users and more */
};

struct user {
    struct str name;
    const char *hash;
    uint32_t line;
    bool seen; /* the digest is of its password */
    uint8_t digest[USERS_DIGEST];
};

struct users {
    struct user *at; /* by name */
    size_t count;
    uint64_t fingerprint;      /* of the file; its reader's */
    uint8_t key[USERS_DIGEST]; /* of the digests; this process's own */
};

/* Lives in `arena`. 0; -EINVAL: what is wrong is among the findings; or -errno. */
int users_parse(struct arena *arena, struct str text, struct findings *findings, struct users **ret_users);

/* NULL when there is none. */
struct user *users_find(const struct users *u, struct str name);

/* Whose hash stands in for that of a user there is not, so that both take as long: always the same for one name.
 * NULL when there are no users at all. */
const struct user *users_stand_in(const struct users *u, struct str name);

/* Of a password, by which it is known again. 0 or -ENOMEM. */
int users_digest(const struct users *u, const struct user *user, struct str password, uint8_t ret_digest[USERS_DIGEST]);

/* Whether this password was found right before. */
bool users_recall(const struct user *user, const uint8_t digest[USERS_DIGEST]);

/* It was. */
void users_remember(struct user *user, const uint8_t digest[USERS_DIGEST]);

/* Another number: another password. */
uint64_t user_mark(const struct user *user);

/* NULL, or why nobody can have this name in a file of users. */
const char *user_name_problem(struct str name);

#endif
