/*
 * permit - what one client may do: an ACL seen from a user name and a client id.
 *
 *   permit -> sets of the user, of everyone     shared by all clients
 *         `-> own rules: those with %u and %c, with his name and id in their place
 *
 * A name or id with '+', '#' or '/' in it, that begins with '$' or is empty, cannot stand in a pattern: a rule that
 * would allow something to it allows nothing, one that would deny denies the whole level and what is below.
 *
 * A subscription is refused when a rule that denies reading covers its filter, or when no rule lets any of its topics
 * be read. Otherwise it is granted though wider than what may be read: each message is judged on its way to the
 * client. Rules that say `subscribe`, where there are any, further demand that one of them covers the filter.
 *
 * Loop thread only.
 */
#ifndef WP_ACCESS_PERMIT_H
#define WP_ACCESS_PERMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "access/acl.h"
#include "core/str.h"

struct permit;

/* Copies both; user: NULL data for nobody. NULL when out of memory. Everything is allowed until permit_follow(). */
struct permit *permit_new(struct str user, struct str client_id);

/* Accepts NULL. */
void permit_free(struct permit *p);

/* NULL data: nobody. */
struct str permit_user(const struct permit *p);

/* What it follows; NULL: nothing. */
struct acl *permit_acl(const struct permit *p);

/* From now on this ACL holds, borrowed until the next one; NULL: everything is allowed. -ENOMEM: nothing is. */
int permit_follow(struct permit *p, struct acl *acl);

/* Whether it may be ACL_READ or ACL_WRITE. `message`: the same number only while the same topic is asked about, 0: not
 * known. */
bool permit_may(struct permit *p, uint8_t access, struct str topic, uint64_t message);

/* filter: without $share/NAME/. */
bool permit_may_subscribe(const struct permit *p, struct str filter);

#endif
