/* joining - see joining.h. */
#include "broker/joining.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "broker/budget.h"
#include "broker/handle.h"

void broker_add_judge(struct broker *b, struct judge *j)
{
    list_push_back(&b->judges, &j->node);
}

struct joining *joining_begin(const struct join_request *req, void *arg)
{
    struct joining *j = malloc(sizeof(*j));
    uint8_t *connect = malloc(req->raw.len);

    assert(!req->conn->joining);
    if (!j || !connect) {
        free(j);
        free(connect);
        return NULL;
    }
    memcpy(connect, req->raw.data, req->raw.len);
    *j = (struct joining){
        .conn = req->conn, .judge = req->judge, .arg = arg, .connect = connect, .connect_len = req->raw.len};
    req->conn->joining = j;
    budget_count(req->conn);
    return j;
}

static void drop_bytes(struct joining *j)
{
    free(j->early);
    free(j->connect);
    j->early = NULL;
    j->connect = NULL;
}

/* At most what one read brought: the peer is paused. */
void joining_keep(struct conn *c, const uint8_t *data, size_t len)
{
    struct joining *j = c->joining;
    uint8_t *early = realloc(j->early, j->early_len + len);

    if (!early) {
        conn_doom(c, MQTT_SERVER_BUSY);
        return;
    }
    memcpy(early + j->early_len, data, len);
    j->early = early;
    j->early_len += len;
    budget_count(c);
    if (!budget_allows(c->broker, j->early_len)) {
        limit_hit(c->broker, LIMIT_UNFINISHED, c->peer, NULL);
        conn_doom(c, MQTT_QUOTA_EXCEEDED);
    }
}

void joining_conn_gone(struct conn *c)
{
    if (!c->joining)
        return;
    c->joining->conn = NULL;
    drop_bytes(c->joining);
    c->joining = NULL;
}

static void go_on(struct joining *j, uint8_t verdict)
{
    struct conn *c = j->conn;
    struct str raw = {.data = (const char *)j->connect, .len = j->connect_len};
    struct mqtt_packet p;

    c->joining = NULL;
    conn_mark_dirty(c); /* to be read from again */
    if (mqtt_decode(j->connect, j->connect_len, MQTT_V5, MQTT_FROM_CLIENT, &p) <= 0) {
        conn_close(c, MQTT_SUCCESS);
        return;
    }
    if (verdict == JOIN_UNDECIDED)
        connect_judge(c, &p, raw, j->judge->node.next);
    else
        connect_decided(c, &p, verdict);
    if (j->early_len > 0 && c->joining)
        joining_keep(c, j->early, j->early_len);
    else if (j->early_len > 0 && c->state != CONN_CLOSED)
        broker_conn_receive(c, j->early, j->early_len);
}

void joining_decide(struct joining *j, uint8_t verdict)
{
    assert(verdict != JOIN_LATER);
    if (j->conn)
        go_on(j, verdict);
    drop_bytes(j);
    free(j);
}
