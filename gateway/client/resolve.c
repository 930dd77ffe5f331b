/*
 * resolve - see resolve.h.
 *
 * The loop and the thread each hold a reference; the last one to let go frees.
 * The lock is held while waking, so that the wake cannot be closed under the
 * thread; the loop takes it for two assignments only.
 */
#include "client/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"

struct resolve {
    pthread_mutex_t lock;
    struct loop_wake *wake; /* NULL once the loop has let go */
    bool done;
    int error;
    struct addrinfo *addresses;
    resolve_done_fn *fn;
    void *arg;
    char port[8];
    char host[];
};

static void resolve_free(struct resolve *r)
{
    if (r->addresses)
        freeaddrinfo(r->addresses);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static void *look_up(void *arg)
{
    struct resolve *r = arg;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    int error = getaddrinfo(r->host, r->port, &hints, &addresses);
    bool given_up;

    pthread_mutex_lock(&r->lock);
    r->done = true;
    r->error = error;
    r->addresses = error ? NULL : addresses;
    given_up = !r->wake;
    if (r->wake)
        loop_wake_send(r->wake);
    pthread_mutex_unlock(&r->lock);
    if (given_up)
        resolve_free(r);
    return NULL;
}

static void on_wake(void *arg)
{
    struct resolve *r = arg;
    struct addrinfo *addresses;

    pthread_mutex_lock(&r->lock);
    addresses = r->addresses;
    r->addresses = NULL;
    pthread_mutex_unlock(&r->lock);
    r->fn(r->arg, r->error, addresses);
}

static int start_thread(struct resolve *r)
{
    pthread_attr_t attr;
    pthread_t thread;
    int error;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&thread, &attr, look_up, r);
    pthread_attr_destroy(&attr);
    return -error;
}

int resolve_open(struct loop *loop, const char *host, uint16_t port, resolve_done_fn *done, void *arg,
                 struct resolve **ret_resolve)
{
    size_t host_len = strlen(host);
    struct resolve *r = calloc(1, sizeof(*r) + host_len + 1);
    int error;

    if (!r)
        return -ENOMEM;
    pthread_mutex_init(&r->lock, NULL);
    r->fn = done;
    r->arg = arg;
    memcpy(r->host, host, host_len);
    snprintf(r->port, sizeof(r->port), "%u", port);

    error = loop_wake_open(loop, on_wake, r, &r->wake);
    if (error < 0)
        goto fail;
    error = start_thread(r);
    if (error < 0)
        goto fail;
    *ret_resolve = r;
    return 0;

fail:
    loop_wake_close(r->wake);
    resolve_free(r);
    return error;
}

void resolve_close(struct resolve *r)
{
    struct loop_wake *wake;
    bool done;

    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    wake = r->wake;
    r->wake = NULL;
    done = r->done;
    pthread_mutex_unlock(&r->lock);
    loop_wake_close(wake);
    if (done)
        resolve_free(r);
}
