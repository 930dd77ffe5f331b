/* signal - see signal.h. */
#include "drivers/simulator/signal.h"

#include <math.h>
#include <string.h>

#include "core/hash.h"
#include "core/str.h"

/* Around what a quantity swings, or from where it counts up. */
struct shape {
    const char *unit;
    double base;
    double swing;
    double per_second; /* a counter: its growth */
};

static const struct shape shapes[] = {
    {"V", 230, 4, 0},     {"A", 5, 3, 0},      {"W", 1100, 600, 0},        {"VA", 1150, 600, 0},
    {"var", 120, 80, 0},  {"Hz", 50, 0.04, 0}, {"kWh", 1234.5, 0, 0.0003}, {"kvarh", 210.25, 0, 0.00005},
    {"%", 55, 20, 0},     {"°C", 21, 3, 0},    {"degC", 21, 3, 0},         {"C", 21, 3, 0},
    {"bar", 3.2, 0.4, 0}, {"m", 2.1, 0.8, 0},  {"l/min", 40, 15, 0},       {"rpm", 1480, 15, 0},
};
static const struct shape any_number = {NULL, 50, 40, 0};
static const struct shape any_ratio = {NULL, 0.9, 0.08, 0}; /* a float without a unit: a power factor, say */
static const struct shape any_counter = {NULL, 1000, 0, 1}; /* a long integer without a unit */

static const struct shape *shape_of(const struct tag_settings *tag)
{
    const char *unit = tag->unit ? tag->unit : "";

    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        if (strcmp(shapes[i].unit, unit) == 0)
            return &shapes[i];
    if (unit[0] == '\0' && type_is_float(tag->type))
        return &any_ratio;
    if (!type_is_float(tag->type) && tag_width(tag) > 1)
        return &any_counter;
    return &any_number;
}

/* One word after the other. */
static double next_word(const struct value_form *form, double turns)
{
    return (double)form->words[(size_t)(fmod(turns, 1.0) * (double)form->word_count)].raw;
}

static double within(const struct value_form *form, double v)
{
    if (!form->has_range)
        return v;
    return v < form->range_min ? form->range_min : v > form->range_max ? form->range_max : v;
}

double signal_value(const struct tag_settings *tag, uint64_t seed, int64_t t_ms)
{
    const struct shape *shape = shape_of(tag);
    uint64_t h = hash_bytes(seed, tag->name, strlen(tag->name)) ^ hash_bytes(seed, &tag->address, sizeof(tag->address));
    double phase = (double)(h % 1000) / 1000;
    double period_s = 20 + (double)(h / 1000 % 40);
    double t_s = (double)t_ms / 1000;

    if (tag->form.word_count > 0)
        return next_word(&tag->form, t_s / period_s + phase);
    if (tag->type == TYPE_BOOL || table_is_bits(tag->table) || tag->form.is_bit)
        return fmod(t_s / period_s + phase, 1.0) < 0.5;
    if (shape->per_second > 0)
        return within(&tag->form, shape->base + phase * 10 + shape->per_second * t_s);
    return within(&tag->form, shape->base + shape->swing * sin(2 * M_PI * (t_s / period_s + phase)));
}
