/*
 * rule - when the value that a tag has goes out. Pure, private to publish/.
 *
 *   a good reading beyond the deadband, or any  ->  min_interval after the last message: "held" until then
 *   with publish_on: always
 *   any other                                   ->  max_interval after it, if there is one and the tag's
 *                                                   latest read did not fail
 *
 * Turning bad and turning good again are not asked about here: they go out at once.
 */
#ifndef WP_PUBLISH_RULE_H
#define WP_PUBLISH_RULE_H

#include "publish/state.h"

/* Monotonic time from which the tag's value is to be published; INT64_MAX when only another reading can tell. */
int64_t rule_due(const struct tag_state *tag);

/* Whether a message about other tags may repeat this one's value: not when it is held, nor when it
 * differs from what was published. */
bool rule_shows(const struct tag_state *tag);

#endif
