/* standing - see standing.h. */
#include "core/standing.h"

#include <stdio.h>

const char *device_state_name(enum device_state state)
{
    static const char *const names[] = {
        [DEVICE_STARTING] = "starting", [DEVICE_UP] = "up",
        [DEVICE_SLOW] = "slow",         [DEVICE_QUARANTINED] = "quarantined",
        [DEVICE_DISABLED] = "disabled",
    };

    return names[state];
}

const char *setup_state_name(enum setup_state state)
{
    static const char *const names[] = {
        [SETUP_NONE] = "none", [SETUP_PENDING] = "pending", [SETUP_DONE] = "done", [SETUP_FAILED] = "failed"};

    return names[state];
}

void standing_write_exceptions(struct json *j, const struct line_faults *f)
{
    char code[8];

    json_object_begin(j);
    for (unsigned i = 0; i < EXCEPTION_CODES; i++) {
        if (f->exceptions[i] == 0)
            continue;
        snprintf(code, sizeof(code), "%u", i);
        json_key(j, i > 0 ? code : "other");
        json_uint(j, f->exceptions[i]);
    }
    json_object_end(j);
}

static void write_tenths(struct json *j, const char *name, uint16_t tenths)
{
    char text[16];

    snprintf(text, sizeof(text), "%u.%u", tenths / 10, tenths % 10);
    json_key(j, name);
    json_raw(j, text);
}

void standing_write_latency(struct json *j, const struct latency *l)
{
    if (l->max == 0) {
        json_null(j);
        return;
    }
    json_object_begin(j);
    write_tenths(j, "p50", l->p50);
    write_tenths(j, "p95", l->p95);
    write_tenths(j, "max", l->max);
    json_object_end(j);
}

void standing_write_error(struct json *j, const struct last_error *e, const char *device)
{
    if (e->ts_ms == 0) {
        json_null(j);
        return;
    }
    json_object_begin(j);
    if (device) {
        json_key(j, "device");
        json_text(j, device);
    }
    json_key(j, "text");
    json_text(j, e->text);
    json_key(j, "ts");
    json_int(j, e->ts_ms);
    json_object_end(j);
}
