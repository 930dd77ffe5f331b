/* stamp - see stamp.h. */
#include "core/stamp.h"

#include <inttypes.h>
#include <string.h>

#define BEFORE_BOOT "{\"ts\":null,\"clock\":\"uncertain\",\"boot\":\""
#define BEFORE_MONO "\",\"mono\":"

enum { MONO_DIGITS = 15 };

void stamp_value(struct json *j, const struct stamp_clock *c, int64_t boot_ms)
{
    if (c->trusted)
        json_int(j, c->now.began_ms + boot_ms);
    else
        json_null(j);
}

void stamp_write(struct json *j, const struct stamp_clock *c, int64_t boot_ms)
{
    json_key(j, "ts");
    stamp_value(j, c, boot_ms);
    if (c->trusted)
        return;
    json_key(j, "clock");
    json_text(j, "uncertain");
    json_key(j, "boot");
    json_text(j, c->now.id);
    json_key(j, "mono");
    json_int(j, boot_ms);
}

/* Takes `text` off the front; false when it is not there. */
static bool take(struct str *from, struct str text)
{
    if (!str_starts_with(*from, text))
        return false;
    from->data += text.len;
    from->len -= text.len;
    return true;
}

static const struct stamp_boot *find_boot(const struct stamp_clock *c, struct str *from)
{
    if (c->trusted && take(from, str_of(c->now.id)))
        return &c->now;
    for (size_t i = 0; i < c->earlier_count; i++)
        if (take(from, str_of(c->earlier[i].id)))
            return &c->earlier[i];
    return NULL;
}

bool stamp_resolve(const struct stamp_clock *c, struct str payload, struct buf *out)
{
    const struct stamp_boot *boot;
    int64_t mono_ms = 0;
    int digits = 0;

    if (!take(&payload, str_of(BEFORE_BOOT)))
        return false;
    boot = find_boot(c, &payload);
    if (!boot || !take(&payload, str_of(BEFORE_MONO)))
        return false;
    while (payload.len > 0 && payload.data[0] >= '0' && payload.data[0] <= '9' && digits++ < MONO_DIGITS) {
        mono_ms = mono_ms * 10 + (payload.data[0] - '0');
        payload.data++;
        payload.len--;
    }
    if (digits == 0 || payload.len == 0 || (payload.data[0] != ',' && payload.data[0] != '}'))
        return false;
    buf_printf(out, "{\"ts\":%" PRId64, boot->began_ms + mono_ms);
    buf_append(out, payload.data, payload.len);
    return true;
}
