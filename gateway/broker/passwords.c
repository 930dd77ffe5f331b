/* passwords - see passwords.h. */
#include "broker/passwords.h"

#include <errno.h>
#include <stdlib.h>

#include "access/hasher.h"
#include "access/users.h"
#include "broker/conn.h"
#include "core/log.h"
#include "mqtt/packet.h"

/* A client that waits for the hasher. */
struct login {
    struct list_node node;
    struct passwords *all;
    struct joining *joining;
    struct str name;
    uint64_t mark;                /* of the password it was checked against */
    uint8_t digest[USERS_DIGEST]; /* of what it gave */
    char bytes[];
};

static void look(struct passwords *p)
{
    int64_t now = loop_now_ms(p->broker->loop);
    int64_t due = hasher_run(p->hasher, now);

    loop_timer_stop(p->broker->loop, &p->timer);
    if (due != INT64_MAX)
        loop_timer_start(p->broker->loop, &p->timer, due > now ? due - now : 0);
}

static void on_look(void *arg)
{
    look(arg);
}

static void on_wake(void *arg) /* the hasher's thread, and the loop's */
{
    struct passwords *p = arg;

    loop_wake_send(p->wake);
}

/* The thread begins with the first password. 0 or -errno. */
static int have_hasher(struct passwords *p)
{
    const struct login_limits *l = &p->broker->settings->logins;
    const struct hasher_limits limits = {
        .waiting = l->waiting, .waiting_per_address = l->waiting_per_address, .failed_delay_ms = l->failed_delay_ms};
    int r = p->wake ? 0 : loop_wake_open(p->broker->loop, on_look, p, &p->wake);

    if (r == 0 && !p->hasher)
        r = hasher_new(on_wake, p, &p->hasher);
    if (r == 0)
        hasher_set_limits(p->hasher, &limits);
    return r;
}

static uint8_t let_in(struct conn *c, struct str name, uint64_t mark)
{
    c->user = strndup(name.data, name.len);
    c->user_mark = mark;
    return c->user ? MQTT_SUCCESS : MQTT_SERVER_UNAVAILABLE;
}

/* ---- answers ---- */

static void login_free(struct login *l)
{
    list_remove(&l->node);
    free(l);
}

/* The users may be others than when it was asked. */
static uint8_t verdict_on(const struct login *l, bool right)
{
    struct conn *c = l->joining->conn;
    const struct users *users = c->entrance->settings->users;
    struct user *user = right && users ? users_find(users, l->name) : NULL;

    if (!user || user_mark(user) != l->mark) {
        c->broker->stats.logins_wrong++;
        log_debug("broker: %s: wrong password, or no such user: '%s'", c->peer, session_name_of(l->name).text);
        return MQTT_BAD_USER_NAME_OR_PASSWORD;
    }
    users_remember(user, l->digest);
    return let_in(c, l->name, l->mark);
}

static void on_answer(void *arg, bool right)
{
    struct login *l = arg;
    struct joining *j = l->joining;
    uint8_t verdict = j->conn ? verdict_on(l, right) : MQTT_SERVER_UNAVAILABLE;

    login_free(l);
    joining_decide(j, verdict);
}

/* A client that has gone need not be checked. */
static bool is_wanted(void *arg)
{
    const struct login *l = arg;

    return l->joining->conn;
}

/* ---- questions ---- */

/* As the limits per address count it; else "127.0.0.1:50312" without the port, "unix uid 1000 pid 42" without the pid.
 */
static struct str address_of(const struct conn *c)
{
    const char *colon = strrchr(c->peer, ':');
    const char *end = colon ? colon : strstr(c->peer, " pid ");

    if (c->address)
        return (struct str){.data = (const char *)&c->address->key, .len = sizeof(c->address->key)};
    return (struct str){.data = c->peer, .len = end ? (size_t)(end - c->peer) : strlen(c->peer)};
}

static struct login *login_new(struct passwords *p, struct str name)
{
    struct login *l = malloc(sizeof(*l) + name.len);

    if (!l)
        return NULL;
    *l = (struct login){.all = p, .name = {.data = l->bytes, .len = name.len}};
    if (name.len > 0)
        memcpy(l->bytes, name.data, name.len);
    list_push_back(&p->logins, &l->node);
    return l;
}

static uint8_t refuse_unheard(struct conn *c, int error)
{
    c->broker->stats.logins_refused++;
    if (error == -EDQUOT)
        return MQTT_QUOTA_EXCEEDED;
    return error == -EBUSY ? MQTT_SERVER_BUSY : MQTT_SERVER_UNAVAILABLE;
}

/* against: the user, or who stands in for one there is not. */
static uint8_t ask(struct passwords *p, const struct join_request *req, const struct user *against, bool never,
                   const uint8_t digest[USERS_DIGEST])
{
    struct login *l = login_new(p, req->connect->connect.username);
    struct hash_question q = {.address = address_of(req->conn),
                              .hash = against->hash,
                              .password = req->connect->connect.password,
                              .never = never,
                              .wanted = is_wanted,
                              .done = on_answer,
                              .arg = l};
    struct hash_job *job;
    int r = l ? have_hasher(p) : -ENOMEM;

    if (r == 0) {
        l->mark = user_mark(against);
        memcpy(l->digest, digest, sizeof(l->digest));
        r = hasher_ask(p->hasher, &q, &job);
    }
    if (r == 0) {
        l->joining = joining_begin(req, l);
        if (l->joining)
            return JOIN_LATER;
        hasher_forget(p->hasher, job);
        r = -ENOMEM;
    }
    if (l)
        login_free(l);
    return refuse_unheard(req->conn, r);
}

static uint8_t judge(void *arg, const struct join_request *req)
{
    const struct mqtt_connect *in = &req->connect->connect;
    const struct users *users = req->conn->entrance->settings->users;
    uint8_t digest[USERS_DIGEST];
    const struct user *against;
    struct user *user;

    if (!users || !in->has_username || req->conn->user || mqtt_has(&req->connect->props, MQTT_PROP_AUTH_METHOD))
        return JOIN_UNDECIDED;
    user = users_find(users, in->username);
    against = user ? user : users_stand_in(users, in->username);
    if (!in->has_password || !against) {
        req->conn->broker->stats.logins_wrong++;
        return MQTT_BAD_USER_NAME_OR_PASSWORD;
    }
    if (users_digest(users, against, in->password, digest) < 0)
        return MQTT_SERVER_UNAVAILABLE;
    if (user && users_recall(user, digest))
        return let_in(req->conn, in->username, user_mark(user));
    return ask(arg, req, against, !user, digest);
}

void passwords_init(struct passwords *p, struct broker *b)
{
    *p = (struct passwords){.judge = {.fn = judge, .arg = p}, .broker = b};
    list_init(&p->logins);
    timer_init(&p->timer, on_look, p);
    broker_add_judge(b, &p->judge);
}

void passwords_fini(struct passwords *p)
{
    if (!p->broker)
        return;
    loop_timer_stop(p->broker->loop, &p->timer);
    hasher_free(p->hasher);
    loop_wake_close(p->wake);
    while (!list_empty(&p->logins)) {
        struct login *l = list_entry(p->logins.next, struct login, node);
        struct joining *j = l->joining;

        login_free(l);
        joining_decide(j, MQTT_SERVER_UNAVAILABLE);
    }
}
