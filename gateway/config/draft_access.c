/* draft_access - files of users and of rules that the broker and its listeners name; each is read once. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "access/acl.h"
#include "access/acl_lines.h"
#include "access/findings.h"
#include "access/users.h"
#include "config/loader.h"
#include "core/hash.h"

struct finding_place {
    struct loader *ld;
    const struct file *file;
};

static void report_finding(void *arg, uint32_t line, uint32_t column, const char *text)
{
    const struct finding_place *at = arg;

    report_error(&at->ld->report, (struct place){.file = at->file, .line = line, .column = column}, "%s", text);
}

/* Others than the owner and the group. Something that is no file cannot be told by its mode. */
static void check_mode(struct loader *ld, const char *path, const struct file *file, bool secret)
{
    struct place whole = {.file = file};
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    if (st.st_mode & S_IWOTH)
        report_warning(&ld->report, whole, "everybody on this machine may change this file: chmod o-w would be better");
    if (secret && (st.st_mode & S_IROTH))
        report_warning(&ld->report, whole, "everybody on this machine may read this file: chmod o-r would be better");
}

/* As the user would write it: beside the main file. */
static const char *shown_path(struct loader *ld, const char *dir, const char *path)
{
    const char *slash = strrchr(ld->main_name, '/');
    size_t dir_len = strlen(dir);
    struct buf shown = {0};
    const char *copy = path;

    if (strncmp(path, dir, dir_len) == 0 && path[dir_len] == '/') {
        buf_printf(&shown, "%.*s%s", slash ? (int)(slash - ld->main_name + 1) : 0, ld->main_name, path + dir_len + 1);
        copy = buf_failed(&shown) ? NULL : arena_strdup(ld->scratch, buf_str(&shown));
        buf_fini(&shown);
    }
    return copy;
}

/* Its text, which begins a file of findings. False: reported at the place that names it. */
static bool read_file(struct loader *ld, const char *path, struct place named, size_t most, struct buf *text,
                      const struct file **ret_file)
{
    const char *shown = shown_path(ld, named.file->dir, path);
    int r = shown ? source_read_bytes(path, most, text) : -ENOMEM;

    if (r == 0 && buf_len(text) > most)
        r = -EFBIG;
    if (r == 0)
        *ret_file = source_file(ld, shown);
    if (r == -ENOMEM || (r == 0 && !*ret_file)) {
        ld->ctx.failed = true;
        return false;
    }
    if (r < 0)
        report_error(&ld->report, named, "cannot read %s: %s", shown, strerror(-r));
    return r == 0;
}

static struct users *read_users(struct loader *ld, const char *path, struct place named)
{
    struct finding_place at = {.ld = ld};
    struct findings findings = {.add = report_finding, .arg = &at};
    struct users *users = NULL;
    struct buf text = {0};
    int r;

    if (read_file(ld, path, named, USERS_MAX_BYTES, &text, &at.file)) {
        check_mode(ld, path, at.file, true);
        r = users_parse(ld->ctx.arena, buf_str(&text), &findings, &users);
        if (r < 0 && r != -EINVAL)
            ld->ctx.failed = true;
        if (users)
            users->fingerprint = hash_bytes(0, buf_data(&text), buf_len(&text));
        if (users && users->count == 0)
            report_warning(&ld->report, (struct place){.file = at.file}, "there are no users in this file");
    }
    if (text.data)
        explicit_bzero(text.data, text.cap);
    buf_fini(&text);
    return users;
}

static struct acl *parse_acl(struct loader *ld, struct str text, struct finding_place *at)
{
    struct findings findings = {.add = report_finding, .arg = at};
    struct acl *acl = NULL;
    struct node *root;

    if (!acl_is_lines(text)) {
        int r = tree_parse(ld->scratch, at->file, text, &ld->report, &root);

        ld->ctx.failed |= r == -ENOMEM;
        return r == 0 ? draft_acl(ld, root) : NULL;
    }
    if (acl_parse_lines(ld->ctx.arena, text, &findings, &acl) == -ENOMEM)
        ld->ctx.failed = true;
    return acl;
}

static struct acl *read_acl(struct loader *ld, const char *path, struct place named)
{
    struct finding_place at = {.ld = ld};
    struct acl *acl = NULL;
    struct buf text = {0};

    if (read_file(ld, path, named, TREE_MAX_BYTES, &text, &at.file)) {
        check_mode(ld, path, at.file, false);
        acl = parse_acl(ld, buf_str(&text), &at);
    }
    if (acl) {
        acl->name = path;
        acl->fingerprint = hash_bytes(0, buf_data(&text), buf_len(&text));
        if (acl->rule_count == 0)
            report_warning(&ld->report, (struct place){.file = at.file},
                           "there are no rules in this file: nobody may publish or subscribe to anything");
    }
    buf_fini(&text);
    return acl;
}

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* The broker's own, then those of listeners up to this one: NULL when none of them names the file. */
static const struct entrance_settings *find_reader(const struct draft *d, size_t listener, bool of_acl,
                                                   const char *path)
{
    const struct entrance_settings *broker = &d->roots[0].broker.entrance;

    if (same(of_acl ? broker->acl_file : broker->users_file, path))
        return broker;
    for (size_t i = 0; i < listener; i++) {
        const struct entrance_settings *e = &d->listeners[i].settings.entrance;

        if (same(of_acl ? e->acl_file : e->users_file, path))
            return e;
    }
    return NULL;
}

static void read_listener(struct loader *ld, const struct draft *d, size_t index)
{
    struct listener_draft *l = &d->listeners[index];
    struct entrance_settings *e = &l->settings.entrance;
    const struct entrance_settings *first;

    if (e->users_file) {
        first = find_reader(d, index, false, e->users_file);
        e->users = first ? first->users : read_users(ld, e->users_file, key_place(l->node, NULL, "users"));
    }
    if (e->acl_file) {
        first = find_reader(d, index, true, e->acl_file);
        e->acl = first ? first->acl : read_acl(ld, e->acl_file, key_place(l->node, NULL, "acl"));
    }
}

void draft_access(struct loader *ld, struct draft *d)
{
    struct entrance_settings *e = &d->roots[0].broker.entrance;
    const struct node *broker = node_get(d->roots[0].node, "broker");

    if (e->users_file)
        e->users = read_users(ld, e->users_file, key_place(broker, NULL, "users"));
    if (e->acl_file)
        e->acl = read_acl(ld, e->acl_file, key_place(broker, NULL, "acl"));
    for (size_t i = 0; i < d->listener_count; i++)
        read_listener(ld, d, i);
}
