/* config - see config.h: the files, one after the other, then the rules. */
#include "config/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/loader.h"
#include "config/options.h"

static int is_yaml(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

/* conf.d beside the main file, or a file in it, by the name the user gave that. */
static char *conf_d_path(struct loader *ld, const char *name)
{
    const char *slash = strrchr(ld->main_name, '/');
    struct buf path = {0};
    char *copy = NULL;

    buf_printf(&path, "%.*sconf.d%s%s", slash ? (int)(slash - ld->main_name + 1) : 0, ld->main_name, *name ? "/" : "",
               name);
    if (!buf_failed(&path))
        copy = arena_strdup(ld->scratch, buf_str(&path));
    buf_fini(&path);
    if (!copy)
        ld->ctx.failed = true;
    return copy;
}

/* Adds a root, an empty one for a file that cannot be parsed. 0, or -errno, reported unless the memory ended. */
static int read_root(struct loader *ld, const char *path, struct draft *d)
{
    static const struct node empty = {.kind = NODE_SCALAR};
    struct place whole = {0};
    struct node *tree;
    bool is_text = ld->main_text && path == ld->main_name;
    int r = is_text ? source_read_text(ld, path, *ld->main_text, &whole.file, &tree)
                    : source_read(ld, path, &whole.file, &tree);

    if (r == -ENOMEM)
        return r;
    ld->incomplete |= r < 0;
    if (r < 0 && r != -EINVAL) {
        report_error(&ld->report, whole, "cannot read this file: %s", strerror(-r));
        return r;
    }
    d->roots[d->root_count++].node = r < 0 ? &empty : tree;
    return 0;
}

static int refuse_conf_d(struct loader *ld, const char *dir, int error)
{
    struct file *file = loader_alloc(ld, 1, sizeof(*file));

    if (!file || error == ENOMEM)
        return -ENOMEM;
    file->name = dir;
    ld->incomplete = true;
    report_error(&ld->report, (struct place){.file = file}, "cannot read this directory: %s", strerror(error));
    return 0;
}

/* The names in conf.d; nothing when there is no such directory. 0 or -ENOMEM. */
static int list_conf_d(struct loader *ld, struct dirent ***ret_names, int *ret_count)
{
    char *dir = conf_d_path(ld, "");
    int count;

    if (!dir)
        return -ENOMEM;
    count = scandir(dir, ret_names, is_yaml, alphasort);
    if (count >= 0) {
        *ret_count = count;
        return 0;
    }
    return errno == ENOENT || errno == ENOTDIR ? 0 : refuse_conf_d(ld, dir, errno);
}

/* What cannot be parsed, or is in conf.d and cannot be read, does not keep the rest from being checked. */
static int read_files(struct loader *ld, struct dirent **names, int count, struct draft *d)
{
    int r;

    d->roots = loader_alloc(ld, 1 + (size_t)count, sizeof(*d->roots));
    if (!d->roots)
        return -ENOMEM;
    r = read_root(ld, ld->main_name, d);
    for (int i = 0; i < count && r == 0; i++) {
        char *path = conf_d_path(ld, names[i]->d_name);

        r = path ? read_root(ld, path, d) : -ENOMEM;
        if (r != -ENOMEM)
            r = 0;
    }
    return r;
}

static void read_options(struct loader *ld, struct draft *d)
{
    struct root_draft *root = &d->roots[0];

    schema_preset(&ld->ctx, &root_section, ROOT_MAIN, root);
    root->web.enabled = node_get(root->node, "web") != NULL;
    schema_read(&ld->ctx, &root_section, ROOT_MAIN, root->node, root);
    for (size_t i = 1; i < d->root_count; i++)
        schema_read(&ld->ctx, &conf_d_section, ROOT_CONF_D, d->roots[i].node, &d->roots[i]);
    draft_listeners(ld, d);
    draft_access(ld, d);
    draft_web(ld, d);
    draft_plugins(ld, d);
    draft_buses(ld, d);
    draft_devices(ld, d);
    draft_bridges(ld, d);
}

static int load(struct loader *ld, struct settings **ret_settings)
{
    struct dirent **names = NULL;
    struct draft draft = {0};
    int count = 0;
    int r = ld->main_text ? 0 : list_conf_d(ld, &names, &count);

    if (r == 0)
        r = read_files(ld, names, count, &draft);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    if (r < 0)
        return r;

    read_options(ld, &draft);
    if (!ld->ctx.failed)
        rules_check(ld, &draft);
    if (ld->ctx.failed || ld->report.failed)
        return -ENOMEM;
    if (ld->report.errors > 0)
        return -EINVAL;
    *ret_settings = settings_build(ld->ctx.arena, ld->main_name, &draft);
    return *ret_settings ? rules_check_load(ld, &draft, *ret_settings) : -ENOMEM;
}

static int load_with(struct loader *ld, struct buf *report, struct settings **ret_settings)
{
    struct settings *settings = NULL;
    int r = -ENOMEM;
    int written;

    ld->scratch = arena_new();
    ld->ctx.report = &ld->report;
    ld->ctx.arena = arena_new();
    if (ld->scratch && ld->ctx.arena)
        r = load(ld, &settings);
    written = report_write(&ld->report, report);
    report_fini(&ld->report);
    arena_free(ld->scratch);
    if (r == 0 && written < 0)
        r = written;
    if (r < 0) {
        arena_free(ld->ctx.arena);
        return r;
    }
    *ret_settings = settings;
    return 0;
}

int config_load(const char *path, struct buf *report, struct settings **ret_settings)
{
    struct loader ld = {.main_name = path};

    return load_with(&ld, report, ret_settings);
}

int config_load_text(const char *name, struct str text, const char *template_dir, struct buf *report,
                     struct settings **ret_settings)
{
    struct loader ld = {.main_name = name, .main_text = &text, .template_dir = template_dir};

    return load_with(&ld, report, ret_settings);
}

bool config_is_template(const char *path)
{
    struct loader ld = {.main_name = path, .scratch = arena_new()};
    const struct file *file;
    struct node *root;
    bool is = ld.scratch && source_read(&ld, path, &file, &root) == 0 &&
              (node_get(root, "tags") || node_get(root, "fields")) && !node_get(root, "buses");

    report_fini(&ld.report);
    arena_free(ld.scratch);
    return is;
}
