/*
 * schema - options as table rows, and the one function that reads a mapping
 * by them. Man pages and conf/wirepost.yaml say what the rows say.
 *
 * A section is the options of one mapping. Reading writes what is given and
 * leaves the rest: reading a bus, then a template, then a device into the same
 * struct is inheritance.
 */
#ifndef WP_CONFIG_SCHEMA_H
#define WP_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/report.h"
#include "config/text.h"
#include "config/tree.h"

enum option_type {
    OPT_BOOL,     /* bool: true or false, nothing else */
    OPT_INT,      /* an integer of any size: decimal or 0x hexadecimal */
    OPT_FLOAT,    /* double */
    OPT_DEADBAND, /* struct deadband */
    OPT_BYTES,    /* struct str: `min` to `max` bytes, see bytes.h */
    OPT_DURATION, /* an integer of any size: milliseconds / unit */
    OPT_SIZE,     /* an integer of any size: bytes */
    OPT_ENUM,     /* an int or uint8_t, by `choices` */
    OPT_STRING,   /* const char *: text of `min` to `max` bytes */
    OPT_NAME,     /* const char *: text_is_name() */
    OPT_HOST,     /* const char *: text_is_host() */
    OPT_ADDRESS,  /* const char *: IPv4 or IPv6 address */
    OPT_PATH,     /* const char *: made absolute from the file's directory */
    OPT_SECTION,  /* a mapping, read by `section` into the struct at `offset` */
    OPT_SHARED,   /* no key: the options of `section`, here, into the struct at `offset` */
    OPT_LIST,     /* const struct node *: mappings, for the caller to read by `section` */
    OPT_TEXTS,    /* const struct node *: a list of strings */
    OPT_ANY,      /* const struct node *: whatever it is, for the caller to read */
    OPT_MAP,      /* const struct node *: a mapping with keys of the user's own */
};

struct schema_choice {
    const char *name; /* NULL ends the list */
    int value;
};

struct schema_option {
    const char *name; /* NULL ends the table, except for OPT_SHARED */
    enum option_type type;
    bool required;     /* not in a SHARED section */
    unsigned kinds;    /* of the section's kinds, those that have this option; 0 = all */
    const char *where; /* which those are, in words: "in conf.d files" */
    int64_t min, max;
    int64_t unit; /* of a duration as it is stored; 0 = 1 ms */
    const struct schema_choice *choices;
    const struct schema_section *section;
    size_t offset, size;
    const char *preset; /* the value when it is not given, as one would write it */
    const char *help;
};

struct schema_section {
    const char *what; /* "a tag" */
    const struct schema_option *options;
};

/* In a row: where the value goes. Without it a value is checked and not kept. */
#define INTO(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* What reading needs besides the table. Strings go to `arena`. */
struct schema_context {
    struct report *report;
    struct arena *arena;
    bool failed; /* out of memory */
};

/* Sets every option that has a preset. `kind` as in schema_read(). */
void schema_preset(struct schema_context *ctx, const struct schema_section *section, unsigned kind, void *target);

/* Reads the keys of `mapping` into `target`; what is wrong is reported and its field left alone. `kind` says
 * which kinds of section this is, bits of option.kinds; 0 where there are no kinds. An empty value is an empty mapping.
 */
void schema_read(struct schema_context *ctx, const struct schema_section *section, unsigned kind,
                 const struct node *mapping, void *target);

/* Reports required options that are in neither mapping; `base` may be NULL. */
void schema_require(struct schema_context *ctx, const struct schema_section *section, unsigned kind,
                    const struct node *mapping, const struct node *base);

#endif
