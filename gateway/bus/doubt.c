/* doubt - see doubt.h. */
#include "bus/doubt.h"

enum { MAX_REGISTERS = 125, MAX_BITS = 2000, ADDRESSES = 65536, BITS_IN_BYTE = 8 };

static unsigned int answer_bytes(const struct request *req)
{
    return table_is_bits(req->table) ? (req->count + 7u) / BITS_IN_BYTE : req->count * 2u;
}

static bool is_alike(const struct request *a, const struct request *b)
{
    return a->table == b->table && answer_bytes(a) == answer_bytes(b);
}

static bool is_same(const struct request *a, const struct request *b)
{
    return is_alike(a, b) && a->address == b->address && a->count == b->count;
}

static bool has_alike(const struct doubt *d, const struct request *req)
{
    for (size_t i = 0; i < d->count; i++)
        if (is_alike(&d->open[i], req))
            return true;
    return false;
}

void doubt_clear(struct doubt *d)
{
    d->count = 0;
}

void doubt_add(struct doubt *d, const struct request *req)
{
    if (has_alike(d, req) || d->count == DOUBTS_MAX)
        return;
    d->open[d->count++] = (struct request){.table = req->table, .address = req->address, .count = req->count};
}

void doubt_answered(struct doubt *d, const struct request *req)
{
    if (!has_alike(d, req))
        d->count = 0;
}

bool doubt_allows(const struct doubt *d, const struct request *req)
{
    bool full = d->count == DOUBTS_MAX;

    for (size_t i = 0; i < d->count; i++) {
        if (is_same(&d->open[i], req))
            return true;
        if (is_alike(&d->open[i], req))
            return false;
    }
    return !full;
}

/* Of fewer registers if possible, which a device has as surely as those; otherwise of more. */
static bool reshape(const struct doubt *d, struct request *q)
{
    unsigned int step = table_is_bits(q->table) ? BITS_IN_BYTE : 1;
    unsigned int most = table_is_bits(q->table) ? MAX_BITS : MAX_REGISTERS;
    unsigned int count = q->count;

    for (unsigned int fewer = count; fewer > step && has_alike(d, q); fewer -= step)
        q->count = (uint16_t)(fewer - step);
    for (unsigned int more = count + step; more <= most && q->address + more <= ADDRESSES && has_alike(d, q);
         more += step)
        q->count = (uint16_t)more;
    return !has_alike(d, q);
}

struct request doubt_question(struct doubt *d, const struct request *req)
{
    struct request q = {.table = req->table, .address = req->address, .count = req->count};

    if (!d->again && d->count < DOUBTS_MAX && reshape(d, &q)) {
        d->again = true;
        return q;
    }
    d->again = false;
    return d->open[0];
}
