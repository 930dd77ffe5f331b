/*
 * acl_lines - reads the ACL files that mosquitto has, as they are.
 *
 *   topic read news/#          before the first `user`: for clients without a user name
 *   user anna
 *   topic readwrite home/anna/#
 *   topic deny home/anna/safe
 *   pattern write clients/%c   for every client, whichever user stands above
 *
 * Access is read, write, readwrite or deny; readwrite when it is not said. What a user's own lines say of a topic goes
 * before what patterns say. Any thread.
 */
#ifndef WP_ACCESS_ACL_LINES_H
#define WP_ACCESS_ACL_LINES_H

#include <stdbool.h>

#include "core/str.h"

struct acl;
struct arena;
struct findings;

/* Whether a file is such a one: its first word is user, topic or pattern, with a blank behind it. */
bool acl_is_lines(struct str text);

/* Lives in `arena`. 0; -EINVAL: what is wrong is among the findings; or -ENOMEM. */
int acl_parse_lines(struct arena *arena, struct str text, struct findings *findings, struct acl **ret_acl);

#endif
