/*
 * draft_serial - a bus of type serial as it is written: a part of draft.h.
 *
 *   draft_serial.c   the bus, its template, its one device
 *   draft_frame.c    how frames are told apart: what contradicts what
 *   draft_message.c  patterns and fields, and the tags they make
 *   draft_text.c     what a pattern's texts mean
 */
#ifndef WP_CONFIG_DRAFT_SERIAL_H
#define WP_CONFIG_DRAFT_SERIAL_H

#include <stdint.h>

#include "bus/bus_settings.h"
#include "config/inherited.h"

struct bus_draft;
struct device_draft;
struct tag_draft;
struct loader;
struct node;

/* -1, or no bytes: not given. */
struct frame_draft {
    struct str start;
    struct str end;
    struct str delimiter;
    int32_t length;
    int32_t length_at;
    int32_t length_size;
    int length_little;
    int32_t length_adds;
    int64_t idle_ms;
    int64_t pause_ms;
    int32_t max;
    struct str between;
    int checksum; /* enum checksum_type, or CHECKSUM_NMEA */
    int checksum_hex;
    int checksum_little;
    int checksum_after_end;
    int32_t checksum_from;
    struct str checksum_mark;
};

/* Beside the types: xor of all behind the start, in digits behind a '*'. */
enum { CHECKSUM_NMEA = 100 };

struct contains_draft {
    int32_t at;
    struct str bytes;
};

struct message_draft {
    const struct node *node; /* the bus, the template, or one of `messages` */
    bool list_item;
    const char *match;
    const struct node *fields;
    struct str begins;
    struct contains_draft contains;
    struct str send;
    bool complete;    /* `send` needs its checksum and end */
    int sign_on;      /* enum sign_on */
    int64_t every_ms; /* -1: not given */
};

struct serial_draft {
    const char *device_name;
    const char *template_name;
    const struct node *parameters;    /* for it */
    const struct node *template_root; /* NULL: none */
    int type;                         /* of a template */
    struct about_device about;
    struct frame_draft frame;
    struct message_draft message; /* the only one, unless there are `messages` */
    const struct node *message_list;
    const struct node *tag_list;
    const struct node *template_tag_list;
    struct serial_settings *checked; /* what it comes to */
};

/* Of a tag of a serial device, besides what every tag has. */
struct text_draft {
    bool is_field; /* of a frame: its address is the offset there. Else it is a group of `match` */
    int32_t minus;
    int type;
    const struct node *words;
    const struct node *sentinels;
};

/* Whether the mapping says `type: serial`. */
bool is_serial(const struct node *mapping);

/* The keys of a serial bus, and of its template. */
void draft_serial_bus(struct loader *ld, const struct node *n, struct bus_draft *bus);

/* Its device; `bus` was read before. */
void draft_serial_device(struct loader *ld, const struct bus_draft *bus, struct device_draft *device);

/* Reads a template as if it were a bus by itself, to find what is wrong with it whoever uses it. */
void draft_serial_template(struct loader *ld, const struct node *root, struct device_draft *ret_device);

/* Reports what contradicts itself. `own` is the 'frame' of the bus, `base` that of its template or NULL. */
void draft_frame(struct loader *ld, const struct node *own, const struct node *base, const struct frame_draft *draft,
                 struct frame_settings *ret_frame);

/* What becomes of the text of a group: from the tag's words, sentinels and type. */
void draft_text(struct loader *ld, const struct tag_draft *tag, struct text_form *ret_form);

/* Messages, and the tags of the device. */
void draft_messages(struct loader *ld, const struct bus_draft *bus, struct device_draft *device,
                    struct serial_settings *ret_settings);

#endif
