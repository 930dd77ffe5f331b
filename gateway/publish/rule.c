/* rule - see rule.h. */
#include "publish/rule.h"

#include <float.h>
#include <math.h>

/* What scaling rounds is no movement: 0.4 is 0.1 away from 0.3 and not, as doubles have it, a little more. */
static bool is_beyond(double from, double to, double limit)
{
    double rounding = 4 * DBL_EPSILON * fmax(fabs(from), fabs(to));

    return fabs(to - from) > limit + rounding;
}

static double limit_of(const struct deadband *band, double told)
{
    return band->percent ? fabs(told) * band->size / 100 : band->size;
}

/* Values of a tag have all one type. Integers are subtracted as such: a double holds 53 bits of them. */
static bool beyond_deadband(const struct deadband *band, const struct value *from, const struct value *to)
{
    if (from->type == VALUE_INT && to->type == VALUE_INT) {
        uint64_t distance = from->i > to->i ? (uint64_t)from->i - (uint64_t)to->i : (uint64_t)to->i - (uint64_t)from->i;

        return (double)distance > limit_of(band, (double)from->i);
    }
    if (from->type == VALUE_UINT && to->type == VALUE_UINT) {
        uint64_t distance = from->u > to->u ? from->u - to->u : to->u - from->u;

        return (double)distance > limit_of(band, (double)from->u);
    }
    if ((from->type == VALUE_FLOAT || from->type == VALUE_DOUBLE) && from->type == to->type)
        return is_beyond(from->d, to->d, limit_of(band, from->d));
    return true; /* a bool has no distance */
}

/* Whether the reading is worth a message of its own. */
static bool is_wanted(const struct tag_state *tag)
{
    const struct publish_rules *rules = &tag->settings->rules;

    if (rules->on == PUBLISH_ALWAYS)
        return true;
    return !value_equal(&tag->told, &tag->value) && beyond_deadband(&rules->deadband, &tag->told, &tag->value);
}

int64_t rule_due(const struct tag_state *tag)
{
    const struct publish_rules *rules = &tag->settings->rules;

    if (!tag->fresh)
        return INT64_MAX;
    if (is_wanted(tag))
        return tag->told_ms + rules->min_interval_ms;
    if (rules->max_interval_ms > 0 && tag->last_failure.kind == REASON_NONE)
        return tag->told_ms + rules->max_interval_ms;
    return INT64_MAX;
}

bool rule_shows(const struct tag_state *tag)
{
    return !tag->fresh || (!is_wanted(tag) && value_equal(&tag->told, &tag->value));
}
