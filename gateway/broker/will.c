/* will - see will.h. */
#include "broker/will.h"

#include <stdlib.h>

#include "broker/broker_internal.h"
#include "broker/guard.h"
#include "core/clock.h"

struct will {
    struct session *session;
    struct message *m;
    struct timer timer;
    uint32_t delay_s;
    int64_t expiry_s; /* -1: none */
};

static void on_delay(void *arg)
{
    struct will *w = arg;

    will_publish(w->session);
}

struct will *will_new(struct session *s, struct message *m, uint32_t delay_s, int64_t expiry_s)
{
    struct will *w = malloc(sizeof(*w));

    if (!w) {
        message_unref(m);
        return NULL;
    }
    *w = (struct will){.session = s, .m = m, .delay_s = delay_s, .expiry_s = expiry_s};
    timer_init(&w->timer, on_delay, w);
    return w;
}

void will_free(struct will *w)
{
    if (!w)
        return;
    loop_timer_stop(w->session->broker->loop, &w->timer);
    message_unref(w->m);
    free(w);
}

void will_start(struct session *s)
{
    if (s->will->delay_s == 0)
        will_publish(s);
    else
        loop_timer_start(s->broker->loop, &s->will->timer, (int64_t)s->will->delay_s * 1000);
}

void will_publish(struct session *s)
{
    struct will *w = s->will;

    s->will = NULL;
    if (w->expiry_s >= 0)
        w->m->expires_ms = clock_run_ms() + w->expiry_s * 1000;
    if (guard_may_write(s, w->m->topic)) /* the rules may be others by now */
        broker_publish(s->broker, w->m);
    will_free(w);
}
