/*
 * state - what publish knows of each device and tag. Private to publish/.
 */
#ifndef WP_PUBLISH_STATE_H
#define WP_PUBLISH_STATE_H

#include "core/buf.h"
#include "publish/publish.h"

struct expression;

struct tag_state {
    const struct tag_settings *settings;
    struct value value;         /* last good one; VALUE_NONE before the first and while bad */
    char *text;                 /* of that value: room in `texts` for the longest */
    char *told_text;            /* of `told`, the same */
    struct reason bad;          /* why there is no value; REASON_NONE while there is one */
    struct reason last_failure; /* since the last good reading */
    int64_t ts_ms;              /* clock_boot_ms() of the last good reading */
    int64_t good_ms;            /* monotonic time of the last good reading, or of the start */
    bool known;                 /* a value or its absence has been published */
    bool fresh;                 /* `value` was read after `told` was published */
    struct value told;          /* as last published; VALUE_NONE for its absence */
    int64_t told_ms;            /* monotonic time of that */
};

enum availability { AVAILABILITY_UNKNOWN, AVAILABILITY_ONLINE, AVAILABILITY_OFFLINE };

struct device_publish {
    const struct bus_settings *bus;
    const struct device_settings *settings;
    struct tag_state *tags;          /* device_all_tags() of them */
    struct expression **expressions; /* of those that are computed */
    enum availability availability;
    struct reason silence; /* why the last thing asked had no answer; REASON_NONE when it had one */
    int64_t answer_ms;     /* monotonic time of the last answer of any kind, or of the start */
    int64_t overdue_ms;    /* offline after so long without an answer: the smallest stale_after */
    int64_t status_ms;     /* monotonic time of the last status message */
    struct health health;  /* as in the last batch */
    uint64_t seq;          /* of the next json message */
    bool taken_over;       /* by a device of the same name on another bus: this one says nothing more */
    bool goes_on;          /* it has taken over another, and its numbers */
};

/* The devices of one bus, and their memory. */
struct bus_publish {
    const struct bus_settings *settings;
    struct device_publish *devices; /* settings->device_count of them */
    struct tag_state *tags;         /* of all of them */
    size_t tag_count;
    char *texts; /* of all tags */
};

struct publish {
    char *gateway_id;
    const struct stamp_clock *clock;
    int64_t started_ms;     /* clock_boot_ms() */
    char *discovery_prefix; /* NULL: no discovery */
    publish_emit_fn *emit;
    void *arg;
    struct bus_publish **buses; /* by number; NULL: no such bus */
    size_t bus_room;
    uint32_t *shown;    /* scratch: the tags of one json message... */
    size_t shown_room;  /* ...as many as any device has */
    struct buf topic;   /* scratch */
    struct buf payload; /* scratch */
    struct publish_stats stats;
};

/* publish.c: sends what is in the scratch buffers, retained, and clears them. */
void publish_emit(struct publish *p, uint8_t qos);

/* publish.c: "wp/<gw>/d/<device>/<name>" into the scratch topic. */
void publish_topic_of_device(struct publish *p, const struct device_publish *d, const char *name);
void publish_topic_of_tag(struct publish *p, const struct device_publish *d, const struct tag_state *tag);

/* discovery.c: announces a device to Home Assistant, if it is to be; `before` (NULL: none) is what was announced
 * of it until now. */
void discovery_announce(struct publish *p, const struct device_settings *d, const struct device_settings *before);
void discovery_withdraw(struct publish *p, const struct device_settings *d);

/* The documents: each appends one JSON value to `out`. */
void document_info(const struct publish *p, struct buf *out);
void document_clock(const struct stamp_clock *clock, struct buf *out);
void document_devices(const struct publish *p, struct buf *out);
void document_status(const struct stamp_clock *clock, const struct health *h, struct buf *out);

/* One json message of a device: the `count` tags at `tags` (indexes). */
void document_json(const struct stamp_clock *clock, const struct device_publish *d, const uint32_t *tags, size_t count,
                   int64_t ts_ms, struct buf *out);

#endif
