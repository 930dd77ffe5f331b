/*
 * options_serial - the tables of serial buses.
 */
#ifndef WP_CONFIG_OPTIONS_SERIAL_H
#define WP_CONFIG_OPTIONS_SERIAL_H

#include "config/schema.h"

extern const struct schema_section serial_bus_section;      /* struct bus_draft */
extern const struct schema_section serial_template_section; /* the same */
extern const struct schema_section message_section;         /* struct message_draft */
extern const struct schema_section text_tag_section;        /* struct tag_draft */
extern const struct schema_section field_section;           /* the same */

#endif
