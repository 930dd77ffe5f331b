/* cli_control - a job in the daemon, through its control socket; see cli_session.h and control/server.h. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli_session.h"
#include "core/buf.h"

enum { READ_LEN = 16384, ANSWER_MAX = 4 * 1024 * 1024 };

int control_connect(const char *data_dir)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int len = snprintf(name.sun_path, sizeof(name.sun_path), "%s/control.sock", data_dir);
    int fd;
    int r;

    if (len < 0 || (size_t)len >= sizeof(name.sun_path))
        return -ENOENT; /* the daemon has none either */
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0)
        return fd;
    r = -errno;
    close(fd);
    return r;
}

static int send_line(int fd, const char *text)
{
    struct buf line = {0};
    int r = -ENOMEM;

    buf_printf(&line, "%s\n", text);
    while (!buf_failed(&line) && buf_len(&line) > 0) {
        ssize_t n = write(fd, buf_data(&line), buf_len(&line));

        if (n < 0 && errno != EINTR)
            break;
        if (n > 0)
            buf_consume(&line, (size_t)n);
    }
    if (!buf_failed(&line))
        r = buf_len(&line) == 0 ? 0 : -errno;
    buf_fini(&line);
    return r;
}

static int send_request(int fd, const char *kind, const cJSON *request)
{
    cJSON *whole = cJSON_Duplicate(request, true);
    char *text = NULL;
    int r = -ENOMEM;

    if (whole && cJSON_AddStringToObject(whole, "request", kind))
        text = cJSON_PrintUnformatted(whole);
    if (text)
        r = send_line(fd, text);
    cJSON_free(text);
    cJSON_Delete(whole);
    return r;
}

static void say_failure(const struct session *s, const cJSON *object)
{
    const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "error"));

    session_complain(s, "%s", why ? why : "failed");
}

/* One line; the result when it was the last, else -1. */
static int take_line(struct session *s, struct str line, session_tell_fn *tell, void *arg)
{
    cJSON *object = cJSON_ParseWithLength(line.data, line.len);
    int result = object ? session_result_of(object) : -1;

    if (object)
        tell(arg, object, line);
    if (result == SESSION_FAILED)
        say_failure(s, object);
    cJSON_Delete(object);
    return result;
}

/* Tells whole lines; the result after the last, else -1. */
static int take_lines(struct session *s, struct buf *in, session_tell_fn *tell, void *arg)
{
    int result = -1;

    while (result < 0) {
        struct str all = buf_str(in);
        const char *end = memchr(all.data, '\n', all.len);

        if (!end)
            break;
        result = take_line(s, (struct str){.data = all.data, .len = (size_t)(end - all.data)}, tell, arg);
        buf_consume(in, (size_t)(end - all.data) + 1);
    }
    return result;
}

/* Whether it is worth going on: the first signal asks the daemon to end the job, the second does not wait for that. */
static bool on_signal(struct session *s, bool *cancelling)
{
    struct signalfd_siginfo info;

    if (read(s->signals, &info, sizeof(info)) != sizeof(info))
        return true;
    if (*cancelling)
        return false;
    *cancelling = true;
    return send_line(s->daemon, "{\"request\":\"cancel\"}") == 0;
}

static bool fill(const struct session *s, struct buf *in)
{
    uint8_t *to = buf_reserve(in, READ_LEN);
    ssize_t n = to ? read(s->daemon, to, READ_LEN) : -1;

    if (n > 0)
        buf_commit(in, (size_t)n);
    return n > 0 && buf_len(in) <= ANSWER_MAX;
}

enum session_result control_run(struct session *s, const char *kind, const cJSON *request, session_tell_fn *tell,
                                void *arg)
{
    struct buf in = {0};
    bool cancelling = false;
    bool going = send_request(s->daemon, kind, request) == 0;
    int result = -1;

    while (going && result < 0) {
        struct pollfd fds[] = {{.fd = s->daemon, .events = POLLIN}, {.fd = s->signals, .events = POLLIN}};

        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents)
            going = on_signal(s, &cancelling);
        if (going && fds[0].revents) {
            going = fill(s, &in);
            result = take_lines(s, &in, tell, arg);
        }
    }
    buf_fini(&in);
    if (result < 0 && !cancelling)
        session_complain(s, "the gateway ended the connection");
    return result < 0 ? (cancelling ? SESSION_CANCELLED : SESSION_FAILED) : (enum session_result)result;
}
