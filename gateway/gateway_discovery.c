/*
 * gateway_discovery - when Home Assistant is told of devices.
 *
 * It says on <prefix>/status that it is online (its birth message, "MQTT integration: birth and last will
 * messages"), and expects to be told again of what there is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/broker.h"
#include "config/settings.h"
#include "core/message.h"
#include "gateway_stages.h"
#include "loop.h"
#include "publish/publish.h"

enum { BIRTH_DELAY_MS = 100 };

/* Not within the callback: the broker is routing the birth message. */
static void announce_again(void *arg)
{
    struct gateway *gw = arg;

    publish_rediscover(gw->publish);
}

static void on_birth(void *arg, struct message *m)
{
    struct gateway *gw = arg;

    if (str_equal(m->payload, str_of("online")))
        loop_timer_start(gw->loop, &gw->birth_timer, BIRTH_DELAY_MS);
}

int gateway_start_discovery(struct gateway *gw)
{
    const char *prefix = gw->settings->gateway.home_assistant_prefix;
    char *filter = NULL;
    int r = publish_use_discovery(gw->publish, prefix);

    if (r < 0)
        return r;
    timer_init(&gw->birth_timer, announce_again, gw);
    if (asprintf(&filter, "%s/status", prefix) < 0)
        return -ENOMEM;
    r = broker_tap_open(gw->broker, filter, on_birth, gw, &gw->birth_tap);
    free(filter);
    return r;
}

void gateway_stop_discovery(struct gateway *gw)
{
    if (!gw->birth_tap)
        return;
    loop_timer_stop(gw->loop, &gw->birth_timer);
    broker_tap_close(gw->birth_tap);
    gw->birth_tap = NULL;
}
