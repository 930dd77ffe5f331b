/* script - see script.h. */
#include "drivers/simulator/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/text.h"
#include "core/log.h"
#include "drivers/simulator/simulator.h"

struct line {
    int64_t at_ms;
    size_t number; /* in the file */
    struct str command;
};

struct script {
    char *path;
    char *text;
    struct line *lines;
    size_t count;
    size_t next;
    int64_t round_ms; /* when this round began */
};

static int refuse(const struct script *s, size_t number, const char *what)
{
    log_error("%s:%zu: %s", s->path, number, what);
    return -EINVAL;
}

static int read_line(struct script *s, char *text, size_t number)
{
    struct line *line = &s->lines[s->count];
    char *time = text + strspn(text, " \t");
    size_t len = strcspn(time, " \t\r");
    char *command = time + len + strspn(time + len, " \t");

    if (*time == '\0' || *time == '#' || *time == '\r')
        return 0;
    if (text_read_duration((struct str){.data = time, .len = len}, &line->at_ms) < 0)
        return refuse(s, number, "a line begins with a time since the start, as in 30s");
    if (s->count > 0 && line->at_ms < line[-1].at_ms)
        return refuse(s, number, "this time is before that of the line above");
    line->command = (struct str){.data = command, .len = strcspn(command, "\r")};
    line->number = number;
    if (str_equal(line->command, str_of("repeat")) && line->at_ms == 0)
        return refuse(s, number, "'repeat' needs some time to pass");
    s->count++;
    return 0;
}

static int read_lines(struct script *s)
{
    char *rest = s->text;
    size_t lines = 1;
    int r = 0;

    for (const char *c = s->text; *c; c++)
        lines += *c == '\n';
    s->lines = calloc(lines, sizeof(*s->lines));
    if (!s->lines)
        return -ENOMEM;
    for (size_t number = 1; rest && r == 0; number++)
        r = read_line(s, strsep(&rest, "\n"), number);
    return r;
}

int script_open(const char *path, struct script **ret_script)
{
    struct script *s = calloc(1, sizeof(*s));
    FILE *f = fopen(path, "re");
    size_t size = 0;
    int r = 0;

    if (!s || !f || !(s->path = strdup(path))) {
        r = s && !f ? -errno : -ENOMEM;
        log_error("%s: cannot be read (%s)", path, strerror(-r));
    } else if (getdelim(&s->text, &size, '\0', f) < 0) {
        r = refuse(s, 1, "there is nothing in it");
    } else {
        r = read_lines(s);
    }
    if (f)
        fclose(f);
    if (r < 0) {
        script_free(s);
        return r;
    }
    *ret_script = s;
    return 0;
}

void script_free(struct script *s)
{
    if (!s)
        return;
    free(s->path);
    free(s->text);
    free(s->lines);
    free(s);
}

static int run_line(struct script *s, struct simulator *sim, const struct line *line)
{
    struct buf answer = {0};
    struct str text;
    int r = 0;

    simulator_command(sim, line->command, &answer);
    text = buf_str(&answer);
    if (str_starts_with(text, str_of("error"))) {
        log_error("%s:%zu: " STR_FMT, s->path, line->number, (int)text.len - 1, text.data);
        r = -EINVAL;
    }
    buf_fini(&answer);
    return r;
}

int script_run(struct script *s, struct simulator *sim, int64_t now_ms)
{
    int result = 0;

    while (s->next < s->count && now_ms - s->round_ms >= s->lines[s->next].at_ms) {
        const struct line *line = &s->lines[s->next++];

        if (str_equal(line->command, str_of("repeat"))) {
            s->round_ms += line->at_ms;
            s->next = 0;
        } else if (run_line(s, sim, line) < 0) {
            result = -EINVAL;
        }
    }
    return result;
}
