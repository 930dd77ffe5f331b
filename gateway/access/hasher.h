/*
 * hasher - checks passwords in a thread of its own, so that nobody waits for that but who is to come in.
 *
 *   hasher_ask() -> queue of its address -> worker -> hasher_run() -> done()
 *                   (addresses take turns)
 *
 * Bounded: so many may wait in all, and of one address. After a wrong password the address's next question, and the
 * answer itself, wait for a while; other addresses do not. As many answers are held back as questions may wait.
 *
 * hasher_ask(), hasher_forget() and hasher_run() belong to the loop thread; wake runs in the worker.
 */
#ifndef WP_ACCESS_HASHER_H
#define WP_ACCESS_HASHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct hasher;
struct hash_job;

typedef void hasher_wake_fn(void *arg);
typedef void hasher_done_fn(void *arg, bool right); /* nobody wanted it: it is wrong */

struct hasher_limits {
    size_t waiting;             /* questions at once, in all */
    size_t waiting_per_address; /* and of one address */
    int64_t failed_delay_ms;    /* after a wrong password; 0: none */
};

struct hash_question {
    struct str address;  /* who asks; copied */
    const char *hash;    /* copied */
    struct str password; /* copied, and overwritten when it has been used */
    bool never;          /* whatever comes of it, it is wrong: there is no such user */
    bool (*wanted)(
        void *arg); /* whether anybody still waits for the answer, when its turn comes; NULL: somebody does */
    hasher_done_fn *done;
    void *arg;
};

/* 0 or -errno. wake: hasher_run() has something to do. */
int hasher_new(hasher_wake_fn *wake, void *arg, struct hasher **ret_hasher);

/* Waits for the question the worker is at; done() is called for none. Accepts NULL. */
void hasher_free(struct hasher *h);

void hasher_set_limits(struct hasher *h, const struct hasher_limits *limits);

/* 0: done() will be called, unless it is forgotten. -EBUSY: too many wait; -EDQUOT: of this address; or -ENOMEM. */
int hasher_ask(struct hasher *h, const struct hash_question *q, struct hash_job **ret_job);

/* Nobody wants the answer any more: done() will not be called. */
void hasher_forget(struct hasher *h, struct hash_job *job);

/* Calls done() for what is answered and due. Returns when to call it again, at the latest; INT64_MAX: when woken. */
int64_t hasher_run(struct hasher *h, int64_t now_ms);

struct hasher_stats {
    uint64_t asked;
    uint64_t refused;
    uint64_t wrong;
    size_t waiting;
    bool busy; /* the worker has a question */
};

void hasher_get_stats(const struct hasher *h, struct hasher_stats *ret_stats);

#endif
