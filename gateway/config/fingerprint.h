/*
 * fingerprint - a number for what is written in a part of a configuration.
 *
 * Two parts with one number say the same: in the same words, with the keys of a mapping in any order; comments and
 * places do not count. Whatever a key means is in it, so no option can be forgotten here. The paths in a part depend
 * on its file's directory, which therefore counts.
 */
#ifndef WP_CONFIG_FINGERPRINT_H
#define WP_CONFIG_FINGERPRINT_H

#include <stdint.h>

struct bridge_draft;
struct bus_draft;
struct draft;
struct node;

/* A value with all below it. */
uint64_t fingerprint_node(const struct node *n);

/* A bus with its devices, wherever those are written, and their templates. */
uint64_t fingerprint_bus(const struct draft *d, const struct bus_draft *bus);

/* A bridge with its password, wherever that comes from. */
uint64_t fingerprint_bridge(const struct bridge_draft *bridge);

#endif
