/*
 * server - serves the devices of one bus where its settings say: on a pty
 * linked at port.device, or on a TCP port. One thread each, its own.
 */
#ifndef WP_SIMULATOR_SERVER_H
#define WP_SIMULATOR_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "bus/bus_settings.h"
#include "drivers/simulator/responder.h"

struct server_line; /* what the kind of server keeps of its line */

struct server {
    const struct bus_settings *settings;
    bool pace; /* serial: as slow as the line it stands for */
    int stop_fd;
    struct responder *responder;
    struct server_line *line;
    pthread_t thread;
    bool started;
};

struct server_ops {
    int (*open)(struct server *s); /* 0 or -errno; logged */
    void (*serve)(struct server *s);
    void (*close)(struct server *s);
};

extern const struct server_ops server_rtu;
extern const struct server_ops server_tcp;

/* Settings and devices are borrowed. 0 or -errno, logged. */
int server_start(struct server *s, const struct bus_settings *settings, struct sim_device *const *devices, bool pace);
void server_stop(struct server *s); /* joins; harmless when not started */

#endif
