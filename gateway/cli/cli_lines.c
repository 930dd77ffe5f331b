/* cli_lines - see cli_lines.h. */
#include "cli/cli_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "loop.h"

enum { READ_LEN = 65536 };

static void on_input(void *arg, int ready)
{
    struct lines *l = arg;

    (void)ready;
    l->ready(l->arg);
}

int lines_open(struct lines *l, struct loop *loop, lines_ready_fn *ready, void *arg)
{
    int r;

    *l = (struct lines){.ready = ready, .arg = arg, .flags = fcntl(STDIN_FILENO, F_GETFL)};
    r = loop_watch_open(loop, STDIN_FILENO, 0, on_input, l, &l->watch);
    return r == -EPERM ? 0 : r; /* what epoll refuses is always ready */
}

void lines_close(struct lines *l)
{
    if (l->watch && l->flags >= 0)
        fcntl(STDIN_FILENO, F_SETFL, l->flags);
    loop_watch_close(l->watch);
    buf_fini(&l->read);
    *l = (struct lines){0};
}

bool lines_next(struct lines *l, struct str *ret_line)
{
    struct str all;
    const char *end;

    buf_consume(&l->read, l->given);
    l->given = 0;
    all = buf_str(&l->read);
    end = memchr(all.data + l->searched, '\n', all.len - l->searched);
    if (!end && (!l->ended || all.len == 0)) {
        l->searched = all.len;
        return false;
    }
    l->searched = 0;
    *ret_line = (struct str){.data = all.data, .len = end ? (size_t)(end - all.data) : all.len};
    l->given = ret_line->len + (end ? 1 : 0);
    return true;
}

int lines_fill(struct lines *l)
{
    uint8_t *to = buf_reserve(&l->read, READ_LEN);
    ssize_t n;

    if (!to)
        return -ENOMEM;
    n = read(STDIN_FILENO, to, READ_LEN);
    if (n < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    buf_commit(&l->read, (size_t)n);
    l->ended = n == 0;
    return l->searched > LINES_MAX_LEN ? -EMSGSIZE : 0;
}

void lines_wait(struct lines *l, bool wanted)
{
    if (l->watch)
        loop_watch_set(l->watch, wanted ? LOOP_READ : 0);
}
