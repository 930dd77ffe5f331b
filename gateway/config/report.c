/* report - see report.h. */
#include "config/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct finding {
    struct place at;
    bool warning;
    size_t number; /* keeps the order of findings at one place */
    char *text;    /* owned */
};

void report_fini(struct report *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->findings[i].text);
    free(r->findings);
    *r = (struct report){0};
}

static struct finding *add_finding(struct report *r)
{
    if (r->count == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 16;
        struct finding *grown = reallocarray(r->findings, cap, sizeof(*grown));

        if (!grown)
            return NULL;
        r->findings = grown;
        r->cap = cap;
    }
    return &r->findings[r->count];
}

__attribute__((format(printf, 4, 0))) static void add(struct report *r, struct place at, bool warning, const char *fmt,
                                                      va_list args)
{
    struct finding *f = add_finding(r);
    char *text;

    if (!f || vasprintf(&text, fmt, args) < 0) {
        r->failed = true;
        return;
    }
    *f = (struct finding){.at = at, .warning = warning, .number = r->count, .text = text};
    r->count++;
}

void report_error(struct report *r, struct place at, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    add(r, at, false, fmt, args);
    va_end(args);
    r->errors++;
}

void report_warning(struct report *r, struct place at, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    add(r, at, true, fmt, args);
    va_end(args);
}

static int compare_places(const struct place *a, const struct place *b)
{
    if (a->file->order != b->file->order)
        return a->file->order < b->file->order ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return 0;
}

static int compare_findings(const void *left, const void *right)
{
    const struct finding *a = left;
    const struct finding *b = right;
    int order = compare_places(&a->at, &b->at);

    if (order != 0)
        return order;
    return a->number < b->number ? -1 : 1;
}

/* A template used by many devices is read for each of them: the same place then says the same more than once. */
static bool said_before(const struct report *r, size_t i)
{
    for (size_t j = i; j-- > 0;) {
        if (compare_places(&r->findings[j].at, &r->findings[i].at) != 0)
            return false;
        if (strcmp(r->findings[j].text, r->findings[i].text) == 0)
            return true;
    }
    return false;
}

static void write_finding(const struct finding *f, struct buf *out)
{
    buf_put_text(out, f->at.file->name);
    if (f->at.line > 0)
        buf_printf(out, ":%u:%u", f->at.line, f->at.column);
    buf_printf(out, ": %s: %s\n", f->warning ? "warning" : "error", f->text);
}

int report_write(struct report *r, struct buf *out)
{
    size_t errors = 0;
    size_t warnings = 0;

    if (r->count > 0)
        qsort(r->findings, r->count, sizeof(r->findings[0]), compare_findings);
    for (size_t i = 0; i < r->count; i++) {
        if (said_before(r, i))
            continue;
        write_finding(&r->findings[i], out);
        *(r->findings[i].warning ? &warnings : &errors) += 1;
    }
    if (r->count > 0)
        buf_printf(out, "%zu error%s, %zu warning%s\n", errors, errors == 1 ? "" : "s", warnings,
                   warnings == 1 ? "" : "s");
    return r->failed || buf_failed(out) ? -ENOMEM : 0;
}
