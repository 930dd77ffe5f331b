/* filters - see filters.h. */
#include "access/filters.h"

#include "mqtt/topic.h"

static bool is_char(struct str s, char c)
{
    return s.len == 1 && s.data[0] == c;
}

static bool begins_with_wildcard(struct str s)
{
    return s.len > 0 && (s.data[0] == '+' || s.data[0] == '#');
}

/* 4.7.2: "$SYS" and its like are not for those who ask for everything. */
static bool apart(struct str a, struct str b)
{
    return begins_with_wildcard(a) && b.len > 0 && b.data[0] == '$';
}

/* "a/#" matches "a" too (4.7.1.2): what is left is "#" alone. */
static bool ends_here(struct str rest, bool more)
{
    return !more || is_char(rest, '#');
}

bool filters_overlap(struct str a, struct str b)
{
    bool more_a = true;
    bool more_b = true;
    struct str level_a;
    struct str level_b;

    if (apart(a, b) || apart(b, a))
        return false;
    while (more_a && more_b) {
        topic_next_level(&a, &more_a, &level_a);
        topic_next_level(&b, &more_b, &level_b);
        if (is_char(level_a, '#') || is_char(level_b, '#'))
            return true;
        if (!is_char(level_a, '+') && !is_char(level_b, '+') && !str_equal(level_a, level_b))
            return false;
    }
    return ends_here(a, more_a) && ends_here(b, more_b);
}

bool filter_covers(struct str wide, struct str narrow)
{
    bool more_wide = true;
    bool more_narrow = true;
    struct str want;
    struct str have;

    if (apart(wide, narrow))
        return false;
    while (more_wide && more_narrow) {
        topic_next_level(&wide, &more_wide, &want);
        topic_next_level(&narrow, &more_narrow, &have);
        if (is_char(want, '#'))
            return true;
        if (is_char(have, '#') || (!is_char(want, '+') && !str_equal(want, have)))
            return false;
    }
    return ends_here(wide, more_wide) && !more_narrow;
}
