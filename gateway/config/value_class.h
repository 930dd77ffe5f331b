/*
 * value_class - Home Assistant's names for what a value is (device_class), and the
 * units each comes in. Pure, any thread.
 */
#ifndef WP_CONFIG_VALUE_CLASS_H
#define WP_CONFIG_VALUE_CLASS_H

#include <stdbool.h>

#include "config/near.h"

/* What may have a class: the kinds are bits. */
enum { CLASS_OF_NUMBER = 1, CLASS_OF_BOOL = 2, CLASS_OF_WORDS = 4, CLASS_OF_TEXT = 8, CLASS_OF_SWITCH = 16 };

struct value_class {
    const char *name;
    unsigned kinds;
    const char *units;     /* separated by blanks, the usual one first, "-" none; NULL: any */
    const char *unit_says; /* those of the units from which the class follows; NULL: none */
    bool counted;          /* its state_class is total_increasing, or total */
};

/* NULL when there is no such class; the nearest are offered to `near` unless that is NULL. */
const struct value_class *value_class_find(const char *name, struct near *near);

/* The class of numbers with this unit when only one makes sense; else NULL. */
const struct value_class *value_class_of_unit(const char *unit);

/* Whether values of the class may have this unit, spelt with symbols or plain. */
bool value_class_has_unit(const struct value_class *class, const char *unit);

#endif
