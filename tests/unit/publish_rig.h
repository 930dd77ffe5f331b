/*
 * publish_rig - what publish/ emits, for tests of it.
 */
#ifndef WP_TESTS_PUBLISH_RIG_H
#define WP_TESTS_PUBLISH_RIG_H

#include <string.h>

#include "core/buf.h"
#include "core/str.h"

/* Everything emitted since it was cleared last, one "topic payload" a line. */
static struct buf seen;

/* A publish_emit_fn. All that publish says is retained. */
static void note(void *arg, struct str topic, struct str payload, uint8_t qos, bool retain)
{
    (void)arg;
    (void)qos;
    assert_true(retain);
    buf_printf(&seen, STR_FMT " " STR_FMT "\n", STR_ARG(topic), STR_ARG(payload));
}

static bool saw(const char *part)
{
    bool found;

    buf_put_u8(&seen, 0);
    found = strstr((const char *)buf_data(&seen), part) != NULL;
    buf_truncate(&seen, buf_len(&seen) - 1);
    return found;
}

#endif
