/*
 * Fuzz target of topic names, filters and text, held against plain readings of
 * the standard (4.7, 4.8.2, 1.5.4).
 *
 *   | length of the filter | filter | name
 */
#include "core/utf8.h"
#include "mqtt/topic.h"
#include "mqtt/wire.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_LEVELS = 512 };

struct levels {
    struct str at[MAX_LEVELS];
    size_t count;
};

static bool has(struct str s, char c)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == c)
            return true;
    return false;
}

static struct str from(struct str s, size_t at)
{
    return (struct str){.data = s.data + at, .len = s.len - at};
}

/* Nothing, or a slash, to the left and the right of the character at `i`. */
static bool alone(struct str s, size_t i)
{
    return (i == 0 || s.data[i - 1] == '/') && (i + 1 == s.len || s.data[i + 1] == '/');
}

static bool plain_filter(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\0' || ((s.data[i] == '+' || s.data[i] == '#') && !alone(s, i)))
            return false;
        if (s.data[i] == '#' && i + 1 < s.len)
            return false;
    }
    return s.len > 0;
}

/* How long "$share/NAME/" is at the start; 0 when it is not there. */
static size_t share_len(struct str s)
{
    size_t i = 7;

    if (!str_starts_with(s, str_of("$share/")))
        return 0;
    while (i < s.len && s.data[i] != '/' && s.data[i] != '+' && s.data[i] != '#')
        i++;
    return i > 7 && i + 1 < s.len && s.data[i] == '/' ? i + 1 : 0;
}

static bool filter_valid(struct str s)
{
    size_t share = share_len(s);

    if (str_starts_with(s, str_of("$share/")))
        return share > 0 && plain_filter(from(s, share)) && !has(s, '\0');
    return plain_filter(s);
}

static bool split(struct str s, struct levels *l)
{
    size_t start = 0;

    l->count = 0;
    for (size_t i = 0; i <= s.len; i++) {
        if (i < s.len && s.data[i] != '/')
            continue;
        if (l->count == MAX_LEVELS)
            return false;
        l->at[l->count++] = (struct str){.data = s.data + start, .len = i - start};
        start = i + 1;
    }
    return true;
}

static bool levels_match(const struct levels *filter, const struct levels *name)
{
    for (size_t i = 0; i < filter->count; i++) {
        if (str_equal(filter->at[i], str_of("#")))
            return i <= name->count;
        if (i == name->count)
            return false;
        if (!str_equal(filter->at[i], str_of("+")) && !str_equal(filter->at[i], name->at[i]))
            return false;
    }
    return filter->count == name->count;
}

static bool matches(struct str filter, struct str name, bool *ret_known)
{
    struct levels f;
    struct levels n;

    *ret_known = split(filter, &f) && split(name, &n);
    if (!*ret_known)
        return false;
    if (name.data[0] == '$' && (filter.data[0] == '+' || filter.data[0] == '#'))
        return false;
    return levels_match(&f, &n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str filter;
    struct str name;
    struct str group;
    struct str rest;
    size_t share;
    bool known;
    bool expected;

    if (size == 0)
        return 0;
    filter.data = (const char *)data + 1;
    filter.len = data[0] < size ? data[0] : size - 1;
    name = from((struct str){.data = (const char *)data + 1, .len = size - 1}, filter.len);
    share = share_len(filter);

    REQUIRE(topic_name_valid(name) ==
            (name.len > 0 && name.len < 65536 && !has(name, '+') && !has(name, '#') && !has(name, '\0')));
    REQUIRE(topic_filter_valid(filter) == filter_valid(filter));
    REQUIRE(topic_filter_shared(filter, &group, &rest) == (share > 0));
    if (share > 0)
        REQUIRE(group.len == share - 8 && str_equal(rest, from(filter, share)));
    REQUIRE(mqtt_text_valid(name) == (utf8_valid(name) && !has(name, '\0')));

    if (topic_name_valid(name) && plain_filter(filter)) {
        expected = matches(filter, name, &known);
        REQUIRE(!known || topic_matches(filter, name) == expected);
    }
    return 0;
}
