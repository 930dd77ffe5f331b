/* control - see control.h. */
#include "broker/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/catch_up.h"
#include "broker/conn.h"
#include "broker/subscribing.h"
#include "core/message.h"
#include "mqtt/topic.h"

enum kind { PUBLISH, DISCONNECT, SUBSCRIBE, UNSUBSCRIBE, DELETE_SESSION, DELETE_RETAINED, DECIDE };

struct command {
    struct list_node node;
    enum kind kind;
    unsigned depth;
    size_t bytes;
    struct message *m;                /* PUBLISH */
    struct subscribing what;          /* SUBSCRIBE, UNSUBSCRIBE */
    struct events_listener *listener; /* DECIDE */
    uint64_t ticket;
    bool named;      /* DECIDE: `name` is the user */
    uint8_t reason;  /* DISCONNECT, DECIDE */
    struct str name; /* a client id, a topic, a user */
    char text[];
};

static void drop(struct broker *b, struct command *cmd)
{
    list_remove(&cmd->node);
    b->control.count--;
    b->control.bytes -= cmd->bytes;
    message_unref(cmd->m);
    free(cmd);
}

/* Copies name and filter. */
static int note(struct broker *b, const struct command *what)
{
    struct control *ctl = &b->control;
    size_t len = what->name.len + what->what.filter.len;
    struct command *cmd;

    if (ctl->depth >= CONTROL_DEPTH)
        return -ELOOP;
    if (ctl->count >= CONTROL_WAITING || ctl->bytes + len + what->bytes > CONTROL_WAITING_BYTES)
        return -ENOBUFS;
    cmd = malloc(sizeof(*cmd) + len);
    if (!cmd)
        return -ENOMEM;
    *cmd = *what;
    if (what->name.data)
        memcpy(cmd->text, what->name.data, what->name.len);
    if (what->what.filter.data)
        memcpy(cmd->text + what->name.len, what->what.filter.data, what->what.filter.len);
    cmd->name.data = cmd->text;
    cmd->what.filter.data = cmd->text + what->name.len;
    cmd->depth = ctl->depth + 1;
    cmd->bytes += len;
    if (cmd->m)
        message_ref(cmd->m);
    ctl->count++;
    ctl->bytes += cmd->bytes;
    list_push_back(&ctl->waiting, &cmd->node);
    if (!timer_running(&ctl->timer))
        loop_timer_start(b->loop, &ctl->timer, 0);
    return 0;
}

static void disconnect(struct broker *b, struct str id, uint8_t reason)
{
    struct session *s = session_find(b, id);

    if (s && s->conn)
        conn_close(s->conn, reason);
}

static void subscribe(struct broker *b, const struct command *cmd)
{
    struct session *s = session_find(b, cmd->name);
    uint8_t close = 0;

    if (!s)
        return;
    subscribing_add(s, &cmd->what, &close);
    if (s->conn && close)
        conn_close(s->conn, close);
    else if (s->conn)
        catch_up_begin(s->conn);
}

static void unsubscribe(struct broker *b, const struct command *cmd)
{
    struct session *s = session_find(b, cmd->name);
    uint8_t close = 0;

    if (s)
        subscribing_remove(s, &cmd->what, &close);
    if (close && s->conn)
        conn_close(s->conn, close);
}

static void delete_session(struct broker *b, struct str id)
{
    struct session *s;

    disconnect(b, id, MQTT_ADMINISTRATIVE_ACTION); /* which may end the session */
    s = session_find(b, id);
    if (s)
        session_end(s);
}

static void carry_out(struct broker *b, const struct command *cmd)
{
    switch (cmd->kind) {
    case PUBLISH:
        broker_publish(b, cmd->m);
        break;
    case DISCONNECT:
        disconnect(b, cmd->name, cmd->reason);
        break;
    case SUBSCRIBE:
        subscribe(b, cmd);
        break;
    case UNSUBSCRIBE:
        unsubscribe(b, cmd);
        break;
    case DELETE_SESSION:
        delete_session(b, cmd->name);
        break;
    case DELETE_RETAINED:
        broker_clear_retained(b, cmd->name);
        break;
    case DECIDE:
        events_decide(cmd->listener, cmd->ticket, cmd->reason, cmd->named ? cmd->name : (struct str){0});
        break;
    }
}

void control_run_waiting(struct broker *b)
{
    struct control *ctl = &b->control;

    while (!list_empty(&ctl->waiting)) {
        struct command *cmd = list_entry(ctl->waiting.next, struct command, node);

        ctl->depth = cmd->depth;
        carry_out(b, cmd);
        drop(b, cmd);
    }
    ctl->depth = 0;
    loop_timer_stop(b->loop, &ctl->timer);
}

static void on_timer(void *arg)
{
    (void)arg; /* this begins a turn, at the end of which it is done */
}

void control_init(struct broker *b)
{
    b->control = (struct control){0};
    list_init(&b->control.waiting);
    timer_init(&b->control.timer, on_timer, b);
}

void control_fini(struct broker *b)
{
    while (!list_empty(&b->control.waiting))
        drop(b, list_entry(b->control.waiting.next, struct command, node));
    loop_timer_stop(b->loop, &b->control.timer);
}

void control_forget(struct broker *b, const struct events_listener *l)
{
    struct list_node *n;
    struct list_node *after;

    list_for_each_safe (n, after, &b->control.waiting) {
        struct command *cmd = list_entry(n, struct command, node);

        if (cmd->kind == DECIDE && cmd->listener == l)
            drop(b, cmd);
    }
}

int control_publish(struct broker *b, struct message *m)
{
    return note(b, &(struct command){.kind = PUBLISH, .m = m, .bytes = m->payload.len + m->props.len});
}

int control_disconnect(struct broker *b, struct str client_id, uint8_t reason)
{
    const struct session *s = session_find(b, client_id);

    if (!s || !s->conn)
        return -ENOENT;
    if (reason && !mqtt_reason_allowed(reason, MQTT_DISCONNECT))
        return -EINVAL;
    return note(b, &(struct command){.kind = DISCONNECT, .name = client_id, .reason = reason});
}

int control_subscribe(struct broker *b, struct str client_id, const struct subscribing *what)
{
    if (!topic_filter_valid(what->filter) || what->options.qos > 2)
        return -EINVAL;
    if (!session_find(b, client_id))
        return -ENOENT;
    return note(b, &(struct command){.kind = SUBSCRIBE, .name = client_id, .what = *what});
}

int control_unsubscribe(struct broker *b, struct str client_id, struct str filter)
{
    if (!topic_filter_valid(filter))
        return -EINVAL;
    if (!session_find(b, client_id))
        return -ENOENT;
    return note(b, &(struct command){.kind = UNSUBSCRIBE, .name = client_id, .what = {.filter = filter}});
}

int control_delete_session(struct broker *b, struct str client_id)
{
    if (!session_find(b, client_id))
        return -ENOENT;
    return note(b, &(struct command){.kind = DELETE_SESSION, .name = client_id});
}

int control_delete_retained(struct broker *b, struct str topic)
{
    if (!topic_name_valid(topic))
        return -EINVAL;
    return note(b, &(struct command){.kind = DELETE_RETAINED, .name = topic});
}

int control_decide(struct broker *b, struct events_listener *l, uint64_t ticket, uint8_t verdict, struct str user)
{
    if (!events_has_ticket(l, ticket))
        return -ENOENT;
    return note(b, &(struct command){.kind = DECIDE,
                                     .listener = l,
                                     .ticket = ticket,
                                     .reason = verdict,
                                     .name = user,
                                     .named = user.data != NULL});
}
