/* scan_order - see scan_order.h. */
#include "commission/scan_order.h"

#include "core/str.h"

/* Factory settings, round numbers, and what people count from. */
static bool is_likely(uint8_t unit)
{
    static const uint8_t often[] = {20, 30, 32, 40, 50, 60, 64, 100, 101, 110, 111, 126, 127, 200, 240, 247, 255};

    if (unit <= 16)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(often); i++)
        if (often[i] == unit)
            return true;
    return false;
}

static void add_units(struct scan_order *o, const uint8_t *units, size_t count, bool likely)
{
    for (size_t i = 0; i < count; i++)
        if (is_likely(units[i]) == likely)
            o->units[o->unit_count++] = units[i];
}

void scan_order_init(struct scan_order *o, const uint8_t *units, size_t unit_count, size_t port_count)
{
    *o = (struct scan_order){.port_count = port_count};
    add_units(o, units, unit_count, true);
    o->likely_count = o->unit_count;
    add_units(o, units, unit_count, false);
}

static const struct scan_pass {
    bool configured;
    bool likely;
    bool others;
    enum modbus_table table;
} passes[] = {
    {true, true, false, TABLE_HOLDING},  {true, false, true, TABLE_HOLDING}, {false, true, false, TABLE_HOLDING},
    {false, false, true, TABLE_HOLDING}, {true, true, true, TABLE_INPUT},
};

static size_t first_unit(const struct scan_order *o, const struct scan_pass *pass)
{
    return pass->likely ? 0 : o->likely_count;
}

static size_t end_unit(const struct scan_order *o, const struct scan_pass *pass)
{
    return pass->others ? o->unit_count : o->likely_count;
}

static bool is_wanted(const struct scan_order *o, const struct scan_pass *pass, size_t at)
{
    return pass->table == TABLE_HOLDING || !o->answered[o->units[at]];
}

/* To the first unit of the next line settings, or of the next pass. */
static void next_port(struct scan_order *o)
{
    const struct scan_pass *pass = &passes[o->pass];

    o->port++;
    if (pass->configured || o->port >= o->port_count) {
        o->pass++;
        if (o->pass == ARRAY_LEN(passes))
            return;
        pass = &passes[o->pass];
        o->port = pass->configured ? 0 : 1;
    }
    o->at = first_unit(o, pass);
}

bool scan_order_next(struct scan_order *o, struct scan_target *ret_target)
{
    while (o->pass < ARRAY_LEN(passes)) {
        const struct scan_pass *pass = &passes[o->pass];
        bool port_left = pass->configured || o->port < o->port_count;
        size_t at = o->at;

        if (!port_left || at >= end_unit(o, pass)) {
            next_port(o);
            continue;
        }
        o->at++;
        if (!is_wanted(o, pass, at))
            continue;
        *ret_target = (struct scan_target){.unit = o->units[at], .port = o->port, .table = pass->table};
        return true;
    }
    return false;
}

size_t scan_order_total(const struct scan_order *o)
{
    return o->unit_count * (o->port_count + 1);
}
