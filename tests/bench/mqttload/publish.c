/* publish - see publish.h. */
#include "publish.h"

#include <string.h>

#include "basics.h"
#include "client.h"
#include "options.h"
#include "packets.h"
#include "stamp.h"
#include "topics.h"
#include "wire.h"

#define TOPIC_NUMBER "/00000000"

enum { NUMBER_DIGITS = sizeof(TOPIC_NUMBER) - 2, IDS = 65536, IDS_PER_WORD = 64 };

/* The filler: bytes that differ from one publisher to the next and do not compress. */
static void fill(uint8_t *payload, unsigned index)
{
    uint64_t x = UINT64_C(0x2545f4914f6cdd1d) * (index + 1);

    for (unsigned i = STAMP_BYTES; i < opt.payload; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        payload[i] = (uint8_t)x;
    }
}

static void make_packet(struct publisher *p, unsigned index)
{
    struct topic topic = topic_of_publisher(index);
    size_t number_len = opt.topics ? strlen(TOPIC_NUMBER) : 0;
    size_t topic_len = strlen(topic.text);
    size_t rest;
    size_t n = 0;
    uint8_t header[1 + WIRE_VARINT_MAX];

    memcpy(topic.text + topic_len, TOPIC_NUMBER, number_len);
    topic.text[topic_len + number_len] = '\0';
    rest = 2 + topic_len + number_len + (opt.qos ? 2 : 0) + (opt.mqtt == 5 ? 1 : 0) + opt.payload;
    header[n++] = (uint8_t)(PACKET_PUBLISH | opt.qos << 1 | (opt.retain ? 1 : 0));
    n += wire_put_varint(header + n, (uint32_t)rest);

    p->packet_len = n + rest;
    p->packet = must_calloc(1, p->packet_len);
    memcpy(p->packet, header, n);
    n += wire_put_text(p->packet + n, topic.text);
    p->topic_end = n;
    p->id_at = n;
    p->payload_at = p->packet_len - opt.payload;
    fill(p->packet + p->payload_at, index);
}

void publisher_init(struct publisher *p, unsigned index)
{
    bool heard = opt.mode != MODE_ENQUEUE && opt.mode != MODE_RETAINED;

    client_init(&p->client, ROLE_PUBLISHER, index);
    make_packet(p, index);
    if (opt.qos)
        p->ids_used = must_calloc(IDS / IDS_PER_WORD, sizeof(*p->ids_used));
    p->window = opt.window;
    p->listeners = heard ? listeners_of(index) : 0;
}

/* ---- packet ids ---- */

bool publisher_awaits(const struct publisher *p, unsigned id)
{
    return p->ids_used && p->ids_used[id / IDS_PER_WORD] >> (id % IDS_PER_WORD) & 1;
}

static unsigned take_id(struct publisher *p)
{
    do {
        if (++p->last_id == 0)
            p->last_id = 1;
    } while (publisher_awaits(p, p->last_id));
    p->ids_used[p->last_id / IDS_PER_WORD] |= UINT64_C(1) << (p->last_id % IDS_PER_WORD);
    p->inflight++;
    return p->last_id;
}

void publisher_acked(struct publisher *p, unsigned id)
{
    p->ids_used[id / IDS_PER_WORD] &= ~(UINT64_C(1) << (id % IDS_PER_WORD));
    p->inflight--;
    p->acked++;
}

/* ---- how much, and when ---- */

static uint64_t room_in_window(const struct publisher *p)
{
    return p->inflight < p->window ? p->window - p->inflight : 0;
}

/* So many messages until it would be --credit ahead of all its listeners together. */
static uint64_t room_in_credit(const struct publisher *p)
{
    uint64_t delivered = atomic_load_explicit(&p->delivered, memory_order_relaxed);
    uint64_t ahead = (uint64_t)p->sent * p->listeners - delivered;
    uint64_t limit = (uint64_t)opt.credit * p->listeners;

    return ahead < limit ? (limit - ahead) / p->listeners : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How many messages a publisher may write now. At full speed it is a whole batch or nothing: were it to use each bit
 * of room as it comes, broker and generator could fall into step at one message a turn, by chance, and runs would
 * differ tenfold. */
static uint32_t allowance(const struct publisher *p)
{
    uint64_t want = least(opt.messages - p->sent, opt.batch);
    uint64_t room = want;

    if (p->client.state != CLIENT_UP || client_has_output(&p->client))
        return 0;
    if (opt.qos)
        room = room_in_window(p);
    if (opt.rate > 0)
        return (uint32_t)least(room, want);
    if (opt.credit && p->listeners)
        room = least(room, room_in_credit(p));
    return room < want ? 0 : (uint32_t)want;
}

static void put_topic_number(uint8_t *end, unsigned number)
{
    for (unsigned i = 1; i <= NUMBER_DIGITS; i++, number /= 10)
        end[-(int)i] = (uint8_t)('0' + number % 10);
}

static void append(struct publisher *p, uint64_t ns)
{
    uint8_t *to = client_room(&p->client, p->packet_len);

    memcpy(to, p->packet, p->packet_len);
    if (opt.topics)
        put_topic_number(to + p->topic_end, p->sent % opt.topics);
    if (opt.qos)
        wire_put_u16(to + p->id_at, take_id(p));
    stamp_write(to + p->payload_at, opt.payload, p->client.index, p->sent, ns);
    p->sent++;
}

static uint32_t append_batch(struct publisher *p, uint32_t count)
{
    uint64_t now = count ? now_ns() : 0;

    for (uint32_t i = 0; i < count; i++)
        append(p, now);
    return count;
}

/* Of a fixed rate: those that are due; latency counts from then on. */
static uint32_t append_due(struct publisher *p, uint32_t most, uint64_t now)
{
    uint32_t n = 0;

    for (; n < most && p->due_ns <= now; n++) {
        histogram_add(&p->client.loop->late, now - p->due_ns);
        append(p, p->due_ns);
        p->due_ns += (uint64_t)(1e9 / opt.rate);
    }
    return n;
}

static void check_done(struct publisher *p)
{
    if (p->done || p->sent < opt.messages || client_has_output(&p->client))
        return;
    if (opt.qos && p->acked < p->sent)
        return;
    p->done = true;
    atomic_fetch_add(&load.done, 1);
}

/* When the publisher wants to be called again. */
static uint64_t pump(struct publisher *p, uint64_t now)
{
    uint64_t wake = UINT64_MAX;
    uint32_t may = allowance(p);
    uint32_t sent = opt.rate > 0 ? append_due(p, may, now) : append_batch(p, may);

    if (opt.rate > 0 && sent < may)
        wake = p->due_ns;
    if (sent)
        client_flush(&p->client);
    check_done(p);
    if (sent && allowance(p) && (opt.rate <= 0 || p->due_ns <= now))
        wake = 0;
    return wake;
}

uint64_t publishers_pump(struct loop *l)
{
    uint64_t wake = UINT64_MAX;
    uint64_t now = now_ns();

    for (unsigned i = 0; i < l->publisher_count; i++)
        if (!l->publishers[i]->done)
            wake = least(wake, pump(l->publishers[i], now));
    return wake;
}

void publishers_set_due(uint64_t start_ns)
{
    for (unsigned i = 0; opt.rate > 0 && i < opt.publishers; i++)
        load.publishers[i].due_ns = start_ns + (uint64_t)(1e9 / opt.rate * i / opt.publishers);
}
