/*
 * link_impl - what the kinds of link share. Included by link.c and link_*.c only.
 */
#ifndef WP_LINK_IMPL_H
#define WP_LINK_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "drivers/link.h"

struct link_ops {
    int (*open)(struct link *l); /* a descriptor, the caller's from then on, or -errno */
    void (*opened)(struct link *l);
    void (*free)(struct link *l);

    /* Sends a PDU to a unit and waits for its answer, of normally `want` bytes (0: not known). Bytes of the
     * answer's PDU (at most LINK_PDU_MAX; 0 after a broadcast) or an error as in link.h. */
    int (*transact)(struct link *l, uint8_t unit, const uint8_t *pdu, size_t len, size_t want, uint8_t *ret_pdu);
    int (*drain)(struct link *l, int64_t quiet_ms);

    /* As in link.h; NULL where one request is in flight at most. */
    int (*begin)(struct link *l, uint8_t unit, const uint8_t *pdu, size_t len);
    int (*await)(struct link *l, int64_t until_us);
    void (*resume)(struct link *l, int slot);
};

struct link {
    const struct link_ops *ops;
    int fd;      /* below FD_SETSIZE: libmodbus waits with select() */
    int null_fd; /* stands in for it while closed */
    bool is_open;
    int stop_fd;
    int64_t timeout_ms;
    struct link_trace trace;
    uint8_t exception;
    uint32_t late[256]; /* by unit */
    char trouble[LINK_TROUBLE_MAX];
};

/* Reserves the descriptor. 0 or -errno. */
int link_init(struct link *l, const struct link_ops *ops, int stop_fd);
void link_fini(struct link *l);

/* Waits until `fd` has something to read (or has hung up): 1; 0 at until_us; -ECANCELED. */
int link_wait(const struct link *l, int fd, short events, int64_t until_us);

/* Sleeps to the microsecond as well as the machine can. */
void link_sleep_until(int64_t until_us);

/* An errno that libmodbus left, as an error of link.h. */
int link_error(int modbus_errno);

int link_new_rtu(const struct bus_settings *bus, int stop_fd, struct link **ret_link);
int link_new_bytes(const struct bus_settings *bus, int stop_fd, struct link **ret_link);
int link_new_tcp(const struct bus_settings *bus, int stop_fd, struct link **ret_link);
int link_new_ascii(const struct bus_settings *bus, int stop_fd, struct link **ret_link);

/* link_port.c: opens and configures a serial port; a descriptor, or -errno with the reason where that does not say it.
 */
int link_port_open(const struct port_settings *port, char ret_trouble[LINK_TROUBLE_MAX]);

/* link_baud.c: 0 or -errno. */
int link_baud_set(int fd, int32_t baud);
int link_baud_get(int fd, int32_t *ret_baud);

/* Drivers may choose a rate near the one asked for; two in a hundred is what a UART bears. */
bool link_baud_is_near(int32_t baud, int32_t wanted);

/* The usual rates next to one that a port refuses, which it takes; 0 where there is none. */
typedef bool link_baud_takes_fn(void *arg, int32_t baud);
void link_baud_neighbours(int32_t wanted, link_baud_takes_fn *takes, void *arg, int32_t *ret_below, int32_t *ret_above);

/* link_users.c: whether another process has this character device open, and which: "mbpoll (process 4711)". */
bool link_find_user(dev_t device, char *ret_name, size_t size);

/* link_socket.c: a connection, or -errno. */
int link_socket_open(const struct link *l, const char *host, uint16_t port);

/* 0 or -ENODEV. */
int link_socket_send(int fd, const uint8_t *bytes, size_t len);

/* link_resolve.c: 0 or -errno. The addresses are the caller's (freeaddrinfo). */
struct addrinfo;
int link_resolve(const struct link *l, const char *host, uint16_t port, struct addrinfo **ret_addresses);

#endif
