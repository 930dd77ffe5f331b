/*
 * loader - what the parts of config_load() share while it runs. Private to config/.
 *
 *   source.c       files -> trees                   draft_bus.c      buses and devices
 *   template.c     templates, found and checked     draft_tag.c      tags
 *   rules.c        what no single option can know   draft_form.c     bits, words, sentinels, ranges of tags
 *   settings.c     drafts -> settings               draft_derived.c  tags that are computed
 *   fingerprint.c  what is written, as a number     draft_bridge.c   bridges
 *   draft_about.c  classes, for Home Assistant      draft_net.c      listeners, host names
 */
#ifndef WP_CONFIG_LOADER_H
#define WP_CONFIG_LOADER_H

#include "config/draft.h"
#include "config/schema.h"

struct device_template;

struct loader {
    struct schema_context ctx; /* its arena is the settings' */
    struct arena *scratch;     /* trees and drafts: dies with the loader */
    struct report report;
    unsigned file_count;
    bool incomplete;                   /* a file could not be read: what is missing may be in it */
    const char *main_name;             /* as the user gave it */
    const struct str *main_text;       /* what is read instead of that file; NULL: the file */
    const char *template_dir;          /* looked into first; NULL: none */
    struct device_template *templates; /* those looked for so far */
};

/* Reads and parses one file. 0; -EINVAL: reported; another -errno: cannot be
 * read, for the caller to report. ret_file is set in any case but -ENOMEM. */
int source_read(struct loader *ld, const char *path, const struct file **ret_file, struct node **ret_root);

/* The same of a text, with `path` for its name. */
int source_read_text(struct loader *ld, const char *path, struct str text, const struct file **ret_file,
                     struct node **ret_root);

/* A file whose text somebody else reads, for places in it. NULL when out of memory. */
const struct file *source_file(struct loader *ld, const char *path);

/* Appends the bytes of a file to `out`; stops soon after `max`. 0 or -errno. */
int source_read_bytes(const char *path, size_t max, struct buf *out);

/* NULL sets ctx.failed. Zeroed; `count` may be 0. */
void *loader_alloc(struct loader *ld, size_t count, size_t size);

/* Whether an item of a list can be read by `section`; reports it if not. */
bool item_is_mapping(struct loader *ld, const struct schema_section *section, const struct node *item);

/* "line 4", or "other.yaml:4" when it is in another file than `from`. */
enum { PLACE_TEXT = 256 };
const char *place_print(struct place from, struct place to, char ret_text[PLACE_TEXT]);

/* Where the value of `key` is, or else the mapping. `base`, which may be NULL, is what the mapping changes. */
struct place key_place(const struct node *mapping, const struct node *base, const char *key);

/* Where templates are looked for, the first first; relative: from the main file's directory. */
enum { TEMPLATE_DIRS = 3 };
extern const char *const template_dirs[TEMPLATE_DIRS];

/* One of them as a path, to free(). NULL when out of memory. */
char *template_dir_path(const char *main_name, const char *dir);

struct device_template {
    struct device_template *next;
    struct str name;
    const struct node *root; /* NULL: not found, or has errors */
    const char *problem;     /* why */
};

/* The template of this name, looked up once; NULL when out of memory. */
const struct device_template *template_find(struct loader *ld, struct str name);

/* The template that a device or serial bus names, with its `parameters`; NULL when there is none, or it has errors. */
const struct device_template *template_of(struct loader *ld, const struct node *user);

/* Reads a template as if it were a device by itself, to find what is wrong with it whoever uses it. */
void template_check(struct loader *ld, const struct node *root, struct device_draft *ret_device);

/* Each reads what the lists of d->roots describe; buses before devices. */
void draft_listeners(struct loader *ld, struct draft *d);
void draft_access(struct loader *ld, struct draft *d);             /* users and rules of the broker and its listeners */
struct acl *draft_acl(struct loader *ld, const struct node *root); /* of a file of rules; NULL: out of memory */
void draft_web(struct loader *ld, struct draft *d);
void draft_plugins(struct loader *ld, struct draft *d); /* into the settings of the broker */

/* After the section was read into *tls: the rest of it; and, if it is sound so far, whether its files can be used. In
 * the settings' arena; NULL sets ctx.failed. */
const struct tls_server_settings *draft_tls(struct loader *ld, const struct node *node, struct tls_draft *tls,
                                            bool sound);

void draft_buses(struct loader *ld, struct draft *d);
void draft_devices(struct loader *ld, struct draft *d);
void draft_bridges(struct loader *ld, struct draft *d);

/* After one level (bus, template, device or tag) was read into *s: where it says how often to poll and not when
 * a value is stale, that follows from its own poll and not from what an outer level said. */
void draft_sampling(struct loader *ld, const struct node *level, struct sampling *s);
void draft_probe(struct loader *ld, const struct node *level, struct probe_settings *probe); /* options_health.c */

/* The same for when to publish: reports an interval that contradicts the other. */
void draft_publishing(struct loader *ld, const struct node *level, const struct publish_rules *rules);

/* Tags of a device, and of its template if it has one; checks each. */
void draft_tags(struct loader *ld, struct device_draft *device, const struct device_template *template);

/* draft_derived.c: tags with an 'expression'. Keys that only tags have which are read are refused; once all tags
 * of a device are known, their expressions are parsed and the tags found which they use. */
bool draft_is_derived(const struct tag_draft *tag);
void draft_refuse_read_keys(struct loader *ld, const struct tag_draft *tag);
void draft_derived(struct loader *ld, struct device_draft *device);

void rules_check(struct loader *ld, const struct draft *d);
void rules_check_ports(struct loader *ld, const struct draft *d); /* a part of it */

/* When there are no errors: warns of more polls than a line or a device can take. 0 or -ENOMEM. */
int rules_check_load(struct loader *ld, const struct draft *d, const struct settings *s);

/* Strings of the draft are in the settings' arena already. NULL when out of memory. */
struct settings *settings_build(struct arena *arena, const char *path, const struct draft *d);

#endif
