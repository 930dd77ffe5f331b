/* serial_match - see serial_match.h. */
#include "drivers/serial_match.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct group {
    const char *name; /* in the compiled pattern */
    uint16_t number;
};

struct match {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
    const char *text; /* of the last run */
    struct group groups[MATCH_GROUP_MAX];
    size_t group_count;
};

/* The name table: entries of one size, a number in two bytes and then the name, sorted by name. */
static int read_groups(struct match *m)
{
    uint32_t count = 0;
    uint32_t size = 0;
    const uint8_t *entry = NULL;

    pcre2_pattern_info(m->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(m->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(m->code, PCRE2_INFO_NAMETABLE, &entry);
    if (count > MATCH_GROUP_MAX)
        return -EINVAL;
    for (uint32_t i = 0; i < count; i++, entry += size) {
        uint16_t number = (uint16_t)(entry[0] << 8 | entry[1]);
        size_t at = m->group_count++;

        for (; at > 0 && m->groups[at - 1].number > number; at--)
            m->groups[at] = m->groups[at - 1];
        m->groups[at] = (struct group){.name = (const char *)entry + 2, .number = number};
    }
    return 0;
}

static int compile(struct match *m, const char *pattern, struct match_error *ret_error)
{
    PCRE2_SIZE offset;
    int error;

    m->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &error, &offset, NULL);
    if (!m->code) {
        ret_error->offset = offset;
        pcre2_get_error_message(error, (PCRE2_UCHAR *)ret_error->text, sizeof(ret_error->text));
        return -EINVAL;
    }
    if (read_groups(m) < 0) {
        *ret_error = (struct match_error){0};
        snprintf(ret_error->text, sizeof(ret_error->text), "more than %d named groups", MATCH_GROUP_MAX);
        return -EINVAL;
    }
    return 0;
}

int match_new(const char *pattern, struct match **ret_match, struct match_error *ret_error)
{
    struct match *m = calloc(1, sizeof(*m));
    int r;

    if (!m)
        return -ENOMEM;
    r = compile(m, pattern, ret_error);
    if (r < 0)
        goto fail;
    m->data = pcre2_match_data_create_from_pattern(m->code, NULL);
    m->limits = pcre2_match_context_create(NULL);
    if (!m->data || !m->limits) {
        r = -ENOMEM;
        goto fail;
    }
    pcre2_set_match_limit(m->limits, MATCH_LIMIT);
    pcre2_set_heap_limit(m->limits, MATCH_HEAP_KIB);
    *ret_match = m;
    return 0;

fail:
    match_free(m);
    return r;
}

void match_free(struct match *m)
{
    if (!m)
        return;
    pcre2_match_context_free(m->limits);
    pcre2_match_data_free(m->data);
    pcre2_code_free(m->code);
    free(m);
}

size_t match_group_count(const struct match *m)
{
    return m->group_count;
}

const char *match_group_name(const struct match *m, size_t index)
{
    return m->groups[index].name;
}

int match_run(struct match *m, struct str text)
{
    int r = pcre2_match(m->code, (PCRE2_SPTR)text.data, text.len, 0, 0, m->data, m->limits);

    m->text = text.data;
    if (r > 0)
        return 1;
    return r == PCRE2_ERROR_NOMATCH ? 0 : -E2BIG;
}

bool match_group_text(const struct match *m, size_t index, struct str *ret_text)
{
    const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(m->data) + 2 * (size_t)m->groups[index].number;

    if (bounds[0] == PCRE2_UNSET || bounds[1] < bounds[0])
        return false;
    *ret_text = (struct str){.data = m->text + bounds[0], .len = bounds[1] - bounds[0]};
    return true;
}
