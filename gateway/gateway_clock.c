/*
 * gateway_clock - whether the time is known, and what follows once it is.
 *
 * Samples are timed from the boot on. While the wall clock is not trusted their messages carry that time; once it is,
 * the time of the boot is published, kept on disk for what is still owed to an upstream, and used for all that follows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/settings.h"
#include "core/clock.h"
#include "core/trust.h"
#include "gateway_stages.h"
#include "loop.h"
#include "publish/publish.h"
#include "queue/boots.h"

enum { LOOK_MS = 1000 };

/* A kernel without one is as good as one boot for ever: no time is promised across boots then. */
static void read_boot_id(char id[STAMP_BOOT_LEN + 1])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, id, STAMP_BOOT_LEN);

    if (len != STAMP_BOOT_LEN)
        snprintf(id, STAMP_BOOT_LEN + 1, "00000000-0000-0000-0000-000000000000");
    if (fd >= 0)
        close(fd);
}

/* When the store was written last. */
static int64_t last_written_ms(const char *data_dir)
{
    static const char *const names[] = {"wirepost.db", "wirepost.db-wal"};
    int64_t last_ms = 0;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct stat st;
        char *path;

        if (asprintf(&path, "%s/%s", data_dir, names[i]) < 0)
            continue;
        if (stat(path, &st) == 0 && (int64_t)st.st_mtime * 1000 > last_ms)
            last_ms = (int64_t)st.st_mtime * 1000;
        free(path);
    }
    return last_ms;
}

static bool is_trusted(const struct gateway *gw)
{
    int64_t wall_ms = clock_wall_ms();
    struct trust_facts facts = {.wall_ms = wall_ms, .floor_ms = gw->clock_floor_ms};

    facts.stepped_ms = wall_ms - clock_boot_ms() - gw->clock_began_ms;
    trust_look(&facts);
    return gw->settings->gateway.clock_trust == CLOCK_TRUST_ALWAYS || trust_judge(&facts);
}

void gateway_read_clock(struct gateway *gw)
{
    gw->clock.now.began_ms = clock_wall_ms() - clock_boot_ms();
}

static void trust(struct gateway *gw)
{
    gw->clock.trusted = true;
    gateway_read_clock(gw);
    clock_set_trusted(true);
    if (gw->store)
        boots_save(gw->store, &gw->clock.now);
}

static void look(void *arg)
{
    struct gateway *gw = arg;

    if (!is_trusted(gw)) {
        loop_timer_start(gw->loop, &gw->clock_timer, LOOK_MS);
        return;
    }
    trust(gw);
    log_info("gateway: the clock is trusted now, samples get their time");
    if (gw->publish)
        publish_clock(gw->publish);
    gateway_begin_states(gw);
}

void gateway_begin_clock(struct gateway *gw)
{
    read_boot_id(gw->clock.now.id);
    gw->clock_floor_ms = last_written_ms(gw->settings->gateway.data_dir);
    gw->clock_began_ms = clock_run_ms() - clock_boot_ms();
    timer_init(&gw->clock_timer, look, gw);
    gw->clock.trusted = is_trusted(gw);
    if (gw->clock.trusted)
        return;
    clock_set_trusted(false);
    log_warning("gateway: the clock may be wrong, samples carry the time since the boot until it is set");
}

void gateway_start_clock(struct gateway *gw)
{
    int r = gw->store ? boots_load(gw->store, &gw->clock.earlier, &gw->clock.earlier_count) : 0;

    if (r < 0)
        log_warning("store: cannot read the times of earlier boots (%s)", strerror(-r));
    if (gw->clock.trusted)
        trust(gw);
    else
        loop_timer_start(gw->loop, &gw->clock_timer, LOOK_MS);
}
