/*
 * control - what others in this process, and plugins, may have the broker do.
 *
 *   any callback, any event -> control_*() -> noted, copied -> control_run_waiting() at the end of the turn
 *
 * Nothing happens before what is going on now is through: whoever is asked about a client can have it disconnected.
 * What is carried out runs events of its own, and whoever listens may call again: CONTROL_DEPTH times, then calls are
 * refused, so that two who answer each other come to an end. Bounded in number and bytes. Loop thread only.
 */
#ifndef WP_BROKER_CONTROL_H
#define WP_BROKER_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "core/list.h"
#include "core/str.h"
#include "core/timer.h"

struct broker;
struct events_listener;
struct message;
struct subscribing;
struct wirepost_client;
struct wirepost_message;
struct wirepost_session_facts;

enum { CONTROL_DEPTH = 8, CONTROL_WAITING = 10000, CONTROL_WAITING_BYTES = 64 * 1024 * 1024 };

struct control {
    struct list_node waiting; /* struct command */
    struct timer timer;       /* when something was noted after the turn's end */
    size_t count;
    size_t bytes;
    unsigned depth; /* of the command being carried out; 0: none is */
};

void control_init(struct broker *b);
void control_fini(struct broker *b);

/* Carries out what waits. Not while routing, nor from within an event. */
void control_run_waiting(struct broker *b);

/* Each: 0, -ENOENT where there is no such client, session or message, -EINVAL, -ENOBUFS: too much waits, -ELOOP, or
 * -ENOMEM. */
int control_publish(struct broker *b, struct message *m); /* keeps a reference */
int control_disconnect(struct broker *b, struct str client_id, uint8_t reason);
int control_subscribe(struct broker *b, struct str client_id, const struct subscribing *what);
int control_unsubscribe(struct broker *b, struct str client_id, struct str filter);
int control_delete_session(struct broker *b, struct str client_id);
int control_delete_retained(struct broker *b, struct str topic);

/* As events_decide(). */
int control_decide(struct broker *b, struct events_listener *l, uint64_t ticket, uint8_t verdict, struct str user);

/* The listener goes: what waits of it is forgotten. */
void control_forget(struct broker *b, const struct events_listener *l);

/* Calls `each` for all there are, before it returns; what it is given is borrowed for as long. */
typedef void control_client_fn(void *arg, const struct wirepost_client *client);
typedef void control_session_fn(void *arg, const struct wirepost_session_facts *session);
typedef void control_message_fn(void *arg, const struct wirepost_message *message);
void control_list_clients(struct broker *b, control_client_fn *each, void *arg);
void control_list_sessions(struct broker *b, control_session_fn *each, void *arg);
int control_list_retained(struct broker *b, struct str filter, control_message_fn *each, void *arg);

#endif
