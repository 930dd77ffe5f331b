/*
 * value_json - a reading's value as JSON. Any thread.
 */
#ifndef WP_CORE_VALUE_JSON_H
#define WP_CORE_VALUE_JSON_H

#include "core/json.h"
#include "core/reading.h"

/* null for VALUE_NONE. Whole numbers beyond 2^53 become strings: most readers of JSON take numbers as doubles. */
void json_value(struct json *j, const struct value *v);

#endif
