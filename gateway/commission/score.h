/*
 * score - what one value of a device says for or against a template. Pure.
 */
#ifndef WP_COMMISSION_SCORE_H
#define WP_COMMISSION_SCORE_H

#include "bus/bus_settings.h"
#include "core/reading.h"

/* `points` of `most`; 0 of much is evidence against. */
struct score {
    double points;
    double most;
};

struct score score_reading(const struct tag_settings *tag, const struct reading *r);

/* Of all readings together, 0-100. Few readings prove little. */
int score_percent(const struct score *sum);

#endif
