/*
 * mount - topics of clients whose listener puts a prefix in front of them.
 *
 *   client "pump/on"  <->  broker "plant1/pump/on"        mount: plant1/
 *
 * Names and filters get the prefix on their way in, names lose it on their
 * way out; "$SYS/..." is the same for everybody. Response topics are payload
 * here: two clients with the same mount understand each other. Pure.
 */
#ifndef WP_BROKER_MOUNT_H
#define WP_BROKER_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

struct buf;

/* A topic name, or a filter, with the prefix; built in `scratch` or the same. A shared subscription's filter gets it
 * behind "$share/NAME/". 0; -ENAMETOOLONG: longer than MQTT allows; -ENOMEM. */
int mount_name(const char *mount, struct str name, struct buf *scratch, struct str *ret_name);
int mount_filter(const char *mount, struct str filter, struct buf *scratch, struct str *ret_filter);

/* Without the prefix. False when it does not begin with it: it is not for those who have this mount. */
bool mount_strip(const char *mount, struct str name, struct str *ret_name);

/* Another number: another mount. 0: NULL, none. */
uint32_t mount_mark(const char *mount, uint64_t seed);

#endif
