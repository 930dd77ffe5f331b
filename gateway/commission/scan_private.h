/*
 * scan_private - a scan while it runs. Included by scan*.c only.
 */
#ifndef WP_COMMISSION_SCAN_PRIVATE_H
#define WP_COMMISSION_SCAN_PRIVATE_H

#include "commission/found.h"
#include "commission/job_private.h"
#include "commission/scan_order.h"

enum { DOUBTS_MAX = 16 };

enum scan_stage { STAGE_PRESENCE, STAGE_IDENTITY, STAGE_MATCH };

/* Something came back, but nothing that can be told to be this unit's answer: asked again with more patience. */
struct doubt {
    struct scan_target target;
    int attempts;
};

struct scan {
    struct job job;
    struct scan_order order;
    struct port_settings ports[SCAN_PORTS]; /* [0]: as configured */
    bool is_serial;
    int64_t timeout_ms;
    bool match;
    struct matcher *matcher;

    enum scan_stage stage;
    struct doubt now; /* who is asked */
    struct scan_target before;
    bool has_before;
    struct doubt doubts[DOUBTS_MAX];
    size_t doubt_count;
    struct found *found;
    size_t found_count;
    size_t asked;
    bool accepted;
    int64_t started_ms;
    int64_t told_ms;
    int64_t now_ms;
};

static inline struct scan *scan_of(struct job *j)
{
    return (struct scan *)(void *)j;
}

extern const struct job_ops scan_ops;

/* scan_tell.c */
void scan_tell_accepted(struct scan *s);
void scan_tell_progress(struct scan *s);
void scan_tell_unit(struct scan *s, const struct found *f);
void scan_end(struct job *j, const char *status);

#endif
