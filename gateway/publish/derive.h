/*
 * derive - tags that are computed from others of their device. Pure, private to publish/.
 *
 *   an input is read anew  ->  computed anew, with its time
 *   an input turns bad     ->  bad for the same reason
 */
#ifndef WP_PUBLISH_DERIVE_H
#define WP_PUBLISH_DERIVE_H

#include "publish/state.h"

/* Parses the expressions of a device. 0 or -ENOMEM; derive_fini() in any case. */
int derive_init(struct device_publish *d);
void derive_fini(struct device_publish *d);

/* What the tag (an index behind those that are read) comes to, once something was read at ts_ms. False when none of
 * its inputs has changed, or one is not known yet. */
bool derive_reading(const struct device_publish *d, uint32_t tag, int64_t ts_ms, struct reading *ret_reading);

#endif
