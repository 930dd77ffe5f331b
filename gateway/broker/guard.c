/* guard - see guard.h. */
#include "broker/guard.h"

#include <errno.h>

#include "access/users.h"
#include "broker/conn.h"
#include "broker/mount.h"
#include "core/log.h"
#include "mqtt/topic.h"

bool guard_admits_anybody(const struct conn *c)
{
    const struct entrance_settings *e = c->entrance->settings;

    return e->allow_anonymous || (c->loopback && !e->users);
}

static struct str user_of(const struct conn *c)
{
    return (struct str){.data = c->user, .len = c->user ? strlen(c->user) : 0};
}

static int permit_for(struct str user, struct str id, struct acl *acl, struct permit **ret_permit)
{
    struct permit *p = NULL;

    if (user.data || acl) {
        p = permit_new(user, id);
        if (!p || permit_follow(p, acl) < 0) {
            permit_free(p);
            return -ENOMEM;
        }
    }
    *ret_permit = p;
    return 0;
}

int guard_permit(const struct conn *c, struct str id, struct permit **ret_permit)
{
    return permit_for(user_of(c), id, c->entrance->settings->acl, ret_permit);
}

void guard_take(struct session *s, struct permit *p)
{
    permit_free(s->permit);
    s->permit = p;
    s->guarded = p && permit_acl(p);
    s->refusal_logged = false;
}

struct str guard_user(const struct session *s)
{
    return s->permit ? permit_user(s->permit) : (struct str){0};
}

bool guard_is_same(const struct session *s, const struct conn *c)
{
    struct str owner = guard_user(s);

    return !owner.data == !c->user && (!c->user || str_equal(owner, user_of(c))) &&
           s->mount == mount_mark(c->entrance->settings->mount, c->broker->seed);
}

bool guard_may_leave(struct permit *p, struct str topic)
{
    return !p || permit_may(p, ACL_WRITE, topic, 0);
}

static void log_refusal(struct session *s, const char *what, struct str topic)
{
    struct str user = guard_user(s);

    if (s->refusal_logged)
        return;
    s->refusal_logged = true;
    log_info("broker: client %s (%s): may not %s %s; what else it may not is not logged", session_name(s).text,
             user.data ? session_name_of(user).text : "anonymous", what, session_name_of(topic).text);
}

bool guard_asks_write(struct session *s, struct str topic)
{
    if (s->permit && permit_may(s->permit, ACL_WRITE, topic, 0))
        return true;
    log_refusal(s, "publish to", topic);
    return false;
}

bool guard_asks_read(struct session *s, struct str topic, uint64_t routing)
{
    if (s->permit && permit_may(s->permit, ACL_READ, topic, routing))
        return true;
    s->broker->stats.deliveries_denied++;
    return false;
}

bool guard_asks_subscribe(struct session *s, struct str filter)
{
    struct str plain = filter;
    struct str name;

    topic_filter_shared(filter, &name, &plain);
    if (s->permit && permit_may_subscribe(s->permit, plain))
        return true;
    s->broker->stats.subscribe_denied++;
    log_refusal(s, "subscribe to", filter);
    return false;
}

/* ---- other rules ---- */

/* The rules of a session whose client is away: of the same file, as it is now. */
static struct acl *find_acl(const struct broker_settings *settings, const struct session *s)
{
    const struct acl *before = s->permit ? permit_acl(s->permit) : NULL;

    for (size_t i = 0; before && i < settings->listener_count; i++) {
        struct acl *now = settings->listeners[i].entrance.acl;

        if (now && strcmp(now->name, before->name) == 0)
            return now;
    }
    return settings->entrance.acl;
}

/* Without memory nothing is allowed. */
static void follow(struct broker *b, struct session *s)
{
    struct acl *acl = s->conn ? s->conn->entrance->settings->acl : find_acl(b->settings, s);
    int r = 0;

    if (s->permit)
        r = permit_follow(s->permit, acl);
    else if (acl)
        r = permit_for((struct str){0}, session_id(s), acl, &s->permit);
    s->guarded = acl;
    s->refusal_logged = false;
    if (r < 0)
        log_error("broker: session %s: out of memory for its rules, it may do nothing", session_name(s).text);
}

/* MQTT_SUCCESS, or why its client may not stay. */
static uint8_t judge_again(const struct conn *c)
{
    const struct users *users = c->entrance->settings->users;
    const struct user *user;

    if (!guard_user(c->session).data)
        return c->vouched || guard_admits_anybody(c) ? MQTT_SUCCESS : MQTT_NOT_AUTHORIZED;
    if (c->user_mark == 0) /* proved in another way */
        return MQTT_SUCCESS;
    user = users ? users_find(users, guard_user(c->session)) : NULL;
    return user && user_mark(user) == c->user_mark ? MQTT_SUCCESS : MQTT_ADMINISTRATIVE_ACTION;
}

static void disconnect_strangers(struct broker *b)
{
    struct list_node *n = b->conns.next;

    while (n != &b->conns) {
        struct conn *c = list_entry(n, struct conn, node);
        uint8_t reason = c->state == CONN_OPEN ? judge_again(c) : MQTT_SUCCESS;

        n = n->next;
        if (reason != MQTT_SUCCESS)
            conn_close(c, reason);
    }
}

void guard_change(struct broker *b)
{
    for (size_t i = 0; i <= b->sessions.mask; i++)
        for (struct session *s = b->sessions.buckets[i]; s; s = s->bucket)
            follow(b, s);
    disconnect_strangers(b);
}
