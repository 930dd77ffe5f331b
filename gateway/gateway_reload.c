/*
 * gateway_reload - what other settings change, and in which order.
 *
 *   refuse what needs a restart -> ports, all or none -> log, limits -> bridges -> buses -> say what was done
 *
 * Up to the ports nothing has changed when it fails. From there on nothing fails as a whole: a bus or a bridge that
 * cannot begin says so and keeps no other from it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/broker.h"
#include "config/config.h"
#include "gateway_bridges.h"
#include "gateway_buses.h"
#include "gateway_changes.h"
#include "loop.h"
#include "web/web.h"

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int refuse_what_needs_a_restart(const struct settings *now, const struct settings *wanted)
{
    int r = 0;

    if (!same(now->gateway.id, wanted->gateway.id)) {
        log_error("reload: refused, a change of gateway.id needs a restart");
        r = -EPERM;
    }
    if (!same(now->gateway.data_dir, wanted->gateway.data_dir)) {
        log_error("reload: refused, a change of gateway.data_dir needs a restart");
        r = -EPERM;
    }
    return r;
}

static int change_ports(struct gateway *gw, const struct settings *wanted)
{
    int r = broker_change(gw->broker, &wanted->broker);

    if (r < 0)
        return r;
    r = web_use(gw->web, &wanted->web);
    if (r < 0)
        broker_change(gw->broker, &gw->settings->broker);
    return r;
}

/* What was sent to $SYS once stands there until somebody overwrites it. */
static void change_intervals(struct gateway *gw, const struct settings *before)
{
    if (gw->settings->broker.sys_interval_ms != before->broker.sys_interval_ms)
        gateway_begin_states(gw);
}

static int change(struct gateway *gw, struct settings *wanted)
{
    struct settings *before = gw->settings;
    int r = 0;

    if (wanted->bridge_count > 0 && !gw->store)
        r = gateway_open_store(gw);
    if (r == 0)
        r = change_ports(gw, wanted);
    if (r < 0) {
        log_error("reload: nothing was changed (%s)", strerror(-r));
        return r;
    }
    gw->settings = settings_ref(wanted);
    gw->reloading = true;
    changes_warn(before, wanted);
    changes_print(before, wanted, &gw->reloaded);
    if (wanted->log_level != before->log_level) /* else it may have been set by request since */
        log_set_level(wanted->log_level);
    change_intervals(gw, before);
    gateway_change_bridges(gw);
    if (gw->publish)
        gateway_change_buses(gw);
    settings_free(before);
    gateway_look_at_reload(gw);
    return 0;
}

static bool is_busy(const struct gateway *gw)
{
    return gw->buses_ending > 0 || gw->buses_loading > 0 || gw->bridges_changing > 0;
}

void gateway_begin_next_reload(void *gateway)
{
    gateway_look_at_reload(gateway);
}

void gateway_look_at_reload(struct gateway *gw)
{
    struct settings *next = gw->next;

    if (is_busy(gw) || gw->ending)
        return;
    if (gw->reloading)
        log_info("reload: " STR_FMT, STR_ARG(buf_str(&gw->reloaded)));
    gw->reloading = false;
    buf_clear(&gw->reloaded);
    gw->next = NULL;
    if (next)
        change(gw, next); /* logs what is wrong */
    settings_free(next);
}

int gateway_reload(struct gateway *gw, struct settings *settings)
{
    int r;

    if (gw->ending)
        return -ESHUTDOWN;
    r = refuse_what_needs_a_restart(gw->settings, settings);
    if (r < 0)
        return r;
    if (!is_busy(gw) && !broker_is_routing(gw->broker))
        return change(gw, settings);
    if (is_busy(gw))
        log_info("reload: another one is under way, this one follows it");
    else
        loop_timer_start(gw->loop, &gw->reload_timer, 0);
    settings_free(gw->next);
    gw->next = settings_ref(settings);
    return 0;
}

/* "FILE:3:5: error: what" as a line of the log, whose level says the rest. */
static void log_finding(struct str line)
{
    static const struct {
        const char *mark;
        enum log_level level;
    } kinds[] = {{": error: ", LOG_LEVEL_ERROR}, {": warning: ", LOG_LEVEL_WARNING}};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const char *at = memmem(line.data, line.len, kinds[i].mark, strlen(kinds[i].mark));
        struct str place = {.data = line.data, .len = at ? (size_t)(at - line.data) : 0};
        size_t skipped = place.len + strlen(kinds[i].mark);

        if (!at)
            continue;
        if (kinds[i].level == LOG_LEVEL_ERROR)
            log_error("reload: " STR_FMT ": %.*s", STR_ARG(place), (int)(line.len - skipped), line.data + skipped);
        else
            log_warning("reload: " STR_FMT ": %.*s", STR_ARG(place), (int)(line.len - skipped), line.data + skipped);
        return;
    }
}

static void log_findings(struct str report)
{
    while (report.data && report.len > 0) {
        const char *end = memchr(report.data, '\n', report.len);
        size_t len = end ? (size_t)(end - report.data) : report.len;

        log_finding((struct str){.data = report.data, .len = len});
        len += end ? 1 : 0;
        report.data += len;
        report.len -= len;
    }
}

int gateway_reload_file(struct gateway *gw, struct buf *report)
{
    struct settings *settings = NULL;
    size_t before = buf_len(report);
    int r = config_load(gw->settings->path, report, &settings);

    if (buf_len(report) > before)
        log_findings((struct str){.data = (const char *)buf_data(report) + before, .len = buf_len(report) - before});
    if (r < 0) {
        log_error("reload: nothing was changed, %s cannot be used", gw->settings->path);
        return r;
    }
    r = gateway_reload(gw, settings);
    settings_free(settings);
    return r;
}
