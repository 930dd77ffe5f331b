/*
 * mapping - which local messages a bridge forwards, and under which name.
 *
 *   wp/plant7/d/tank/json  --filter "wp/plant7/#", local "wp/", remote "sites/"-->  sites/plant7/d/tank/json
 *
 * Pure. One thread at a time.
 */
#ifndef WP_BRIDGE_MAPPING_H
#define WP_BRIDGE_MAPPING_H

#include "bridge/bridge_settings.h"
#include "core/buf.h"
#include "core/str.h"

/* The first rule whose filter matches, or NULL. */
const struct bridge_topic_settings *mapping_find(const struct bridge_settings *s, struct str topic);

/* Appends the remote name: the local prefix, if the topic begins with it, gives way to the remote one. */
void mapping_put(const struct bridge_topic_settings *rule, struct str topic, struct buf *out);

#endif
