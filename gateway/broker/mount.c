/* mount - see mount.h. */
#include "broker/mount.h"

#include <errno.h>

#include "core/buf.h"
#include "core/hash.h"
#include "mqtt/topic.h"

static bool is_everybodys(struct str topic)
{
    return str_equal(topic, str_of("$SYS")) || str_starts_with(topic, str_of("$SYS/"));
}

/* before, mount, after: `before` and `after` are the parts of what the client wrote. */
static int put_between(struct str before, const char *mount, struct str after, struct buf *scratch, struct str *ret)
{
    size_t mount_len = strlen(mount);

    if (before.len + mount_len + after.len > UINT16_MAX)
        return -ENAMETOOLONG;
    buf_clear(scratch);
    buf_append(scratch, before.data, before.len);
    buf_append(scratch, mount, mount_len);
    buf_append(scratch, after.data, after.len);
    if (buf_failed(scratch))
        return -ENOMEM;
    *ret = buf_str(scratch);
    return 0;
}

int mount_name(const char *mount, struct str name, struct buf *scratch, struct str *ret_name)
{
    if (is_everybodys(name)) {
        *ret_name = name;
        return 0;
    }
    return put_between((struct str){.data = name.data, .len = 0}, mount, name, scratch, ret_name);
}

int mount_filter(const char *mount, struct str filter, struct buf *scratch, struct str *ret_filter)
{
    struct str before = {.data = filter.data, .len = 0};
    struct str after = filter;
    struct str group;

    if (topic_filter_shared(filter, &group, &after))
        before.len = (size_t)(after.data - filter.data);
    if (is_everybodys(after)) {
        *ret_filter = filter;
        return 0;
    }
    return put_between(before, mount, after, scratch, ret_filter);
}

bool mount_strip(const char *mount, struct str name, struct str *ret_name)
{
    struct str prefix = str_of(mount);

    if (is_everybodys(name)) {
        *ret_name = name;
        return true;
    }
    if (name.len <= prefix.len || !str_starts_with(name, prefix))
        return false;
    *ret_name = (struct str){.data = name.data + prefix.len, .len = name.len - prefix.len};
    return true;
}

uint32_t mount_mark(const char *mount, uint64_t seed)
{
    return mount ? (uint32_t)hash_bytes(seed, mount, strlen(mount)) | 1 : 0;
}
