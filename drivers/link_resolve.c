/*
 * link_resolve - a host name to addresses, given up at once when the bus is to stop.
 *
 * getaddrinfo(3) blocks, for many seconds when a name server is away, and cannot be
 * cancelled: each lookup of a name has a thread of its own. The one who lets go of a lookup
 * last, thread or link, frees it.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/clock.h"
#include "drivers/link_impl.h"

enum { RESOLVE_TIMEOUT_MS = 30000 };

struct lookup {
    pthread_mutex_t lock;
    bool one_has_let_go;
    int done_fd;
    int error; /* of getaddrinfo */
    struct addrinfo *addresses;
    char port[8];
    char host[];
};

static int error_of(int gai_error)
{
    return gai_error == 0 ? 0 : gai_error == EAI_MEMORY ? -ENOMEM : -EHOSTUNREACH;
}

static int get_addresses(const char *host, const char *port, int flags, struct addrinfo **ret_addresses)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};

    return getaddrinfo(host, port, &hints, ret_addresses);
}

static void lookup_free(struct lookup *k)
{
    if (k->addresses)
        freeaddrinfo(k->addresses);
    if (k->done_fd >= 0)
        close(k->done_fd);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

static void let_go(struct lookup *k)
{
    bool last;

    pthread_mutex_lock(&k->lock);
    last = k->one_has_let_go;
    k->one_has_let_go = true;
    pthread_mutex_unlock(&k->lock);
    if (last)
        lookup_free(k);
}

static void *look_up(void *arg)
{
    struct lookup *k = arg;
    struct addrinfo *addresses = NULL;
    int error = get_addresses(k->host, k->port, 0, &addresses);

    pthread_mutex_lock(&k->lock);
    k->error = error;
    k->addresses = error == 0 ? addresses : NULL;
    pthread_mutex_unlock(&k->lock);
    eventfd_write(k->done_fd, 1);
    let_go(k);
    return NULL;
}

static int start(struct lookup *k)
{
    pthread_attr_t attr;
    pthread_t thread;
    int error;

    k->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (k->done_fd < 0)
        return -errno;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&thread, &attr, look_up, k);
    pthread_attr_destroy(&attr);
    return -error;
}

static int wait_for(const struct link *l, struct lookup *k, struct addrinfo **ret_addresses)
{
    int r = link_wait(l, k->done_fd, POLLIN, clock_mono_us() + RESOLVE_TIMEOUT_MS * 1000);

    if (r <= 0)
        return r == 0 ? -ETIMEDOUT : r;
    pthread_mutex_lock(&k->lock);
    r = error_of(k->error);
    if (r == 0)
        *ret_addresses = k->addresses;
    k->addresses = NULL;
    pthread_mutex_unlock(&k->lock);
    return r;
}

int link_resolve(const struct link *l, const char *host, uint16_t port, struct addrinfo **ret_addresses)
{
    size_t host_len = strlen(host);
    struct lookup *k;
    char service[8];
    int r;

    snprintf(service, sizeof(service), "%u", port);
    if (get_addresses(host, service, AI_NUMERICHOST, ret_addresses) == 0)
        return 0;
    k = calloc(1, sizeof(*k) + host_len + 1);
    if (!k)
        return -ENOMEM;
    pthread_mutex_init(&k->lock, NULL);
    memcpy(k->host, host, host_len);
    memcpy(k->port, service, sizeof(service));
    r = start(k);
    if (r < 0) {
        lookup_free(k);
        return r;
    }
    r = wait_for(l, k, ret_addresses);
    let_go(k);
    return r;
}
