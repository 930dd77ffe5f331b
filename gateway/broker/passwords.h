/*
 * passwords - the judge of CONNECTs with a user name, where there is a file of users.
 *
 *   CONNECT -> known to be right: let in at once
 *         `--> hasher's thread -> let in, or refused (0x86)
 *
 * A user there is not takes as long as one there is. Too many that wait are refused unheard: 0x89, or 0x97 when they
 * are of one address. Loop thread only.
 */
#ifndef WP_BROKER_PASSWORDS_H
#define WP_BROKER_PASSWORDS_H

#include "broker/joining.h"
#include "core/timer.h"

struct broker;
struct hasher;
struct loop_wake;

struct passwords {
    struct judge judge;
    struct broker *broker;
    struct hasher *hasher; /* NULL until the first password has to be checked */
    struct loop_wake *wake;
    struct timer timer;
    struct list_node logins; /* struct login */
};

/* Before any other judge is added. */
void passwords_init(struct passwords *p, struct broker *b);

/* All connections have been closed. Accepts one that was never initialised, zeroed. */
void passwords_fini(struct passwords *p);

#endif
