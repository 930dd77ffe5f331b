/*
 * net_listen - a listening socket, at a TCP address or as a file.
 *
 * The file of a Unix socket is made anew: one that nobody answers at is
 * removed first, any other file is left alone. It is connected to only once
 * its owner and mode are right. Any thread.
 */
#ifndef WP_NET_LISTEN_H
#define WP_NET_LISTEN_H

#include <stdint.h>
#include <sys/types.h>

struct net_place {
    const char *bind; /* IPv4 or IPv6 address; not looked at with a path */
    uint16_t port;    /* 0: any that is free */
    const char *path; /* of a Unix socket; NULL: TCP */
    const char *group;
    uint16_t mode;
};

struct net_listening {
    int fd;     /* non-blocking */
    char *path; /* NULL: TCP */
    dev_t device;
    ino_t inode; /* to know the file again */
};

/* 0; or -errno, with the reason in words, a constant or strerror()'s. */
int net_listen(const struct net_place *place, struct net_listening *ret_listening, const char **ret_why);

/* Closes it, and removes its file. Accepts one that is closed. */
void net_unlisten(struct net_listening *l);

/* The TCP port it has; 0 for none. */
uint16_t net_listening_port(const struct net_listening *l);

#endif
