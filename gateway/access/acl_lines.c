/* acl_lines - see acl_lines.h. */
#include "access/acl_lines.h"

#include <errno.h>

#include "access/acl.h"
#include "access/file_lines.h"
#include "access/findings.h"
#include "config/text.h"
#include "core/arena.h"

struct section {
    struct section *next;
    struct str user; /* NULL data: before the first `user` */
    struct acl_set *set;
};

struct parser {
    struct arena *arena;
    struct findings *findings;
    struct acl *acl;
    struct file_lines lines;
    struct section *sections;
    struct section *now;
};

static bool is_word(struct str word, const char *what)
{
    return str_equal(word, str_of(what));
}

bool acl_is_lines(struct str text)
{
    struct file_lines l = file_lines_of(text);
    struct str rest;
    struct str word;

    if (!file_lines_next(&l))
        return false;
    rest = l.line;
    word = text_take_word(&rest);
    return is_word(word, "user") || is_word(word, "topic") || is_word(word, "pattern");
}

/* One user may have several sections. -ENOMEM. */
static int begin_section(struct parser *p, struct str user)
{
    struct section *s = p->sections;

    while (s && (!s->user.data || !user.data || !str_equal(s->user, user)))
        s = s->next;
    if (!s) {
        s = arena_alloc(p->arena, sizeof(*s));
        if (!s)
            return -ENOMEM;
        *s = (struct section){.next = p->sections, .user = user, .set = acl_set_new(p->acl)};
        if (!s->set || acl_give(p->acl, s->set, user) < 0)
            return -ENOMEM;
        p->sections = s;
    }
    p->now = s;
    return 0;
}

static int read_user(struct parser *p, struct str name)
{
    if (name.len == 0) {
        findings_error(p->findings, p->lines.number, 1, "'user' without a name");
        return 0;
    }
    return begin_section(p, name);
}

/* Takes the access off the line where it is there. Its bits; 0: there is something else. */
static uint8_t take_access(struct str *rest)
{
    static const struct {
        const char *word;
        uint8_t says;
    } kinds[] = {
        {"read", ACL_READ},
        {"write", ACL_WRITE},
        {"readwrite", ACL_READ | ACL_WRITE},
        {"deny", ACL_ALL << ACL_DENY},
    };
    struct str after = *rest;
    struct str word = text_take_word(&after);

    if (after.len == 0) /* the topic alone */
        return ACL_READ | ACL_WRITE;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (is_word(word, kinds[i].word)) {
            *rest = after;
            return kinds[i].says;
        }
    }
    return 0;
}

static int read_rule(struct parser *p, struct acl_set *set, struct str rest, bool named)
{
    uint8_t says = take_access(&rest);
    uint32_t column = file_lines_column(&p->lines, rest.data);
    const char *problem = acl_pattern_problem(rest);
    char shown[TEXT_SHOWN];

    if (rest.len == 0)
        findings_error(p->findings, p->lines.number, column, "no topic");
    else if (says == 0)
        findings_error(p->findings, p->lines.number, column,
                       "before the topic stands read, write, readwrite, deny or nothing; found %s",
                       text_quote(rest, shown));
    else if (problem)
        findings_error(p->findings, p->lines.number, column, "%s: %s", text_quote(rest, shown), problem);
    else
        return acl_add(p->acl, set, rest, says, named);
    return 0;
}

static int read_line(struct parser *p)
{
    struct str rest = p->lines.line;
    struct str word = text_take_word(&rest);
    char shown[TEXT_SHOWN];

    if (is_word(word, "user"))
        return read_user(p, rest);
    if (is_word(word, "topic"))
        return read_rule(p, p->now->set, rest, false);
    if (is_word(word, "pattern"))
        return read_rule(p, &p->acl->everyone, rest, true);
    findings_error(p->findings, p->lines.number, file_lines_column(&p->lines, word.data),
                   "a line begins with user, topic or pattern; found %s", text_quote(word, shown));
    return 0;
}

int acl_parse_lines(struct arena *arena, struct str text, struct findings *findings, struct acl **ret_acl)
{
    struct parser p = {.arena = arena, .findings = findings, .acl = acl_new(arena, true), .lines = file_lines_of(text)};
    unsigned before = findings->errors;
    int r = p.acl ? begin_section(&p, (struct str){0}) : -ENOMEM;

    while (r == 0 && file_lines_next(&p.lines))
        r = read_line(&p);
    if (r == 0)
        r = acl_finish(p.acl);
    if (r == 0 && findings->errors > before)
        r = -EINVAL;
    if (r == 0)
        *ret_acl = p.acl;
    return r;
}
