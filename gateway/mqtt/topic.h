/*
 * topic - the grammar of topic names and filters (MQTT 5.0, 4.7 and 4.8). Pure, any thread.
 */
#ifndef WP_MQTT_TOPIC_H
#define WP_MQTT_TOPIC_H

#include <stdbool.h>

#include "core/str.h"

/* 4.7: at least one character, no wildcard, no U+0000. UTF-8 is checked by decoding. */
bool topic_name_valid(struct str name);

/* 4.7.1, and 4.8.2 for "$share/NAME/FILTER": '#' last and alone in its level, '+' alone in its level. */
bool topic_filter_valid(struct str filter);

/* 4.8.2: whether it begins as a shared subscription's filter, valid or not. */
bool topic_filter_is_shared(struct str filter);

/* 4.8.2: true for "$share/NAME/FILTER"; gives both parts, borrowed. */
bool topic_filter_shared(struct str filter, struct str *ret_name, struct str *ret_filter);

/* 4.7: whether a name matches a filter. A leading wildcard does not match "$...". */
bool topic_matches(struct str filter, struct str name);

/* Takes the next level off `rest`. False when there is none left; "a/" has two levels, the second empty.
 * Begin with *more = true. */
bool topic_next_level(struct str *rest, bool *more, struct str *ret_level);

#endif
