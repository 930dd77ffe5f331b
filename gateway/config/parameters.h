/*
 * parameters - what a device may say to its template: "$ct_ratio" in the template's values becomes the value that the
 * device gives to its parameter ct_ratio, or the parameter's default. Nothing is computed.
 */
#ifndef WP_CONFIG_PARAMETERS_H
#define WP_CONFIG_PARAMETERS_H

#include <stdbool.h>

#include "config/place.h"

struct loader;
struct node;

/* Whether the template with this root has a parameter without default, so that it says nothing by itself. */
bool parameters_wanted(const struct node *root);

/*
 * The template's root with the values of `given`, a device's mapping, in the places of its parameters: the root itself
 * when it has none, else a copy in the loader's memory, with the same places. `given` may be NULL.
 * Reports what is missing at `user`, where the device names the template. NULL when something is wrong, and reported.
 */
const struct node *parameters_apply(struct loader *ld, const struct node *root, const struct node *given,
                                    struct place user);

#endif
