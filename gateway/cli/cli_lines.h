/*
 * cli_lines - standard input, line by line, never more of it in memory than its user wants.
 *
 * A terminal or a pipe is waited for; a file, which is always ready, is read when its
 * user asks. Loop thread only. Zeroed memory is closed.
 */
#ifndef WP_CLI_LINES_H
#define WP_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

struct loop;
struct loop_watch;

enum { LINES_MAX_LEN = 16 * 1024 * 1024 };

/* There may be something to read: call lines_fill(). */
typedef void lines_ready_fn(void *arg);

struct lines {
    struct buf read;          /* not yet handed out */
    size_t searched;          /* so much of it holds no line feed */
    size_t given;             /* so much of it is the line last handed out */
    bool ended;               /* of the input: `read` holds the rest */
    struct loop_watch *watch; /* NULL: the input cannot be waited for and need not be */
    int flags;                /* as we found them: a terminal is shared with others */
    lines_ready_fn *ready;
    void *arg;
};

/* 0 or -errno. Nothing is waited for before lines_wait(). */
int lines_open(struct lines *l, struct loop *loop, lines_ready_fn *ready, void *arg);
void lines_close(struct lines *l);

/* The next line without its line feed, at the end also one that has none; borrowed until the next call. */
bool lines_next(struct lines *l, struct str *ret_line);

/* Reads once. 0; -EAGAIN when that has to wait for `ready`; -EMSGSIZE for a line that is too long; -errno. */
int lines_fill(struct lines *l);

/* Whether `ready` shall be called. */
void lines_wait(struct lines *l, bool wanted);

#endif
