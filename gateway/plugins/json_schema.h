/*
 * json_schema - whether JSON is as a schema says: the part of JSON Schema that messages need.
 *
 *   type required properties additionalProperties minimum maximum exclusiveMinimum exclusiveMaximum
 *   enum minLength maxLength items minItems maxItems
 *
 * A schema with any other keyword is refused: what is not looked at must not look as if it were.
 */
#ifndef WP_PLUGINS_JSON_SCHEMA_H
#define WP_PLUGINS_JSON_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

enum { SCHEMA_WHY = 240 };

/* What is wrong, and where: "position.x: must be a number". */
struct schema_why {
    char text[SCHEMA_WHY];
};

/* Whether the schema itself is sound. */
bool schema_check(const cJSON *schema, struct schema_why *ret_why);

/* A key that stands twice in an object has to be right each time: readers differ in which they take. */
bool schema_matches(const cJSON *schema, const cJSON *value, struct schema_why *ret_why);

#endif
