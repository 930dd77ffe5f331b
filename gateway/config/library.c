/* library - see library.h: each template as the one device of a configuration of its own. */
#include "config/library.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/loader.h"

struct entry {
    char *name;
    char *path;
    size_t rank; /* of the folder it is in, the one that counts first */
    bool tried;
    struct settings *settings; /* NULL: has errors */
};

struct library {
    char *config_path;
    struct entry *entries; /* by name */
    size_t count;
    struct arena *about; /* texts given out; made when the first is asked for */
};

/* "meter.yaml" -> 5; 0: no template. */
static size_t stem_len(const char *file)
{
    size_t len = strlen(file);

    return file[0] != '.' && len > 5 && strcmp(file + len - 5, ".yaml") == 0 ? len - 5 : 0;
}

static void free_entry(struct entry *e)
{
    free(e->name);
    free(e->path);
    settings_free(e->settings);
}

static int add(struct library *lib, const char *folder, size_t rank, const char *file)
{
    struct entry *more = realloc(lib->entries, (lib->count + 1) * sizeof(*more));
    struct entry *e;

    if (!more)
        return -ENOMEM;
    lib->entries = more;
    e = &more[lib->count++];
    *e = (struct entry){.name = strndup(file, stem_len(file)), .rank = rank};
    if (asprintf(&e->path, "%s/%s", folder, file) < 0)
        e->path = NULL;
    return e->name && e->path ? 0 : -ENOMEM;
}

/* A folder that is not there has no templates. */
static int add_folder(struct library *lib, const char *path, size_t rank)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    int r = 0;

    if (!dir)
        return 0;
    while (r == 0 && (e = readdir(dir)))
        if (stem_len(e->d_name) > 0)
            r = add(lib, path, rank, e->d_name);
    closedir(dir);
    return r;
}

static int by_name(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;

    int r = strcmp(x->name, y->name);

    return r != 0 ? r : x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void drop_twins(struct library *lib)
{
    size_t kept = 0;

    for (size_t i = 0; i < lib->count; i++) {
        if (kept > 0 && strcmp(lib->entries[i].name, lib->entries[kept - 1].name) == 0)
            free_entry(&lib->entries[i]);
        else
            lib->entries[kept++] = lib->entries[i];
    }
    lib->count = kept;
}

int library_open(const char *config_path, struct library **ret_library)
{
    struct library *lib = calloc(1, sizeof(*lib));
    int r = 0;

    if (!lib)
        return -ENOMEM;
    lib->config_path = strdup(config_path);
    r = lib->config_path ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < TEMPLATE_DIRS; i++) {
        char *path = template_dir_path(config_path, template_dirs[i]);

        r = path ? add_folder(lib, path, i) : -ENOMEM;
        free(path);
    }
    if (r < 0) {
        library_free(lib);
        return r;
    }
    if (lib->count > 0)
        qsort(lib->entries, lib->count, sizeof(lib->entries[0]), by_name);
    drop_twins(lib);
    *ret_library = lib;
    return 0;
}

void library_free(struct library *lib)
{
    if (!lib)
        return;
    for (size_t i = 0; i < lib->count; i++)
        free_entry(&lib->entries[i]);
    arena_free(lib->about);
    free(lib->entries);
    free(lib->config_path);
    free(lib);
}

size_t library_count(const struct library *lib)
{
    return lib->count;
}

static void load(struct library *lib, struct entry *e)
{
    struct buf text = {0};
    struct buf report = {0};

    e->tried = true;
    buf_printf(&text,
               "gateway: {id: library}\n"
               "buses: [{name: line, type: modbus-rtu, port: {device: /dev/null},"
               " devices: [{name: device, unit: 1, template: \"%s\"}]}]\n",
               e->name);
    if (!buf_failed(&text))
        config_load_text(lib->config_path, buf_str(&text), NULL, &report, &e->settings);
    buf_fini(&text);
    buf_fini(&report);
}

const struct device_settings *library_device(struct library *lib, size_t index)
{
    struct entry *e = &lib->entries[index];

    if (!e->tried)
        load(lib, e);
    return e->settings ? &e->settings->buses[0].devices[0] : NULL;
}

static const char *text_of(const struct node *root, const char *key)
{
    const struct node *n = node_get(root, key);

    return n && n->kind == NODE_SCALAR && text_is_printable(n->text) ? n->text.data : "";
}

int library_about(struct library *lib, size_t index, struct template_about *ret_about)
{
    const struct entry *e = &lib->entries[index];
    struct loader ld = {.main_name = e->path};
    const struct node *root = NULL;
    const struct file *file;
    struct node *tree;
    int r;

    if (!lib->about)
        lib->about = arena_new();
    if (!lib->about)
        return -ENOMEM;
    ld.scratch = lib->about;
    r = source_read(&ld, e->path, &file, &tree);
    if (r == 0)
        root = tree;
    report_fini(&ld.report);
    *ret_about = (struct template_about){
        .name = e->name,
        .path = e->path,
        .summary = text_of(root, "summary"),
        .manufacturer = text_of(root, "manufacturer"),
        .model = text_of(root, "model"),
        .source = text_of(root, "source"),
        .verified = text_of(root, "verified"),
        .delivered = text_of(root, "delivered"),
        .tag_count = node_count(node_get(root, "tags")),
    };
    return r;
}
