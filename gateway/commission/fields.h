/*
 * fields - the keys of a request, each read once and checked; what nobody reads is an error.
 */
#ifndef WP_COMMISSION_FIELDS_H
#define WP_COMMISSION_FIELDS_H

#include "commission/job.h"

enum { FIELDS_MAX = 24 };

struct fields {
    const cJSON *request;
    struct job_error *error;
    bool bad; /* the error is set: the rest is not looked at */
    const char *known[FIELDS_MAX];
    size_t known_count;
};

void fields_refuse(struct fields *f, const char *code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The fallback when the key is not there. Numbers are also taken as text, and the other way round into `text`. */
int64_t field_int(struct fields *f, const char *key, int64_t min, int64_t max, int64_t fallback);
/* 'timeout_ms': how long the device may take to answer. NULL: of a unit that is not configured. */
int64_t field_timeout_ms(struct fields *f, const struct device_settings *device);
bool field_bool(struct fields *f, const char *key, bool fallback);
enum { FIELD_TEXT_LEN = 512 };
const char *field_text(struct fields *f, const char *key, const char *fallback, char text[FIELD_TEXT_LEN]);
const cJSON *field_list(struct fields *f, const char *key);

bool field_is_int(const cJSON *v, int64_t *ret_number);

/* One of `words`, which NULL ends; its index. -1 when not there. */
int field_word(struct fields *f, const char *key, const char *const *words);

/* "bus", or "device" and with it the unit: sets *ret_bus, and *ret_device when it is one. */
void fields_place(struct fields *f, const struct job_site *site, const struct bus_settings **ret_bus,
                  const struct device_settings **ret_device);

/* Refuses keys that nobody asked for. */
void fields_end(struct fields *f);

/* "1-10,20": each once, in order. The number of them; 0: wrong. */
size_t fields_ranges(const char *text, int64_t min, int64_t max, uint8_t *ret_numbers, size_t room);

#endif
