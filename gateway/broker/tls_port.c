/* tls_port - see tls_port.h. */
#include "broker/tls_port.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker/conn.h"
#include "core/clock.h"
#include "core/log.h"
#include "tls/tls_context.h"
#include "tls/tls_stream.h"

enum {
    SHARE_US = 5000, /* of a turn, for all handshakes; one step may take longer on a small machine */
    MINUTE_MS = 60 * 1000,
    DAY_MS = 24 * 60 * MINUTE_MS,
    WARN_DAYS = 14, /* before a certificate is no longer valid */
};

/* ---- loading ---- */

static int load(const struct listener_settings *l, struct tls_context **ret_context)
{
    struct buf problem = {0};
    int r = tls_context_new_server(l->tls, &problem, ret_context);

    if (r < 0)
        log_error("broker: %s port %u: " STR_FMT, l->bind, l->port, STR_ARG(buf_str(&problem)));
    buf_fini(&problem);
    return r;
}

int certificates_load(const struct broker_settings *settings, struct certificates *ret_certificates)
{
    struct certificates c = {.contexts = calloc(settings->listener_count + 1, sizeof(struct tls_context *))};

    if (!c.contexts)
        return -ENOMEM;
    for (; c.count < settings->listener_count; c.count++) {
        const struct listener_settings *l = &settings->listeners[c.count];
        int r = l->tls ? load(l, &c.contexts[c.count]) : 0;

        if (r < 0) {
            certificates_fini(&c);
            return r;
        }
    }
    *ret_certificates = c;
    return 0;
}

void certificates_fini(struct certificates *c)
{
    for (size_t i = 0; i < c->count; i++)
        tls_context_free(c->contexts[i]);
    free(c->contexts);
    *c = (struct certificates){0};
}

/* ---- how long they are good ---- */

static void print_day(int64_t ms, char text[16])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) || strftime(text, 16, "%Y-%m-%d", &tm) == 0)
        text[0] = '\0';
}

static void look_at_expiry(const struct tls_file *file, int64_t now_ms)
{
    int64_t left_ms = file->expires_ms - now_ms;
    char day[16];

    if (left_ms > (int64_t)WARN_DAYS * DAY_MS)
        return;
    print_day(file->expires_ms, day);
    if (left_ms <= 0)
        log_warning("broker: %s: not valid any more since %s, TLS connections will fail", file->path, day);
    else
        log_warning("broker: %s: valid for %" PRId64 " more days only, until %s", file->path, left_ms / DAY_MS, day);
}

/* While the clock cannot be trusted nothing can be said. */
static void look_at_expiries(struct tls_port *p)
{
    int64_t now_ms = clock_steady_ms();
    size_t count;
    const struct tls_file *files = tls_context_files(p->context, &count);

    for (size_t i = 0; now_ms > 0 && i < count; i++)
        look_at_expiry(&files[i], now_ms);
    loop_timer_start(p->broker->loop, &p->daily, now_ms > 0 ? DAY_MS : MINUTE_MS);
}

/* Who has recorded sessions should not be able to read more than a day of them by one key. */
static void on_daily(void *arg)
{
    struct tls_port *p = arg;

    if (tls_context_renew_tickets(p->context) < 0)
        log_warning("broker: no new keys for TLS session tickets, going on with the old ones");
    look_at_expiries(p);
}

/* ---- a port ---- */

void tls_port_use(struct tls_port *p, struct broker *b, const struct tls_server_settings *settings,
                  struct tls_context *context)
{
    struct tls_context *before = p->context;

    p->broker = b;
    p->settings = settings;
    if (before && tls_context_equal(before, context)) {
        tls_context_free(context);
        return;
    }
    p->context = context;
    tls_context_free(before);
    if (before)
        log_info("broker: %s: new certificates or rules of TLS, for those who connect from now on", settings->cert);
    else
        timer_init(&p->daily, on_daily, p);
    look_at_expiries(p);
}

void tls_port_fini(struct tls_port *p)
{
    if (!p->context)
        return;
    loop_timer_stop(p->broker->loop, &p->daily);
    tls_context_free(p->context);
    p->context = NULL;
}

/* ---- handshakes ---- */

bool tls_share_left(const struct tls_share *s)
{
    return !s->waiting && s->spent_us < SHARE_US;
}

void tls_share_renew(struct tls_share *s)
{
    s->waiting = s->spent_us >= SHARE_US;
    s->spent_us = 0;
}

int tls_port_handshake(struct tls_share *share, struct tls_stream *s)
{
    int64_t began_us;
    int r;

    if (share->spent_us >= SHARE_US)
        return -EBUSY;
    began_us = clock_mono_us();
    r = tls_stream_handshake(s);
    share->spent_us += clock_mono_us() - began_us;
    return r;
}

/* One that the peer ends is how others look whether somebody listens. */
void tls_port_refuse(const struct conn *c, const struct tls_stream *s, int error)
{
    c->broker->stats.tls_failed++;
    if (error != -ECONNRESET)
        log_info("broker: %s: no TLS session (%s)", c->peer, tls_stream_error(s));
}

static void count(const struct conn *c, const struct tls_stream *s)
{
    struct broker_stats *stats = &c->broker->stats;
    struct tls_stream_facts facts;

    tls_stream_get_facts(s, &facts);
    stats->tls_sessions++;
    stats->tls_resumed += facts.resumed;
    log_debug("broker: %s: %s, %s, %s (%" PRIu64 " of %" PRIu64 " TLS sessions were resumed)", c->peer, facts.version,
              facts.cipher, facts.resumed ? "resumed" : "new session", stats->tls_resumed, stats->tls_sessions);
}

bool tls_port_welcome(struct tls_port *p, const struct tls_stream *s, struct conn *c)
{
    struct buf name = {0};
    int r;

    count(c, s);
    if (p->settings->username_from == TLS_USER_NAME_NONE)
        return true;
    r = tls_stream_user_name(s, (enum tls_user_name)p->settings->username_from, &name);
    if (r == 0)
        r = broker_conn_certify(c, buf_str(&name));
    if (r == 0)
        log_debug("broker: %s: user '%s' by certificate", c->peer, c->user);
    buf_fini(&name);
    if (r == 0 || r == -ENOENT)
        return true;
    log_info("broker: %s: connection refused (%s)", c->peer,
             r == -ENOMEM ? "out of memory" : "its certificate holds no user name, or several");
    return false;
}
