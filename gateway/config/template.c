/* template - device templates: searched for beside the configuration first, so that a user's own comes before ours. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/loader.h"
#include "config/options.h"
#include "config/parameters.h"

/* Below the main file's directory when relative. */
const char *const template_dirs[TEMPLATE_DIRS] = {"templates", "/etc/wirepost/templates",
                                                  "/usr/share/wirepost/templates"};

/* Beside the file by the name the user gave it: that is how the report shows it. */
char *template_dir_path(const char *main_name, const char *dir)
{
    const char *slash = strrchr(main_name, '/');
    int prefix = dir[0] != '/' && slash ? (int)(slash - main_name + 1) : 0;
    char *path;

    return asprintf(&path, "%.*s%s", prefix, main_name, dir) < 0 ? NULL : path;
}

static char *template_path(struct loader *ld, const char *dir, struct str name)
{
    char *folder = template_dir_path(ld->main_name, dir);
    struct buf path = {0};
    char *copy = NULL;

    if (folder)
        buf_printf(&path, "%s/" STR_FMT ".yaml", folder, STR_ARG(name));
    if (folder && !buf_failed(&path))
        copy = arena_strdup(ld->scratch, buf_str(&path));
    buf_fini(&path);
    free(folder);
    return copy;
}

static const char *say(struct loader *ld, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static const char *say(struct loader *ld, const char *fmt, ...)
{
    va_list args;
    char *text;
    char *copy;
    int r;

    va_start(args, fmt);
    r = vasprintf(&text, fmt, args);
    va_end(args);
    if (r < 0)
        return NULL;
    copy = arena_strdup(ld->scratch, str_of(text));
    free(text);
    return copy;
}

void template_check(struct loader *ld, const struct node *root, struct device_draft *ret_device)
{
    struct template_draft draft = {.sampling.stale_after_ms = -1};
    struct device_draft device = {.node = root};

    if (is_serial(root)) {
        draft_serial_template(ld, root, ret_device);
        return;
    }
    schema_preset(&ld->ctx, &template_section, 0, &draft);
    schema_read(&ld->ctx, &template_section, 0, root, &draft);
    schema_require(&ld->ctx, &template_section, 0, root, NULL);
    draft_sampling(ld, root, &draft.sampling);
    draft_probe(ld, root, &draft.asking.probe);
    draft_publishing(ld, root, &draft.publishing.rules);
    device.asking = draft.asking;
    device.planning = draft.planning;
    device.sampling = draft.sampling;
    device.publishing = draft.publishing;
    device.tag_list = draft.tag_list;
    device.action_list = draft.action_list;
    draft_tags(ld, &device, NULL);
    draft_actions(ld, &device, NULL);
    draft_setup(ld, &device);
    if (draft.tag_list && draft.tag_list->count == 0)
        report_error(&ld->report, draft.tag_list->place, "a template needs at least one tag");
    *ret_device = device;
}

/* A parameter without default keeps it from being checked before a device gives one. */
static void check_defaults(struct loader *ld, const struct node *root)
{
    const struct node *whole = parameters_wanted(root) ? NULL : parameters_apply(ld, root, NULL, root->place);
    struct device_draft device;

    if (whole)
        template_check(ld, whole, &device);
}

/* 0 found or broken, -ENOENT not there. */
static int try_path(struct loader *ld, const char *path, struct device_template *t)
{
    size_t errors = ld->report.errors;
    const struct file *file;
    struct node *root;
    int r = source_read(ld, path, &file, &root);

    if (r == -ENOENT || r == -ENOMEM)
        return r;
    if (r < 0 && r != -EINVAL) {
        t->problem = say(ld, "cannot read the template %s: %s", path, strerror(-r));
        return 0;
    }
    if (r == 0)
        check_defaults(ld, root);
    if (ld->report.errors > errors)
        t->problem = say(ld, "the template %s has errors", path);
    else
        t->root = root;
    return 0;
}

static int search(struct loader *ld, struct device_template *t)
{
    for (size_t i = 0; i <= ARRAY_LEN(template_dirs); i++) {
        const char *dir = i == 0 ? ld->template_dir : template_dirs[i - 1];
        char *path = dir ? template_path(ld, dir, t->name) : NULL;
        int r = path ? try_path(ld, path, t) : dir ? -ENOMEM : -ENOENT;

        if (r != -ENOENT)
            return r;
    }
    t->problem = say(ld,
                     "there is no template '" STR_FMT "' (looked for " STR_FMT
                     ".yaml in templates beside %s, /etc/wirepost/templates and /usr/share/wirepost/templates)",
                     STR_ARG(t->name), STR_ARG(t->name), ld->main_name);
    return 0;
}

const struct device_template *template_find(struct loader *ld, struct str name)
{
    struct device_template *t;

    for (t = ld->templates; t; t = t->next)
        if (str_equal(t->name, name))
            return t;
    t = arena_alloc(ld->scratch, sizeof(*t));
    if (!t)
        return NULL;
    t->name = name;
    if (search(ld, t) < 0 || (!t->root && !t->problem))
        return NULL;
    t->next = ld->templates;
    ld->templates = t;
    return t;
}

/* With the values that the device gives: with its defaults the template was checked when it was found. */
static bool suits_template(struct loader *ld, const struct node *root, const struct node *given)
{
    size_t errors = ld->report.errors;
    struct device_draft device;

    if (!given)
        return true;
    template_check(ld, root, &device);
    if (ld->report.errors == errors)
        return true;
    report_error(&ld->report, given->key_place, "with these parameters the template %s has errors",
                 root->place.file->name);
    return false;
}

const struct device_template *template_of(struct loader *ld, const struct node *user)
{
    const struct node *name = node_get(user, "template");
    const struct node *given = node_get(user, "parameters");
    const struct device_template *found;
    struct device_template *own;

    if (!name && given)
        report_error(&ld->report, given->place, "parameters are for a template, and this device has none");
    if (!name || name->kind != NODE_SCALAR || !text_is_name(name->text))
        return NULL;
    found = template_find(ld, name->text);
    own = loader_alloc(ld, 1, sizeof(*own));
    if (!found || !own) {
        ld->ctx.failed = true;
        return NULL;
    }
    if (!found->root) {
        report_error(&ld->report, name->place, "%s", found->problem);
        return NULL;
    }
    *own = *found;
    own->root = parameters_apply(ld, found->root, given, name->place);
    return own->root && suits_template(ld, own->root, given) ? own : NULL;
}
