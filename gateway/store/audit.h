/*
 * audit - who wrote what to which device, and what came of it: a table on disk.
 *
 * Bounded by rows: the oldest go. One job at a time is with the storage thread; what comes meanwhile waits in
 * memory, at most AUDIT_WAITING of them, and what is too much is counted. Loop thread only.
 */
#ifndef WP_STORE_AUDIT_H
#define WP_STORE_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

enum { AUDIT_WAITING = 1000, AUDIT_READ_MAX = 1000 };

struct audit;
struct store;

/* Texts are borrowed during calls and callbacks. */
struct audit_entry {
    int64_t ts_ms;  /* wall clock */
    struct str who; /* client id, or who of the gateway's own: "failsafe", "control" */
    struct str device;
    struct str tag;    /* or action */
    struct str value;  /* as it was asked for */
    struct str from;   /* the value before, "" if not known */
    struct str result; /* status: "written", "verified", "rejected", ... */
    struct str code;   /* "" when there is none */
};

/* NULL when out of memory. */
struct audit *audit_new(struct store *store, int64_t max_rows);

/* The store must have been closed before. Accepts NULL. */
void audit_free(struct audit *a);

/* Copies. */
void audit_add(struct audit *a, const struct audit_entry *e);

/* Entries that found no room, or no disk. */
uint64_t audit_lost(const struct audit *a);

/* The newest entries, newest first, of one device or (device "") of all; at most `limit`, at most AUDIT_READ_MAX;
 * what still waits to be written is not among them.
 * each() runs in the loop thread for each, then done() with 0 or -errno. -ENOMEM, -ESHUTDOWN: neither will run. */
typedef void audit_each_fn(void *arg, const struct audit_entry *e);
typedef void audit_done_fn(void *arg, int result);
int audit_read(struct audit *a, struct str device, size_t limit, audit_each_fn *each, audit_done_fn *done, void *arg);

/* The same with the newest entry of each tag that was written, or may have been although its answer was lost: what
 * stands in the devices, for all we know. A failsafe value counts only where it was written. */
int audit_read_last(struct audit *a, audit_each_fn *each, audit_done_fn *done, void *arg);

#endif
