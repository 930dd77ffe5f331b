/*
 * figures - the names under which what the broker counts is shown.
 *
 *   struct broker_stats -> figure -> $SYS topic (sys.c), Prometheus metric (gateway_metrics.c)
 */
#ifndef WP_BROKER_FIGURES_H
#define WP_BROKER_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct broker_stats;

struct figure {
    const char *topic;  /* below $SYS/: mosquitto's name where it has one */
    const char *metric; /* of Prometheus, without "wirepost_broker_" and "_total"; NULL: none */
    const char *help;
    size_t at;  /* in struct broker_stats, a uint64_t */
    bool gauge; /* may fall; else it only rises */
};

extern const struct figure broker_figures[];
extern const size_t broker_figure_count;

uint64_t figure_value(const struct figure *f, const struct broker_stats *stats);

#endif
