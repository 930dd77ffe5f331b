/*
 * loop - the one event loop: descriptors, timers, wake-ups, signals.
 *
 * A thin face on libuv, so that the rest of the program names no libuv type;
 * only web/ asks for the uv_loop_t, to run libwebsockets on it. All functions
 * belong to the loop thread except loop_wake_send().
 *
 * A turn: wait; callbacks of ready descriptors, timers and wakes; then the
 * end-of-turn hooks (flushes of what the callbacks caused), in the order in
 * which they were added.
 */
#ifndef WP_LOOP_H
#define WP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/timer.h"

struct loop;

/* 0 or -errno. */
int loop_new(struct loop **ret_loop);

/* Everything opened on it must have been closed. Accepts NULL. */
void loop_free(struct loop *loop);

/* Runs turns until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Times at the start of this turn; cheap. Monotonic, as clock_mono_ms(). */
int64_t loop_now_ms(const struct loop *loop);

/* Timers: struct timer from core/timer.h, embedded in whatever it serves. */
void loop_timer_start(struct loop *loop, struct timer *t, int64_t delay_ms);
void loop_timer_stop(struct loop *loop, struct timer *t);

/* A watched descriptor. The callback runs in the loop thread. */
enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_watch;
typedef void loop_watch_fn(void *arg,
                           int events); /* events: LOOP_READ | LOOP_WRITE; errors and hang-ups read as both */

/* Watches `fd`, borrowed until loop_watch_close(). events as above. */
int loop_watch_open(struct loop *loop, int fd, int events, loop_watch_fn *fn, void *arg, struct loop_watch **ret_watch);

/* Does nothing when the events are already these. */
int loop_watch_set(struct loop_watch *w, int events);

/* Stops at once: no callback after this, the descriptor may be closed; the
 * memory goes by itself at the end of the turn. Accepts NULL. */
void loop_watch_close(struct loop_watch *w);

/* A wake-up from other threads: means "look", not "one item". */
struct loop_wake;
typedef void loop_wake_fn(void *arg);
int loop_wake_open(struct loop *loop, loop_wake_fn *fn, void *arg, struct loop_wake **ret_wake);
void loop_wake_send(struct loop_wake *w);  /* any thread */
void loop_wake_close(struct loop_wake *w); /* nobody may still be sending. Accepts NULL. */

/* Calls fn in the loop thread when the process gets the signal. For good. */
typedef void loop_signal_fn(void *arg, int signo);
int loop_on_signal(struct loop *loop, int signo, loop_signal_fn *fn, void *arg);

/* Called at the end of each turn, before the loop waits again. Embedded by its owner. */
struct loop_hook {
    void (*fn)(void *arg);
    void *arg;
    struct loop_hook *next;
};
void loop_add_hook(struct loop *loop, struct loop_hook *hook);
void loop_remove_hook(struct loop *loop, struct loop_hook *hook);

/* For a hook: lets so much time pass before the loop looks again, less than a millisecond. */
void loop_rest(int us);

/* Runs fn once at the end of this turn, after all other callbacks: frees what a callback must not. */
typedef void loop_later_fn(void *arg);
int loop_later(struct loop *loop, loop_later_fn *fn, void *arg);

/* One scratch buffer for reading, shared by all connections of the loop: its
 * content lasts until the callback that filled it returns. */
enum { LOOP_READ_BUFFER = 65536 };
uint8_t *loop_read_buffer(struct loop *loop);

/* The uv_loop_t beneath, for libwebsockets alone. */
void *loop_uv(struct loop *loop);

#endif
