/* score - see score.h. */
#include "commission/score.h"

#include <math.h>

#include "core/str.h"

/* What such things measure; 0 is always possible. */
static const struct {
    const char *unit;
    double min;
    double max;
    bool either_sign;
} usual[] = {
    {"V", 0.01, 2000, true},      {"A", 0.0001, 10000, true}, {"mA", 0.0001, 1e6, true},   {"W", 0.001, 1e7, true},
    {"kW", 0.00001, 1e5, true},   {"VA", 0.001, 1e7, true},   {"kVA", 0.00001, 1e5, true}, {"var", 0.001, 1e7, true},
    {"kvar", 0.00001, 1e5, true}, {"Hz", 15, 500, false},     {"Wh", 0.1, 1e12, true},     {"kWh", 0.0001, 1e9, true},
    {"kvarh", 0.0001, 1e9, true}, {"°C", 0.01, 300, true},    {"%", 0.01, 100, false},     {"%RH", 0.01, 100, false},
    {"ppm", 0.1, 100000, false},  {"hPa", 300, 1200, false},  {"°", 0.01, 360, true},
};

/* Points that a value of a kind can bring. */
static const double known_unit = 1.5;
static const double a_word = 1.0;
static const double a_text = 1.5;
static const double other_number = 0.7;
static const double a_bit = 0.3;
static const double a_zero = 0.4;
static const double refused = 2.0;
static const double doubt = 0.6; /* what even a perfect match of few values lacks */

static struct score of(double points, double most)
{
    return (struct score){.points = points, .most = most};
}

static struct score score_number(const struct tag_settings *tag, double v)
{
    if (v == 0)
        return of(a_zero / 2, a_zero);
    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        if (!str_equal(str_of(usual[i].unit), str_of(tag->unit)))
            continue;
        if (fabs(v) < usual[i].min || fabs(v) > usual[i].max || (v < 0 && !usual[i].either_sign))
            return of(0, refused);
        return of(known_unit, known_unit);
    }
    if (!type_is_float(tag->type))
        return of(other_number * 0.8, other_number);
    /* Two registers that are no float make one of any size. */
    return fabs(v) > 1e-6 && fabs(v) < 1e9 ? of(other_number, other_number) : of(0, refused);
}

static struct score score_value(const struct tag_settings *tag, const struct value *v)
{
    switch (v->type) {
    case VALUE_TEXT:
        if (tag->form.word_count > 0)
            return of(a_word, a_word);
        return v->text.len > 0 ? of(a_text, a_text) : of(a_zero / 2, a_zero);
    case VALUE_BOOL:
        return of(a_bit / 2, a_bit);
    case VALUE_INT:
        return score_number(tag, (double)v->i);
    case VALUE_UINT:
        return score_number(tag, (double)v->u);
    case VALUE_FLOAT:
    case VALUE_DOUBLE:
        return score_number(tag, v->d);
    case VALUE_NONE:
        break;
    }
    return of(0, 0);
}

struct score score_reading(const struct tag_settings *tag, const struct reading *r)
{
    if (r->reason.kind == REASON_SENTINEL)
        return of(a_zero / 2, a_zero);
    if (r->reason.kind != REASON_NONE)
        return of(0, refused);
    return score_value(tag, &r->value);
}

int score_percent(const struct score *sum)
{
    return (int)lround(100.0 * sum->points / (sum->most + doubt));
}
