/*
 * discovery - tells Home Assistant of a device: one retained message with all its tags as entities.
 *
 *   <prefix>/device/wp_<gateway>_<device>/config     {"device":{...},"origin":{...},"components":{...}}
 *
 * Facts: Home Assistant, "MQTT discovery", device discovery payload; topics allow letters, digits, _ and -. Pure.
 */
#ifndef WP_PUBLISH_DISCOVERY_H
#define WP_PUBLISH_DISCOVERY_H

#include "bus/bus_settings.h"
#include "core/buf.h"

/* Appends the topic. */
void discovery_topic(const char *prefix, const char *gateway_id, const struct device_settings *d, struct buf *out);

/* Appends the payload. Tags that `before` (NULL: nothing) had and this device has not are taken back. */
void document_discovery(const char *gateway_id, const struct device_settings *d, const struct device_settings *before,
                        struct buf *out);

#endif
