/*
 * request - what a message to a `set` topic asks for. Pure.
 *
 *   wp/<gw>/d/<device>/v/<tag>/set        the value, as the tag shows it
 *   wp/<gw>/d/<device>/action/<name>/set  anything
 *   wp/<gw>/d/<device>/set                {"id": "a7", "v": {"level": 3.5}, "expires_ms": 3000, "verify": true}
 *
 * Whether the device has such tags, and may have such values, is not known here.
 */
#ifndef WP_WRITE_REQUEST_H
#define WP_WRITE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct arena;

enum { REQUEST_ID_MAX = 128, REQUEST_ITEMS_MAX = 64, REQUEST_PAYLOAD_MAX = 65536, REQUEST_EXPIRY_MAX_MS = 3600000 };

struct request_item {
    struct str name;
    struct str text;  /* the value, as a reading would show it; "" when it cannot be one */
    struct str given; /* as it was given, as JSON */
    bool is_value;    /* not null, a list or a mapping */
};

struct write_request {
    struct str device; /* borrowed from the topic */
    bool is_action;    /* the one item names an action */
    bool has_id;
    struct str id; /* as JSON: a string or a whole number */
    struct request_item *items;
    size_t count;
    int64_t expires_ms; /* from now on; -1: not said */
    int verify;         /* -1: not said */
};

/* Copies to `arena`. 0; -ENOENT: not a topic of this gateway to write to, or its names are empty; -EBADMSG: not a
 * request, of which device and id are there if they could be read; -ENOMEM. */
int request_parse(const char *gateway_id, struct str topic, struct str payload, struct arena *arena,
                  struct write_request *ret_request);

/* Whether an answer may go to this response topic. Not to what the gateway itself says or listens to: an answer
 * would be taken for a reading, or for the next request. wp/<gw>/response/... is for answers. */
bool request_may_answer_on(const char *gateway_id, struct str topic);

#endif
