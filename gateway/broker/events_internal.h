/*
 * events_internal - what the files that raise events share. Loop thread only.
 */
#ifndef WP_BROKER_EVENTS_INTERNAL_H
#define WP_BROKER_EVENTS_INTERNAL_H

#include "broker/broker_internal.h"
#include "broker/events.h"
#include "mqtt/packet.h"

/* Tells every listener. */
#define EVENTS_TELL(ev, name, e)                                                                                       \
    do {                                                                                                               \
        struct list_node *at_;                                                                                         \
        list_for_each (at_, &(ev)->listeners) {                                                                        \
            struct events_listener *l_ = list_entry(at_, struct events_listener, node);                                \
            if (l_->on->name)                                                                                          \
                l_->on->name(l_->self, e);                                                                             \
        }                                                                                                              \
    } while (0)

/* Asks every listener until one says something else than WIREPOST_PASS. `may`: a bit for each verdict that the event
 * has besides. */
#define EVENTS_ASK(ev, name, e, may, verdict)                                                                          \
    do {                                                                                                               \
        struct list_node *at_;                                                                                         \
        (verdict) = WIREPOST_PASS;                                                                                     \
        list_for_each (at_, &(ev)->listeners) {                                                                        \
            struct events_listener *l_ = list_entry(at_, struct events_listener, node);                                \
            if (l_->on->name && (verdict) == WIREPOST_PASS)                                                            \
                (verdict) = events_verdict(l_, #name, l_->on->name(l_->self, e), may);                                 \
        }                                                                                                              \
    } while (0)

#define EVENTS_MAY(name) (1u << WIREPOST_##name)

/* The verdict a listener has given; one that makes no sense is logged once, and REFUSE, or DROP where nothing else can
 * be. */
enum wirepost_verdict events_verdict(struct events_listener *l, const char *event, int said, unsigned may);

/* The reason to refuse with: what may not stand in a packet of that type is an unspecified error. */
uint8_t events_reason(uint8_t reason, unsigned type);

static inline struct wirepost_text text_of(struct str s)
{
    return (struct wirepost_text){.data = s.data, .len = s.len};
}

/* NULL data stays NULL. */
static inline struct str str_of_text(struct wirepost_text t)
{
    return (struct str){.data = t.data, .len = t.data ? t.len : 0};
}

/* What can be said of a client: of its session (NULL: none yet), of its connection (NULL: away). */
struct wirepost_client events_client(const struct session *s, const struct conn *c);

/* User properties out of encoded ones. NULL when there are none, or no memory. */
const struct wirepost_pair *events_user_properties(struct scratch *scratch, struct str list, size_t *ret_count);

/* A judge's function; `arg` is a struct events_listener. */
uint8_t events_judge(void *arg, const struct join_request *req);

/* Those who wait for a verdict that will not come. */
void events_refuse_all(struct events_listener *l);

/* A message as listeners see it, and the will of a CONNECT. */
void events_fill_message(struct scratch *scratch, const struct publication *p, struct wirepost_message *ret_message);
void events_fill_will(struct scratch *scratch, const struct mqtt_will *will, struct wirepost_message *ret_message);

/* The properties of a message, encoded. 0 or -ENOMEM. */
int events_encode_properties(struct scratch *scratch, const struct wirepost_message *m, struct str *ret_props);

/* NULL, or why nobody can publish this. */
const char *events_message_problem(const struct wirepost_message *m);

/* Keeps what is text of it. */
void events_set_why(struct broker *b, struct wirepost_text text);

#endif
