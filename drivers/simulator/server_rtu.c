/*
 * server_rtu - a serial line that is a pty, linked where the bus looks for its port.
 *
 *   bus --> port.device -> /dev/pts/N <-- slave side | master side --> responder
 *
 * With `pace` bytes take the time a real line would need, in both directions.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/log.h"
#include "drivers/simulator/rtu_request.h"
#include "drivers/simulator/server.h"

enum { FRAME_GAP_US = 20000, SHORTEST_REQUEST = 4 };

struct server_line {
    int master;
    int slave; /* kept open so that the line does not hang up between two users */
    int claim; /* holds the name against a second simulator */
    bool linked;
    char pts[64];
    int64_t char_ns; /* 0: as fast as it can */
    int64_t silence_us;
    uint8_t request[RESPONDER_FRAME_MAX];
    size_t len;
};

/* An abstract socket of this name lives exactly as long as its simulator, even one that is killed. */
static int claim_path(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int len = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "wirepost-simulate-%016llx",
                       (unsigned long long)hash_bytes(0, path, strlen(path)));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) < 0) {
        int r = errno == EADDRINUSE ? -EBUSY : -errno;

        close(fd);
        return r;
    }
    return fd;
}

static int make_parents(const char *path)
{
    char part[PATH_MAX];

    if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
        return -ENAMETOOLONG;
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return 0;
}

/* Only a link that leads nowhere, or to a pty of a simulator that is gone, may be replaced. */
static bool is_stale_link(const char *path)
{
    struct stat st;
    char target[PATH_MAX];
    ssize_t len = readlink(path, target, sizeof(target));

    if (len < 0)
        return false;
    return stat(path, &st) < 0 || (len > 9 && memcmp(target, "/dev/pts/", 9) == 0);
}

static int link_pty(struct server_line *line, const char *path)
{
    int r = make_parents(path);

    if (r < 0)
        return r;
    line->claim = claim_path(path);
    if (line->claim < 0)
        return line->claim;
    if (is_stale_link(path))
        unlink(path);
    if (symlink(line->pts, path) < 0)
        return -errno;
    line->linked = true;
    return 0;
}

static int open_pty(struct server_line *line)
{
    struct termios t;

    line->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (line->master < 0 || grantpt(line->master) < 0 || unlockpt(line->master) < 0 ||
        ptsname_r(line->master, line->pts, sizeof(line->pts)) != 0)
        return -errno;
    line->slave = open(line->pts, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (line->slave < 0 || tcgetattr(line->slave, &t) < 0)
        return -errno;
    cfmakeraw(&t);
    return tcsetattr(line->slave, TCSANOW, &t) < 0 ? -errno : 0;
}

static void set_pace(struct server *s)
{
    const struct port_settings *port = &s->settings->port;

    if (!s->pace)
        return;
    s->line->char_ns = port_char_ns(port);
    s->line->silence_us = port_silence_us(port);
}

static int rtu_open(struct server *s)
{
    int r;

    s->line = calloc(1, sizeof(*s->line));
    if (!s->line)
        return -ENOMEM;
    s->line->master = s->line->slave = s->line->claim = -1;
    set_pace(s);
    r = open_pty(s->line);
    if (r == 0)
        r = link_pty(s->line, s->settings->port.device);
    if (r == 0)
        log_info("%s: simulated on %s (%s)", s->settings->name, s->settings->port.device, s->line->pts);
    return r;
}

static void rtu_close(struct server *s)
{
    struct server_line *line = s->line;

    if (!line)
        return;
    if (line->linked)
        unlink(s->settings->port.device);
    if (line->slave >= 0)
        close(line->slave);
    if (line->master >= 0)
        close(line->master);
    if (line->claim >= 0)
        close(line->claim);
    free(line);
}

static void sleep_until(int64_t us)
{
    struct timespec ts = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
        ;
}

/* Bytes that do not fit because nobody reads the line are lost, as on a wire. */
static void send_frame(struct server_line *line, const uint8_t *frame, size_t len, int64_t due_us)
{
    int64_t start_us = due_us + line->silence_us;
    size_t sent = 0;

    if (line->char_ns == 0) {
        if (write(line->master, frame, len) < 0)
            log_debug("simulator: nobody reads the line");
        return;
    }
    while (sent < len) {
        size_t out;

        sleep_until(start_us + (int64_t)(sent + 1) * line->char_ns / 1000);
        out = (size_t)((clock_mono_us() - start_us) * 1000 / line->char_ns);
        if (out > len)
            out = len;
        if (out > sent && write(line->master, frame + sent, out - sent) < 0)
            return;
        sent = out;
    }
}

static void take_request(struct server *s, size_t len, int64_t now_us)
{
    responder_take(s->responder, 0, s->line->request, len, now_us);
    s->line->len = 0;
}

/* A frame ends where silence begins: one of unknown length, or half of one. */
static void end_request(struct server *s)
{
    struct server_line *line = s->line;

    if (rtu_request_len(line->request, line->len) == RTU_REQUEST_UNKNOWN && line->len >= SHORTEST_REQUEST)
        take_request(s, line->len, clock_mono_us());
    line->len = 0;
}

static void take_bytes(struct server *s)
{
    struct server_line *line = s->line;
    size_t before = line->len;
    ssize_t n = read(line->master, line->request + line->len, sizeof(line->request) - line->len);
    size_t want;
    int64_t now_us;

    if (n <= 0)
        return;
    line->len += (size_t)n;
    want = rtu_request_len(line->request, line->len);
    if (want == 0 || line->len < want) /* more is to come, or silence */
        return;
    now_us = clock_mono_us();
    if (line->char_ns > 0) { /* the line is still carrying it */
        now_us += (int64_t)(line->len - before) * line->char_ns / 1000;
        sleep_until(now_us);
    }
    take_request(s, want, now_us);
}

static void rtu_serve(struct server *s)
{
    struct pollfd fds[] = {{.fd = s->stop_fd, .events = POLLIN}, {.fd = s->line->master, .events = POLLIN}};

    while (!fds[0].revents) {
        int64_t next_us = responder_next(s->responder);
        int64_t left_us = next_us - clock_mono_us();
        uint8_t frame[RESPONDER_ANSWER_MAX];
        struct timespec wait = {0};
        size_t len;
        int peer;
        int ready;

        if (s->line->len > 0 && left_us > FRAME_GAP_US)
            left_us = FRAME_GAP_US;
        if (left_us > 0)
            wait = (struct timespec){.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};
        ready = ppoll(fds, 2, next_us == INT64_MAX && s->line->len == 0 ? NULL : &wait, NULL);
        if (fds[1].revents & POLLIN)
            take_bytes(s);
        else if (ready == 0 && left_us == FRAME_GAP_US)
            end_request(s);
        next_us = responder_next(s->responder);
        len = responder_give(s->responder, clock_mono_us(), &peer, frame);
        if (len > 0)
            send_frame(s->line, frame, len, next_us);
    }
}

const struct server_ops server_rtu = {.open = rtu_open, .serve = rtu_serve, .close = rtu_close};
