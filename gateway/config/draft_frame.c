/* draft_frame - how frames are told apart: what is missing, contradicts itself or cannot be. */
#include "config/loader.h"
#include "drivers/checksum.h"

enum { FRAME_MAX_USUAL = 1024 };

/* A frame that is being judged. Its keys may be in the bus or in its template. */
struct judging {
    struct loader *ld;
    const struct node *own;
    const struct node *base;
    const struct frame_draft *draft;
};

static const struct node *find_key(const struct judging *j, const char *key)
{
    const struct node *n = node_get(j->own, key);

    return n ? n : node_get(j->base, key);
}

static void refuse(const struct judging *j, const char *key, const char *why)
{
    const struct node *n = find_key(j, key);

    report_error(&j->ld->report, n ? n->place : j->own->place, "%s", why);
}

static void refuse_both(const struct judging *j, const char *key, const char *other)
{
    const struct node *n = find_key(j, key);

    if (n && find_key(j, other))
        report_error(&j->ld->report, n->place, "'%s' and '%s' contradict each other: give one of them", other, key);
}

static void check_end(const struct judging *j)
{
    refuse_both(j, "delimiter", "end");
    refuse_both(j, "length_at", "length");
    refuse_both(j, "idle", "length");
    refuse_both(j, "idle", "length_at");
    if (!find_key(j, "delimiter") && !find_key(j, "end") && !find_key(j, "length") && !find_key(j, "length_at") &&
        !find_key(j, "idle"))
        report_error(&j->ld->report, j->own->place,
                     "'frame' does not say where a frame ends: it needs 'delimiter', 'end', 'length', 'length_at' or "
                     "'idle'");
}

/* Keys that say more of something that is not there. */
static void check_without(const struct judging *j)
{
    static const char *const pairs[][2] = {
        {"length_size", "length_at"},  {"length_order", "length_at"},  {"length_adds", "length_at"},
        {"checksum_as", "checksum"},   {"checksum_order", "checksum"}, {"checksum_at", "checksum"},
        {"checksum_from", "checksum"}, {"checksum_mark", "checksum"},
    };

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        const struct node *n = find_key(j, pairs[i][0]);

        if (n && !find_key(j, pairs[i][1]))
            report_error(&j->ld->report, n->place, "'%s' says more of '%s', which is not given", pairs[i][0],
                         pairs[i][1]);
    }
}

static bool is_little_by_default(enum checksum_type type)
{
    return type == CHECKSUM_CRC16_MODBUS || type == CHECKSUM_CRC16_KERMIT || type == CHECKSUM_CRC16_X25;
}

static struct checksum_settings checksum_from(const struct frame_draft *d)
{
    struct checksum_settings c = {
        .type = (enum checksum_type)d->checksum,
        .hex = d->checksum_hex > 0,
        .little = d->checksum_little > 0,
        .after_end = d->checksum_after_end > 0,
        .from = (uint16_t)d->checksum_from,
        .mark = d->checksum_mark,
    };

    if (d->checksum == CHECKSUM_NMEA)
        return (struct checksum_settings){
            .type = CHECKSUM_XOR, .hex = true, .from = (uint16_t)d->start.len, .mark = str_of("*")};
    if (d->checksum_little < 0)
        c.little = !c.hex && is_little_by_default(c.type);
    return c;
}

/* The shortest frame there can be with these marks. */
static size_t least_len(const struct frame_settings *f)
{
    size_t field = f->length_size > 0 ? (size_t)f->length_at + f->length_size : 0;
    size_t front = f->start.len > field ? f->start.len : field;

    return front + f->end.len + f->checksum.mark.len + checksum_width(&f->checksum);
}

static void check_bounds(const struct judging *j, struct frame_settings *f)
{
    if (f->length > 0 && j->draft->max > 0 && f->length > j->draft->max)
        refuse(j, "length", "'length' is more than 'max'");
    if (f->length > 0 && f->length < least_len(f))
        refuse(j, "length", "'length' is less than start, checksum and end take");
    if (f->length == 0 && f->max < least_len(f))
        refuse(j, "max", "'max' is less than start, length field, checksum and end take");
    if (f->checksum.type != CHECKSUM_NONE && f->length > 0 &&
        f->checksum.from + f->checksum.mark.len + checksum_width(&f->checksum) + f->end.len > f->length)
        refuse(j, "checksum_from", "'checksum_from' is behind the checksum: nothing is checked");
    if (f->checksum.after_end && f->end.len == 0)
        refuse(j, "checksum_at", "'checksum_at: after-end' needs an 'end'");
}

static void warn_of_slips(const struct judging *j, const struct frame_settings *f)
{
    if ((f->length > 0 || f->length_size > 0) && f->start.len == 0 && f->end.len == 0 &&
        f->checksum.type == CHECKSUM_NONE)
        report_warning(&j->ld->report, j->own->place,
                       "without 'start', 'end' and 'checksum' one lost byte shifts all frames until the line is silent "
                       "for 'pause'");
}

void draft_frame(struct loader *ld, const struct node *own, const struct node *base, const struct frame_draft *draft,
                 struct frame_settings *ret_frame)
{
    const struct judging j = {.ld = ld, .own = own, .base = base, .draft = draft};
    size_t errors = ld->report.errors;

    *ret_frame = (struct frame_settings){
        .start = draft->start,
        .end = draft->delimiter.len > 0 ? draft->delimiter : draft->end,
        .length = draft->length > 0 ? (uint16_t)draft->length : 0,
        .length_at = draft->length_at > 0 ? (uint16_t)draft->length_at : 0,
        .length_size = draft->length_at < 0     ? 0
                       : draft->length_size > 0 ? (uint8_t)draft->length_size
                                                : 1,
        .length_little = draft->length_little > 0,
        .length_adds = draft->length_adds,
        .idle_ms = draft->idle_ms > 0 ? draft->idle_ms : 0,
        .pause_ms = draft->pause_ms,
        .max = draft->max > 0 ? (uint32_t)draft->max : FRAME_MAX_USUAL,
        .between = draft->between,
        .checksum = checksum_from(draft),
    };
    if (draft->max < 0 && ret_frame->length > ret_frame->max)
        ret_frame->max = ret_frame->length;
    check_end(&j);
    check_without(&j);
    if (ld->report.errors > errors)
        return;
    check_bounds(&j, ret_frame);
    if (ld->report.errors == errors)
        warn_of_slips(&j, ret_frame);
}
