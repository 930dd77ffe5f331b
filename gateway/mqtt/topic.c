/* topic - see topic.h. */
#include "mqtt/topic.h"

#include <stdint.h>
#include <string.h>

#define SHARE_PREFIX "$share/"

enum { MAX_TOPIC_LEN = 65535 };

static bool contains(struct str s, char c)
{
    return s.len > 0 && memchr(s.data, c, s.len);
}

static bool is_char(struct str s, char c)
{
    return s.len == 1 && s.data[0] == c;
}

bool topic_next_level(struct str *rest, bool *more, struct str *ret_level)
{
    const char *slash;

    if (!*more)
        return false;

    slash = rest->len > 0 ? memchr(rest->data, '/', rest->len) : NULL;
    *ret_level = *rest;
    *more = slash;
    if (slash) {
        ret_level->len = (size_t)(slash - rest->data);
        rest->data += ret_level->len + 1;
        rest->len -= ret_level->len + 1;
    } else {
        rest->data += rest->len;
        rest->len = 0;
    }
    return true;
}

bool topic_name_valid(struct str name)
{
    if (name.len == 0 || name.len > MAX_TOPIC_LEN)
        return false;
    return !contains(name, '+') && !contains(name, '#') && !contains(name, '\0');
}

static bool plain_filter_valid(struct str filter)
{
    struct str level;
    bool more = true;

    if (filter.len == 0 || filter.len > MAX_TOPIC_LEN || contains(filter, '\0'))
        return false;

    while (topic_next_level(&filter, &more, &level)) {
        if (contains(level, '+') && level.len > 1)
            return false;
        if (contains(level, '#') && (level.len > 1 || more))
            return false;
    }
    return true;
}

bool topic_filter_is_shared(struct str filter)
{
    return str_starts_with(filter, str_of(SHARE_PREFIX));
}

bool topic_filter_shared(struct str filter, struct str *ret_name, struct str *ret_filter)
{
    const struct str prefix = str_of(SHARE_PREFIX);
    struct str rest = filter;
    struct str name;
    bool more = true;

    if (!str_starts_with(filter, prefix))
        return false;
    rest.data += prefix.len;
    rest.len -= prefix.len;
    topic_next_level(&rest, &more, &name);
    if (!more || name.len == 0 || rest.len == 0 || contains(name, '+') || contains(name, '#'))
        return false;

    *ret_name = name;
    *ret_filter = rest;
    return true;
}

bool topic_filter_valid(struct str filter)
{
    struct str name;
    struct str rest = filter;

    if (topic_filter_is_shared(filter) && !topic_filter_shared(filter, &name, &rest))
        return false;
    return plain_filter_valid(rest) && plain_filter_valid(filter);
}

bool topic_matches(struct str filter, struct str name)
{
    struct str want;
    struct str have;
    bool want_more = true;
    bool have_more = true;

    /* 4.7.2: "$SYS/..." and its like are not for those who ask for everything. */
    if (name.len > 0 && name.data[0] == '$' && filter.len > 0 && (filter.data[0] == '#' || filter.data[0] == '+'))
        return false;

    while (topic_next_level(&filter, &want_more, &want)) {
        if (is_char(want, '#'))
            return true; /* 4.7.1.2: the parent level too */
        if (!topic_next_level(&name, &have_more, &have))
            return false;
        if (!is_char(want, '+') && !str_equal(want, have))
            return false;
    }
    return !have_more;
}
