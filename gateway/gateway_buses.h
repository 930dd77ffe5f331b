/*
 * gateway_buses - which buses run, and the numbering of their devices. Nobody but the gateway includes it.
 */
#ifndef WP_GATEWAY_BUSES_H
#define WP_GATEWAY_BUSES_H

#include "core/hole.h"
#include "gateway_stages.h"
#include "queue/seqs.h"

struct bus;

/* How busy a bus was between two looks at its counters. */
struct bus_load {
    uint64_t busy_us;
    int64_t looked_us; /* monotonic; 0: not yet */
    bool known;
    int percent; /* when known */
};

/* A bus from the moment its devices' numbers are asked for until its thread has ended. */
struct gateway_bus {
    struct gateway *gw;
    struct settings *owner;              /* a reference: of these... */
    const struct bus_settings *settings; /* ...a part */
    uint32_t number;                     /* its place in gw->buses, which its batches carry */
    struct seqs *seqs;
    struct hole_list *holes; /* of each device, as they were on disk */
    uint32_t hole_changes;   /* of the bus, that are on disk */
    bool published;          /* publish/ knows its devices */
    struct bus *bus;         /* NULL: not started yet, cannot start, or has ended */
    struct bus_load load;
    bool ending; /* asked to */
};

/* Brings the buses to what the settings say: those that differ end, and when the last of them has, the new ones
 * begin. The others are not touched. */
void gateway_change_buses(struct gateway *gw);

/* Before the inbox is emptied: frees those whose threads have ended. True when none is left to wait for, and
 * gateway_begin_buses() is to follow. */
bool gateway_join_buses(struct gateway *gw);
void gateway_begin_buses(struct gateway *gw);

/* Part of what a bus begins with has been read. */
void gateway_bus_loaded(struct gateway *gw);

/* NULL when it has ended meanwhile. */
struct gateway_bus *gateway_find_bus(const struct gateway *gw, uint32_t number);

/* A bus that runs and is not about to end; else NULL. */
struct gateway_bus *gateway_bus_named(const struct gateway *gw, const char *name);

/* A device of a bus that runs and is not about to end, and its place on it; else NULL. */
struct gateway_bus *gateway_find_device(const struct gateway *gw, const char *name, size_t *ret_device);

/* Waits for all threads: at most a transaction. */
void gateway_stop_buses(struct gateway *gw);
void gateway_free_buses(struct gateway *gw);

void gateway_save_seqs(struct gateway *gw, enum seqs_mode mode);
void gateway_look_at_seqs(struct gateway *gw);

#endif
