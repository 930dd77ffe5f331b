/*
 * serial_text - what a text in a frame means: a number, text, a word for it, or an angle. Pure.
 */
#ifndef WP_DRIVERS_SERIAL_TEXT_H
#define WP_DRIVERS_SERIAL_TEXT_H

#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/reading.h"

/* The reading of a tag from its text, which is borrowed: a value of text points into it, or into the settings. */
struct reading text_decode(const struct tag_settings *tag, const struct text_form *form, uint32_t index,
                           struct str text);

#endif
