/* draft_tls - TLS of whoever listens: what options cannot know by themselves, and whether the files can be used. */
#include <errno.h>
#include <string.h>

#include "config/loader.h"
#include "config/options.h"
#include "tls/tls_context.h"

/* "plant.example" or "*.plant.example" */
static bool is_server_name(const char *name)
{
    return text_is_host(str_of(strncmp(name, "*.", 2) == 0 ? name + 2 : name));
}

static void read_identity(struct loader *ld, const struct node *n, struct tls_identity *id)
{
    char found[TEXT_SHOWN];

    schema_read(&ld->ctx, &tls_identity_section, 0, n, id);
    schema_require(&ld->ctx, &tls_identity_section, 0, n, NULL);
    if (id->name && !is_server_name(id->name))
        report_error(&ld->report, key_place(n, NULL, "name"), "'name' must be a host name, or *. and one; found %s",
                     node_describe(node_get(n, "name"), found));
}

static void read_identities(struct loader *ld, struct tls_draft *tls)
{
    struct tls_identity *all = arena_alloc(ld->ctx.arena, node_count(tls->sni_list) * sizeof(*all));

    if (!all) {
        ld->ctx.failed = true;
        return;
    }
    for (const struct node *n = node_first(tls->sni_list); n; n = n->next)
        if (item_is_mapping(ld, &tls_identity_section, n))
            read_identity(ld, n, &all[tls->settings.sni_count++]);
    tls->settings.sni = all;
}

/* Keys that say nothing without another one. */
static void check_keys(struct loader *ld, const struct node *node, const struct tls_server_settings *s)
{
    static const char *const of_clients[] = {"require_client_cert", "crl", "username_from"};
    const bool set[] = {s->require_client_cert, s->crl != NULL, s->username_from != TLS_USER_NAME_NONE};

    for (size_t i = 0; i < ARRAY_LEN(set) && !s->client_ca; i++)
        if (set[i])
            report_error(&ld->report, key_place(node, NULL, of_clients[i]),
                         "'%s' needs 'client_ca': without it clients are not asked for certificates", of_clients[i]);
}

/* The key whose file the problem is about. */
static struct place place_of(const struct node *node, const struct tls_server_settings *s, struct str problem)
{
    const struct {
        const char *key;
        const char *path;
    } files[] = {{"cert", s->cert}, {"key", s->key}, {"client_ca", s->client_ca}, {"crl", s->crl}};

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        size_t len = files[i].path ? strlen(files[i].path) : 0;

        if (len > 0 && str_starts_with(problem, str_of(files[i].path)) && problem.len > len && problem.data[len] == ':')
            return key_place(node, NULL, files[i].key);
    }
    return key_place(node, NULL, "sni");
}

/* What they held, so that a reload can tell which have changed. */
static void keep_files(struct loader *ld, const struct tls_context *context, struct tls_server_settings *s)
{
    size_t count;
    const struct tls_file *files = tls_context_files(context, &count);
    struct tls_file *copy = arena_alloc(ld->ctx.arena, count * sizeof(*copy));

    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = files[i];
        copy[i].path = arena_strdup(ld->ctx.arena, str_of(files[i].path));
        if (!copy[i].path)
            copy = NULL;
    }
    if (!copy) {
        ld->ctx.failed = true;
        return;
    }
    s->files = copy;
    s->file_count = count;
}

/* Who may not read a key can still have the rest checked: whoever runs wirepost may be another. */
static void check_files(struct loader *ld, const struct node *node, struct tls_server_settings *s)
{
    struct tls_context *context = NULL;
    struct buf problem = {0};
    int r = tls_context_new_server(s, &problem, &context);
    struct str text = buf_str(&problem);

    if (r == -ENOMEM)
        ld->ctx.failed = true;
    else if (r == -EACCES)
        report_warning(&ld->report, place_of(node, s, text), STR_FMT, STR_ARG(text));
    else if (r < 0)
        report_error(&ld->report, place_of(node, s, text), STR_FMT, STR_ARG(text));
    else
        keep_files(ld, context, s);
    tls_context_free(context);
    buf_fini(&problem);
}

const struct tls_server_settings *draft_tls(struct loader *ld, const struct node *node, struct tls_draft *tls,
                                            bool sound)
{
    struct tls_server_settings *s = arena_alloc(ld->ctx.arena, sizeof(*s));
    size_t errors = ld->report.errors;

    if (!s) {
        ld->ctx.failed = true;
        return NULL;
    }
    read_identities(ld, tls);
    check_keys(ld, node, &tls->settings);
    *s = tls->settings;
    if (sound && ld->report.errors == errors && s->cert && s->key)
        check_files(ld, node, s);
    return s;
}
