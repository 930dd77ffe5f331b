/* replay - see replay.h. */
#include "drivers/simulator/replay.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/text.h"
#include "drivers/simulator/sim_device.h"

enum { MAX_COLUMNS = 256, MAX_ROWS = 1000000 };

struct row {
    int64_t ms;
    size_t cells; /* the first of its columns, in `cells` */
};

struct replay {
    struct sim_device *device;
    int64_t start_ms;
    int64_t shown_ms; /* how far in this round; -1: nothing of it */
    char *text;       /* the file */
    struct str columns[MAX_COLUMNS];
    size_t column_count;
    struct row *rows;
    size_t row_count;
    struct str *cells;
};

static int read_file(const char *path, char **ret_text)
{
    FILE *f = fopen(path, "re");
    size_t size = 0;
    ssize_t n;

    if (!f)
        return -errno;
    errno = 0;
    *ret_text = NULL;
    n = getdelim(ret_text, &size, '\0', f);
    fclose(f);
    return n < 0 ? (errno ? -errno : -ENODATA) : 0;
}

/* Cuts the next cell, or with '\n' the next line, from `rest`. */
static struct str cut(struct str *rest, char end)
{
    const char *at = memchr(rest->data, end, rest->len);
    struct str cell = {.data = rest->data, .len = at ? (size_t)(at - rest->data) : rest->len};
    size_t used = at ? cell.len + 1 : cell.len;

    *rest = (struct str){.data = rest->data + used, .len = rest->len - used};
    while (cell.len > 0 && (cell.data[cell.len - 1] == '\r' || cell.data[cell.len - 1] == ' '))
        cell.len--;
    while (cell.len > 0 && cell.data[0] == ' ')
        cell = (struct str){.data = cell.data + 1, .len = cell.len - 1};
    return cell;
}

static int read_header(struct replay *r, struct str line, struct buf *problem)
{
    struct str first = cut(&line, ',');

    if (!str_equal(first, str_of("time"))) {
        buf_put_text(problem, "line 1: the first column must be 'time'");
        return -EINVAL;
    }
    while (line.len > 0 && r->column_count < MAX_COLUMNS) {
        struct buf ignored = {0};
        struct str name = cut(&line, ',');
        int found = sim_device_get(r->device, name, &ignored);

        buf_fini(&ignored);
        if (found < 0) {
            buf_printf(problem, "line 1: there is no tag '" STR_FMT "'", STR_ARG(name));
            return -EINVAL;
        }
        r->columns[r->column_count++] = name;
    }
    return 0;
}

static int read_row(struct replay *r, struct str line, size_t number, struct buf *problem)
{
    struct row *row = &r->rows[r->row_count];
    struct str time = cut(&line, ',');
    double seconds;

    if (text_read_float(time, &seconds) < 0 || seconds < 0 || seconds > 1e9) {
        buf_printf(problem, "line %zu: '" STR_FMT "' is no time in seconds", number, STR_ARG(time));
        return -EINVAL;
    }
    row->ms = llround(seconds * SECOND);
    if (r->row_count > 0 && row->ms <= r->rows[r->row_count - 1].ms) {
        buf_printf(problem, "line %zu: the time does not rise", number);
        return -EINVAL;
    }
    row->cells = r->row_count * r->column_count;
    for (size_t i = 0; i < r->column_count; i++)
        r->cells[row->cells + i] = cut(&line, ',');
    if (line.len > 0) {
        buf_printf(problem, "line %zu: more cells than the first line has", number);
        return -EINVAL;
    }
    r->row_count++;
    return 0;
}

static size_t count_lines(struct str text)
{
    size_t lines = 1;

    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    return lines;
}

static int read_rows(struct replay *r, struct str text, struct buf *problem)
{
    size_t lines = count_lines(text);
    int result = 0;

    if (lines > MAX_ROWS)
        return -EFBIG;
    result = read_header(r, cut(&text, '\n'), problem);
    r->rows = calloc(lines, sizeof(*r->rows));
    r->cells = calloc(lines * (r->column_count + 1), sizeof(*r->cells));
    if (!r->rows || !r->cells)
        return -ENOMEM;
    for (size_t number = 2; text.len > 0 && result == 0; number++) {
        struct str line = cut(&text, '\n');

        if (line.len > 0)
            result = read_row(r, line, number, problem);
    }
    if (result == 0 && r->row_count < 2) {
        buf_put_text(problem, "it needs at least two rows");
        result = -EINVAL;
    }
    return result;
}

/* Wrong values are found now and not while it plays; the device then shows the first row. */
static int try_values(struct replay *r, struct buf *problem)
{
    for (size_t at = r->row_count; at-- > 0;)
        for (size_t i = 0; i < r->column_count; i++) {
            struct str cell = r->cells[r->rows[at].cells + i];

            if (cell.len == 0 || sim_device_set(r->device, r->columns[i], cell) == 0)
                continue;
            buf_printf(problem, "row %zu: '" STR_FMT "' is no value of the tag '" STR_FMT "'", at + 1, STR_ARG(cell),
                       STR_ARG(r->columns[i]));
            return -EINVAL;
        }
    return 0;
}

int replay_open(const char *path, struct sim_device *device, int64_t now_ms, struct buf *problem,
                struct replay **ret_replay)
{
    struct replay *r = calloc(1, sizeof(*r));
    int result;

    if (!r)
        return -ENOMEM;
    *r = (struct replay){.device = device, .start_ms = now_ms, .shown_ms = -1};
    result = read_file(path, &r->text);
    if (result == 0)
        result = read_rows(r, str_of(r->text), problem);
    if (result == 0)
        result = try_values(r, problem);
    if (result < 0) {
        if (buf_len(problem) == 0)
            buf_put_text(problem, strerror(-result));
        replay_free(r);
        return result;
    }
    *ret_replay = r;
    return 0;
}

void replay_free(struct replay *r)
{
    if (!r)
        return;
    free(r->text);
    free(r->rows);
    free(r->cells);
    free(r);
}

static void show(struct replay *r, int64_t from_ms, int64_t to_ms)
{
    for (size_t at = 0; at < r->row_count; at++) {
        const struct row *row = &r->rows[at];

        if (row->ms <= from_ms || row->ms > to_ms)
            continue;
        for (size_t i = 0; i < r->column_count; i++)
            if (r->cells[row->cells + i].len > 0)
                sim_device_set(r->device, r->columns[i], r->cells[row->cells + i]);
    }
}

void replay_move(struct replay *r, int64_t now_ms)
{
    int64_t round_ms = r->rows[r->row_count - 1].ms;
    int64_t t_ms = (now_ms - r->start_ms) % round_ms;

    if (t_ms < r->shown_ms) {
        show(r, r->shown_ms, round_ms);
        r->shown_ms = -1;
    }
    show(r, r->shown_ms, t_ms);
    r->shown_ms = t_ms;
}
