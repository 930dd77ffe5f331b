/* source - reads configuration files into trees. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/loader.h"

static int read_all(int fd, size_t max, struct buf *out)
{
    while (buf_len(out) <= max) {
        uint8_t *room = buf_reserve(out, 65536);
        ssize_t n;

        if (!room)
            return -ENOMEM;
        n = read(fd, room, 65536);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return 0;
        if (n > 0)
            buf_commit(out, (size_t)n);
    }
    return 0; /* the caller refuses what is too large */
}

int source_read_bytes(const char *path, size_t max, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r;

    if (fd < 0)
        return -errno;
    r = read_all(fd, max, out);
    close(fd);
    return r;
}

static char *absolute_dir(struct loader *ld, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str dir = {.data = path, .len = slash ? (size_t)(slash - path) : 0};
    char resolved[PATH_MAX];
    char *copy = arena_strdup(ld->scratch, slash == path ? str_of("/") : slash ? dir : str_of("."));

    if (!copy || !realpath(copy, resolved))
        return copy;
    return arena_strdup(ld->scratch, str_of(resolved));
}

const struct file *source_file(struct loader *ld, const char *path)
{
    struct file *f = arena_alloc(ld->scratch, sizeof(*f));

    if (!f)
        return NULL;
    f->name = arena_strdup(ld->scratch, str_of(path));
    f->dir = absolute_dir(ld, path);
    f->order = ld->file_count++;
    return f->name && f->dir ? f : NULL;
}

int source_read(struct loader *ld, const char *path, const struct file **ret_file, struct node **ret_root)
{
    const struct file *file = source_file(ld, path);
    struct buf content = {0};
    int r;

    if (!file)
        return -ENOMEM;
    *ret_file = file;
    r = source_read_bytes(path, TREE_MAX_BYTES, &content);
    if (r == -EINVAL) /* that would mean "parsed and wrong" */
        r = -EIO;
    if (r == 0)
        r = tree_parse(ld->scratch, file, buf_str(&content), &ld->report, ret_root);
    buf_fini(&content);
    return r;
}

int source_read_text(struct loader *ld, const char *path, struct str text, const struct file **ret_file,
                     struct node **ret_root)
{
    const struct file *file = source_file(ld, path);

    if (!file)
        return -ENOMEM;
    *ret_file = file;
    return tree_parse(ld->scratch, file, text, &ld->report, ret_root);
}

void *loader_alloc(struct loader *ld, size_t count, size_t size)
{
    void *p = arena_alloc(ld->scratch, count * size);

    if (!p)
        ld->ctx.failed = true;
    return p;
}

bool item_is_mapping(struct loader *ld, const struct schema_section *section, const struct node *item)
{
    char found[TEXT_SHOWN];

    if (item->kind == NODE_MAPPING)
        return true;
    report_error(&ld->report, item->place, "%s must be a mapping of keys to values; found %s", section->what,
                 node_describe(item, found));
    return false;
}

const char *place_print(struct place from, struct place to, char ret_text[PLACE_TEXT])
{
    if (from.file == to.file)
        snprintf(ret_text, PLACE_TEXT, "line %u", to.line);
    else
        snprintf(ret_text, PLACE_TEXT, "%s:%u", to.file->name, to.line);
    return ret_text;
}

struct place key_place(const struct node *mapping, const struct node *base, const char *key)
{
    const struct node *n = node_get(mapping, key);

    if (!n)
        n = node_get(base, key);
    return n ? n->place : mapping->place;
}
