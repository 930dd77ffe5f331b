/* split - see split.h. */
#include "bus/split.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum node_state { NODE_UNKNOWN, NODE_READ, NODE_REFUSED };

/* Tags first to before end of the request. Children have higher numbers than their parents. */
struct node {
    size_t first;
    size_t end;
    size_t children; /* the first of two; 0: none */
    enum node_state state;
    bool is_sure; /* its answer came when the device had given something */
    uint8_t code;
};

/* Asks every node once, from the first, which makes children of those refused; then seams, and the holes that
 * are not sure, once more, from the last. */
enum phase { PHASE_FIND, PHASE_CONFIRM, PHASE_DONE };

struct split {
    const struct device_settings *device;
    struct request refused;
    uint32_t *tags; /* of it */
    struct node *nodes;
    size_t node_count;
    enum phase phase;
    size_t at; /* the node asked now, or the next to look at; in PHASE_CONFIRM the one behind it */
    bool is_alive;
    size_t cost;
    struct request request;
};

static const struct tag_settings *tag_of(const struct split *s, size_t i)
{
    return &s->device->tags[s->tags[i]];
}

static bool same_place(const struct tag_settings *a, const struct tag_settings *b)
{
    return a->address == b->address && tag_end(a) == tag_end(b);
}

/* Where to cut, next to the middle; tags in the same registers stay together. 0: nowhere. */
static size_t middle_of(const struct split *s, const struct node *n)
{
    size_t middle = n->first + (n->end - n->first) / 2;

    for (size_t away = 0; away < n->end - n->first; away++) {
        size_t below = middle - away;
        size_t above = middle + away;

        if (away <= middle && below > n->first && !same_place(tag_of(s, below - 1), tag_of(s, below)))
            return below;
        if (above > n->first && above < n->end && !same_place(tag_of(s, above - 1), tag_of(s, above)))
            return above;
    }
    return 0;
}

static void add_children(struct split *s, size_t parent)
{
    struct node *n = &s->nodes[parent];
    size_t middle = middle_of(s, n);

    if (middle == 0)
        return;
    n->children = s->node_count;
    s->nodes[s->node_count++] = (struct node){.first = n->first, .end = middle};
    s->nodes[s->node_count++] = (struct node){.first = middle, .end = n->end};
}

int split_new(const struct device_settings *device, const struct request *refused, uint8_t code,
              struct split **ret_split)
{
    struct split *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->device = device;
    s->refused = *refused;
    s->tags = calloc(refused->tag_count, sizeof(s->tags[0]));
    s->nodes = calloc(refused->tag_count * 2, sizeof(s->nodes[0]));
    if (!s->tags || !s->nodes) {
        split_free(s);
        return -ENOMEM;
    }
    memcpy(s->tags, refused->tags, refused->tag_count * sizeof(s->tags[0]));
    s->refused.tags = s->tags;
    s->nodes[0] = (struct node){.end = refused->tag_count, .state = NODE_REFUSED, .code = code};
    s->node_count = 1;
    s->at = 1;
    add_children(s, 0);
    *ret_split = s;
    return 0;
}

void split_free(struct split *s)
{
    if (!s)
        return;
    free(s->tags);
    free(s->nodes);
    free(s);
}

/* Both halves can be read. */
static bool is_seam(const struct split *s, const struct node *n)
{
    return n->state == NODE_REFUSED && n->children > 0 && s->nodes[n->children].state == NODE_READ &&
           s->nodes[n->children + 1].state == NODE_READ;
}

static bool is_finding(const struct split *s, const struct node *n)
{
    return n->state == NODE_REFUSED && (n->children == 0 || is_seam(s, n));
}

static const struct request *ask(struct split *s, const struct node *n)
{
    struct request *req = &s->request;
    uint32_t end = 0;

    *req = s->refused;
    req->tags = s->tags + n->first;
    req->tag_count = n->end - n->first;
    req->address = tag_of(s, n->first)->address;
    for (size_t i = n->first; i < n->end; i++)
        if (tag_end(tag_of(s, i)) > end)
            end = tag_end(tag_of(s, i));
    req->count = (uint16_t)(end - req->address);
    return req;
}

const struct request *split_next(struct split *s)
{
    if (s->phase == PHASE_FIND) {
        if (s->at < s->node_count)
            return ask(s, &s->nodes[s->at]);
        s->phase = PHASE_CONFIRM;
    }
    if (s->phase == PHASE_DONE || !s->is_alive)
        return NULL;
    for (; s->at > 0; s->at--) {
        const struct node *n = &s->nodes[s->at - 1];

        if (is_seam(s, n) || (is_finding(s, n) && !n->is_sure))
            return ask(s, n);
    }
    s->phase = PHASE_DONE;
    return NULL;
}

void split_answered(struct split *s, uint8_t code)
{
    struct node *n = &s->nodes[s->phase == PHASE_FIND ? s->at : s->at - 1];

    s->cost++;
    n->state = code == 0 ? NODE_READ : NODE_REFUSED;
    n->code = code;
    n->is_sure = s->is_alive;
    s->is_alive = s->is_alive || code == 0;
    if (s->phase == PHASE_CONFIRM) {
        s->at--;
        return;
    }
    if (code > 0)
        add_children(s, s->at);
    s->at++;
}

void split_other_was_read(struct split *s)
{
    s->is_alive = true;
}

bool split_is_done(const struct split *s)
{
    return s->phase == PHASE_DONE;
}

/* From the last register of one side to the first of the other, or only what is between them. */
static struct hole seam_at(const struct split *s, const struct node *n)
{
    size_t middle = s->nodes[n->children].end;
    const struct tag_settings *right = tag_of(s, middle);
    struct hole hole = {.table = (uint8_t)right->table, .is_seam = true, .code = n->code, .to = right->address};

    for (size_t i = n->first; i < middle; i++)
        if (tag_end(tag_of(s, i)) > hole.from)
            hole.from = tag_end(tag_of(s, i));
    if (hole.from < hole.to)
        return hole;
    if (hole.from == hole.to) {
        hole.from--;
        hole.to++;
        return hole;
    }
    hole.to = tag_end(right) > hole.from ? tag_end(right) : hole.from;
    hole.from = tag_of(s, middle - 1)->address;
    return hole;
}

static struct hole hole_at(const struct split *s, const struct node *n)
{
    const struct tag_settings *tag = tag_of(s, n->first);

    return (struct hole){.table = (uint8_t)tag->table, .code = n->code, .from = tag->address, .to = tag_end(tag)};
}

int split_found(const struct split *s, struct holes *holes, int64_t now_ms)
{
    assert(split_is_done(s));
    for (size_t i = 0; i < s->node_count; i++) {
        const struct node *n = &s->nodes[i];
        int r = 0;

        if (is_finding(s, n))
            r = holes_add(holes, n->children > 0 ? seam_at(s, n) : hole_at(s, n), now_ms, HOLE_RETRY_MIN_MS);
        if (r < 0)
            return r;
    }
    return 0;
}

bool split_is_of(const struct split *s, const struct request *req)
{
    return s->refused.table == req->table && s->refused.poll_ms == req->poll_ms &&
           s->refused.tag_count == req->tag_count &&
           memcmp(s->tags, req->tags, req->tag_count * sizeof(s->tags[0])) == 0;
}

size_t split_cost(const struct split *s)
{
    return s->cost;
}
