/* sim_device - see sim_device.h. */
#include "drivers/simulator/sim_device.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/reading.h"
#include "drivers/modbus.h"
#include "drivers/simulator/signal.h"
#include "drivers/simulator/sim_ranges.h"

enum { TABLES = 4, BITS_PER_REGISTER = 16 };

/* What of one table exists: addresses from..from + count, of which some may be read. */
struct extent {
    uint32_t from;
    uint32_t count;
    bool *readable;
};

struct sim_tag {
    struct sim_play play;
    bool held; /* stays as it is */
};

struct sim_device {
    const struct device_settings *settings;
    uint64_t seed;
    struct extent extents[TABLES];
    pthread_mutex_t lock; /* guards what follows */
    modbus_mapping_t *map;
    struct sim_tag *tags;
    struct sim_fault fault;
    uint32_t random;
};

static uint32_t width(const struct tag_settings *tag)
{
    return table_is_bits(tag->table) ? 1 : tag_width(tag);
}

static void measure(const struct device_settings *s, enum modbus_table table, struct extent *e)
{
    uint32_t end = 0;

    for (size_t i = 0; i < s->tag_count; i++) {
        const struct tag_settings *tag = &s->tags[i];

        if (tag->table != table)
            continue;
        if (end == 0 || tag->address < e->from)
            e->from = tag->address;
        if (tag->address + width(tag) > end)
            end = tag->address + width(tag);
    }
    e->count = end - (end == 0 ? 0 : e->from);
}

static void fill_gaps(struct extent *e, uint32_t max_gap)
{
    uint32_t end = 0; /* of the last described register */

    for (uint32_t i = 0; i < e->count; i++) {
        if (!e->readable[i])
            continue;
        if (i - end <= max_gap)
            memset(e->readable + end, true, i - end);
        end = i + 1;
    }
}

static void mark_readable(struct sim_device *d, enum modbus_table table)
{
    const struct device_settings *s = d->settings;
    struct extent *e = &d->extents[table];

    for (size_t i = 0; i < s->tag_count; i++)
        if (s->tags[i].table == table)
            memset(e->readable + s->tags[i].address - e->from, true, width(&s->tags[i]));
    fill_gaps(e, s->max_gap * (table_is_bits(table) ? (uint32_t)BITS_PER_REGISTER : 1));
}

static int lay_out(struct sim_device *d, enum modbus_table table)
{
    struct extent *e = &d->extents[table];

    measure(d->settings, table, e);
    e->readable = calloc(e->count + 1, sizeof(*e->readable));
    if (!e->readable)
        return -ENOMEM;
    mark_readable(d, table);
    return 0;
}

int sim_device_new(const struct device_settings *settings, uint64_t seed, struct sim_device **ret_device)
{
    struct sim_device *d = calloc(1, sizeof(*d));
    const struct extent *e;

    if (!d)
        return -ENOMEM;
    d->settings = settings;
    d->seed = seed;
    pthread_mutex_init(&d->lock, NULL);
    d->random = (uint32_t)seed | 1;
    d->tags = calloc(settings->tag_count + 1, sizeof(*d->tags));
    for (int table = 0; table < TABLES; table++)
        if (!d->tags || lay_out(d, (enum modbus_table)table) < 0)
            goto fail;
    e = d->extents;
    d->map = modbus_mapping_new_start_address(e[TABLE_COIL].from, e[TABLE_COIL].count, e[TABLE_DISCRETE].from,
                                              e[TABLE_DISCRETE].count, e[TABLE_HOLDING].from, e[TABLE_HOLDING].count,
                                              e[TABLE_INPUT].from, e[TABLE_INPUT].count);
    if (!d->map)
        goto fail;
    sim_device_move(d, 0);
    *ret_device = d;
    return 0;

fail:
    sim_device_free(d);
    return -ENOMEM;
}

void sim_device_free(struct sim_device *d)
{
    if (!d)
        return;
    for (int table = 0; table < TABLES; table++)
        free(d->extents[table].readable);
    if (d->map)
        modbus_mapping_free(d->map);
    free(d->tags);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

const struct device_settings *sim_device_settings(const struct sim_device *d)
{
    return d->settings;
}

static uint8_t *bit_of(struct sim_device *d, const struct tag_settings *tag)
{
    uint8_t *bits = tag->table == TABLE_COIL ? d->map->tab_bits : d->map->tab_input_bits;

    return bits + (tag->address - d->extents[tag->table].from);
}

static uint16_t *registers_of(struct sim_device *d, const struct tag_settings *tag)
{
    uint16_t *regs = tag->table == TABLE_HOLDING ? d->map->tab_registers : d->map->tab_input_registers;

    return regs + (tag->address - d->extents[tag->table].from);
}

static void store(struct sim_device *d, const struct tag_settings *tag, double value)
{
    if (table_is_bits(tag->table))
        *bit_of(d, tag) = value != 0.0;
    else
        modbus_encode(tag, value, registers_of(d, tag));
}

void sim_device_move(struct sim_device *d, int64_t t_ms)
{
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->settings->tag_count; i++) {
        const struct tag_settings *tag = &d->settings->tags[i];

        if (d->tags[i].held)
            continue;
        if (d->tags[i].play.kind == PLAY_SIGNAL)
            store(d, tag, signal_value(tag, d->seed, t_ms));
        else
            store(d, tag, sim_play_value(&d->tags[i].play, t_ms));
    }
    pthread_mutex_unlock(&d->lock);
}

static int find_tag(const struct sim_device *d, struct str name, size_t *ret_index)
{
    for (size_t i = 0; i < d->settings->tag_count; i++)
        if (str_equal(str_of(d->settings->tags[i].name), name)) {
            *ret_index = i;
            return 0;
        }
    return -ENOENT;
}

static int store_text(struct sim_device *d, const struct tag_settings *tag, struct str value)
{
    bool bit;
    int r;

    if (!table_is_bits(tag->table))
        return modbus_encode_text(tag, value, registers_of(d, tag));
    r = modbus_encode_bit(tag, value, &bit);
    if (r == 0)
        *bit_of(d, tag) = bit;
    return r;
}

int sim_device_set(struct sim_device *d, struct str tag, struct str value)
{
    size_t i;
    int r = find_tag(d, tag, &i);

    if (r < 0)
        return r;
    pthread_mutex_lock(&d->lock);
    r = store_text(d, &d->settings->tags[i], value);
    if (r == 0)
        d->tags[i].held = true;
    pthread_mutex_unlock(&d->lock);
    return r;
}

int sim_device_play(struct sim_device *d, struct str tag, const struct sim_play *play)
{
    size_t i;
    int r = find_tag(d, tag, &i);

    if (r < 0)
        return r;
    pthread_mutex_lock(&d->lock);
    d->tags[i] = (struct sim_tag){.play = *play};
    pthread_mutex_unlock(&d->lock);
    return 0;
}

int sim_device_get(struct sim_device *d, struct str name, struct buf *out)
{
    const struct tag_settings *tag;
    struct reading reading;
    char text[VALUE_TEXT_MAX];
    size_t i;

    if (find_tag(d, name, &i) < 0)
        return -ENOENT;
    tag = &d->settings->tags[i];
    pthread_mutex_lock(&d->lock);
    if (table_is_bits(tag->table))
        reading = modbus_decode_bit(tag, (uint32_t)i, *bit_of(d, tag) != 0);
    else
        reading = modbus_decode(tag, (uint32_t)i, registers_of(d, tag), text);
    pthread_mutex_unlock(&d->lock);
    value_print(&reading.value, out);
    if (reading.reason.kind != REASON_NONE) {
        buf_put_u8(out, '!');
        reason_print(reading.reason, out);
    }
    return 0;
}

void sim_device_freeze(struct sim_device *d, bool frozen)
{
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->settings->tag_count; i++)
        d->tags[i].held = frozen;
    pthread_mutex_unlock(&d->lock);
}

void sim_device_set_fault(struct sim_device *d, struct sim_fault fault)
{
    pthread_mutex_lock(&d->lock);
    d->fault = fault;
    pthread_mutex_unlock(&d->lock);
}

struct sim_fault sim_device_suffer(struct sim_device *d)
{
    struct sim_fault fault;

    pthread_mutex_lock(&d->lock);
    fault = d->fault;
    if (fault.kind != FAULT_NONE && sim_random(&d->random) % 100 >= fault.percent)
        fault.kind = FAULT_NONE;
    else if (fault.kind == FAULT_LATE)
        d->fault.kind = FAULT_NONE;
    pthread_mutex_unlock(&d->lock);
    return fault;
}

int sim_device_make_hole(struct sim_device *d, enum modbus_table table, uint32_t from, uint32_t to)
{
    struct extent *e = &d->extents[table];

    if (from > to || from < e->from || to >= e->from + e->count)
        return -EINVAL;
    pthread_mutex_lock(&d->lock);
    memset(e->readable + (from - e->from), false, to - from + 1);
    pthread_mutex_unlock(&d->lock);
    return 0;
}

void sim_device_fill_holes(struct sim_device *d)
{
    pthread_mutex_lock(&d->lock);
    for (int table = 0; table < TABLES; table++)
        mark_readable(d, (enum modbus_table)table);
    pthread_mutex_unlock(&d->lock);
}

static bool is_readable(const struct extent *e, const struct sim_range *range)
{
    if (range->address < e->from || range->address + range->count > e->from + e->count)
        return false;
    for (uint32_t i = 0; i < range->count; i++)
        if (!e->readable[range->address - e->from + i])
            return false;
    return true;
}

/* What somebody wrote stays written. */
static void hold_written(struct sim_device *d, const struct sim_range *range)
{
    for (size_t i = 0; i < d->settings->tag_count; i++) {
        const struct tag_settings *tag = &d->settings->tags[i];

        if (tag->table == range->table && tag->address < range->address + range->count &&
            range->address < tag->address + width(tag))
            d->tags[i].held = true;
    }
}

int sim_device_reply(struct sim_device *d, modbus_t *modbus, const uint8_t *request, int len, const uint8_t *pdu)
{
    struct sim_range ranges[SIM_RANGES_MAX];
    size_t count = sim_ranges(pdu, ranges);
    bool refused = false;
    int r;

    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < count; i++)
        refused |= !is_readable(&d->extents[ranges[i].table], &ranges[i]);
    for (size_t i = 0; i < count && !refused; i++)
        if (ranges[i].writes)
            hold_written(d, &ranges[i]);
    if (refused)
        r = modbus_reply_exception(modbus, request, MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS);
    else
        r = modbus_reply(modbus, request, len, d->map);
    pthread_mutex_unlock(&d->lock);
    return r;
}
