/* setup - see setup.h. */
#include "bus/setup.h"

#include <errno.h>
#include <stdio.h>

#include "bus/carry.h"
#include "bus/poller.h"
#include "core/clock.h"
#include "core/log.h"

enum { PATIENCE_MS = 5000 }; /* repeats of one write begin within this time */

void setup_want(struct polled_device *d)
{
    if (d->device.settings->setup_count == 0)
        return;
    d->setup_next = 0;
    d->health.shown.setup = SETUP_PENDING;
}

static int write_one(struct poller *p, struct polled_device *d, const struct setup_settings *s, uint8_t *ret_exception)
{
    struct write_item item = {
        .index = s->index, .is_action = s->is_action, .text = str_of(s->value ? s->value : ""), .verify = s->verify};
    struct command c = {.kind = COMMAND_WRITE,
                        .expires_ms = clock_mono_ms() + PATIENCE_MS,
                        .write = {.device = (uint32_t)(d - p->devices), .items = &item, .count = 1}};
    int r = carry_write(p, &c);

    *ret_exception = c.exception;
    return r;
}

static void note_failure(struct poller *p, struct polled_device *d, const struct setup_settings *s, int error,
                         uint8_t exception)
{
    struct last_error *e = &d->health.shown.error;
    char reason[32] = "another value is read back";

    if (error == -EREMOTEIO)
        snprintf(reason, sizeof(reason), "exception:%u", exception);
    else if (error != -EUCLEAN)
        snprintf(reason, sizeof(reason), "%s", "bad answer");
    e->ts_ms = clock_wall_ms();
    snprintf(e->text, sizeof(e->text), "setup of %.16s: %s", s->name, reason);
    d->health.shown.setup = SETUP_FAILED;
    log_warning("%s/%s: setup of %s failed (%s), polling it all the same", p->settings->name, d->device.settings->name,
                s->name, reason);
}

static bool is_silence(int r)
{
    return r == -ETIMEDOUT || r == -ENODEV || r == -ECANCELED || r == -EBADMSG || r == -EHOSTDOWN;
}

/* Until one is not answered; true when none is left. */
static bool write_all(struct poller *p, struct polled_device *d)
{
    const struct device_settings *s = d->device.settings;

    while (d->setup_next < s->setup_count) {
        const struct setup_settings *item = &s->setup[d->setup_next];
        uint8_t exception;
        int r = write_one(p, d, item, &exception);

        if (is_silence(r))
            return false;
        d->setup_next++;
        if (r < 0)
            note_failure(p, d, item, r, exception);
    }
    return true;
}

bool setup_before_poll(struct poller *p, struct polled_device *d)
{
    const struct device_settings *s = d->device.settings;

    if (d->setup_next >= s->setup_count || health_is_quarantined(&d->health))
        return true;
    if (write_all(p, d) && d->health.shown.setup == SETUP_PENDING) {
        d->health.shown.setup = SETUP_DONE;
        log_info("%s/%s: set up", p->settings->name, s->name);
    }
    return !p->stopping && link_fd(p->link) >= 0;
}
