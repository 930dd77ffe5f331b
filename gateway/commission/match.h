/*
 * match - which templates a device looks like, by reading some of what each describes.
 *
 *   template -> its cheapest request first -> refused: not this one
 *                                          -> answered: those with the most tags -> a score
 *
 * A tag speaks for its template when its value is one that such a thing can have: 229.8 V, 50 Hz,
 * a known word. A zero says little; a value out of its range, or no number at all, speaks against it.
 * What was read once is not asked again for the next template. Pure.
 */
#ifndef WP_COMMISSION_MATCH_H
#define WP_COMMISSION_MATCH_H

#include "commission/job.h"

struct matcher;

enum { MATCH_BEST = 3, MATCH_SAMPLE_LEN = 69 };

struct match {
    const char *template_name;     /* the matcher's */
    int score;                     /* 1-100 */
    double points;                 /* of equal scores the one that explains more is the better */
    char sample[MATCH_SAMPLE_LEN]; /* "voltage 229.8 V, frequency 50 Hz" */
};

/* Templates as the configuration at config_path would find them. 0 or -errno. */
int matcher_new(const char *config_path, struct matcher **ret_matcher);
void matcher_free(struct matcher *m); /* Accepts NULL. */

/* Forgets what was read: another device. */
void matcher_start(struct matcher *m);

/* JOB_ASK: these registers or bits are to be read and told; JOB_AGAIN: call again; JOB_DONE. */
enum job_step matcher_next(struct matcher *m, enum modbus_table *ret_table, uint16_t *ret_address, uint16_t *ret_count);
void matcher_answer(struct matcher *m, const struct answer *a);

/* The best so far, the best first; how many. */
size_t matcher_best(const struct matcher *m, struct match ret_best[MATCH_BEST]);

#endif
