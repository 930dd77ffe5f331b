/* draft_bridge - bridges: the URL taken apart, the password fetched, the topics. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/url.h"
#include "config/loader.h"
#include "config/options.h"
#include "mqtt/topic.h"
#include "tls/tls_context.h"

enum { PASSWORD_MAX = 65535 };

static const char *keep(struct loader *ld, struct str text)
{
    char *copy = arena_strdup(ld->ctx.arena, text);

    if (!copy)
        ld->ctx.failed = true;
    return copy;
}

/* NULL, or what the URL should have been. */
static const char *take_url(struct loader *ld, struct str text, struct client_settings *client)
{
    struct client_url url;
    const char *problem = client_url_parse(text, &url);

    if (problem)
        return problem;
    if (!text_is_host(url.host))
        return "a URL with a host name or address: mqtt://host:port";
    client->host = keep(ld, url.host);
    client->port = url.port;
    client->encrypted = url.tls;
    if (url.websocket)
        client->ws_path = keep(ld, url.path);
    return NULL;
}

static void read_url(struct loader *ld, struct bridge_draft *b)
{
    const struct node *n = node_get(b->node, "url");
    const char *problem;
    char found[TEXT_SHOWN];

    if (!b->url)
        return;
    if (strchr(b->url, '@')) { /* not shown: there is a password in it */
        report_error(&ld->report, n->place,
                     "'url' must have no user and password in it: use 'username' and 'password_file'");
        return;
    }
    problem = take_url(ld, str_of(b->url), &b->settings.client);
    if (problem)
        report_error(&ld->report, n->place, "'url' must be %s; found %s", problem, node_describe(n, found));
}

/* A secret that every user of the machine can read is none. */
static void check_secrecy(struct loader *ld, struct place at, const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && (st.st_mode & S_IROTH))
        report_warning(&ld->report, at, "every user can read %s: chmod o-r", path);
}

static void read_password_file(struct loader *ld, struct bridge_draft *b)
{
    struct place at = key_place(b->node, NULL, "password_file");
    struct buf content = {0};
    struct str text;
    int r = source_read_bytes(b->password_file, PASSWORD_MAX, &content);

    text = buf_str(&content);
    while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    if (r < 0)
        report_error(&ld->report, at, "cannot read the password from %s: %s", b->password_file, strerror(-r));
    else if (text.len == 0)
        report_error(&ld->report, at, "there is no password in %s", b->password_file);
    else if (text.len > PASSWORD_MAX || memchr(text.data, '\0', text.len))
        report_error(&ld->report, at, "%s does not look like a password", b->password_file);
    else
        b->settings.client.password = keep(ld, text);
    check_secrecy(ld, at, b->password_file);
    buf_fini(&content);
}

static void read_password(struct loader *ld, struct bridge_draft *b)
{
    const char *value;

    if (b->password_file && b->password_env) {
        report_error(&ld->report, key_place(b->node, NULL, "password_env"),
                     "give 'password_file' or 'password_env', not both");
        return;
    }
    if (b->password_file)
        read_password_file(ld, b);
    if (!b->password_env)
        return;
    value = getenv(b->password_env);
    if (!value || !*value)
        report_error(&ld->report, key_place(b->node, NULL, "password_env"),
                     "the environment variable which it names is not set");
    else
        b->settings.client.password = keep(ld, str_of(value));
}

/* The key whose file the problem is about. */
static const char *tls_key_of(const struct tls_client_settings *tls, struct str problem)
{
    if (tls->cert && str_starts_with(problem, str_of(tls->cert)))
        return "cert";
    if (tls->key && str_starts_with(problem, str_of(tls->key)))
        return "key";
    return tls->ca && str_starts_with(problem, str_of(tls->ca)) ? "ca" : NULL;
}

/* As the bridge will use them. Who may not read a key can still have the rest checked. */
static void check_tls_files(struct loader *ld, const struct node *node, const struct tls_client_settings *tls)
{
    struct tls_context *context = NULL;
    struct buf problem = {0};
    int r = tls_context_new_client(tls, &problem, &context);
    const char *key = tls_key_of(tls, buf_str(&problem));
    struct place place = key ? key_place(node, NULL, key) : node->place;

    if (r == -ENOMEM)
        ld->ctx.failed = true;
    else if (r == -EACCES)
        report_warning(&ld->report, place, STR_FMT, STR_ARG(buf_str(&problem)));
    else if (r < 0)
        report_error(&ld->report, place, STR_FMT, STR_ARG(buf_str(&problem)));
    tls_context_free(context);
    buf_fini(&problem);
}

static void check_tls(struct loader *ld, const struct bridge_draft *b)
{
    const struct client_settings *client = &b->settings.client;
    const struct node *tls = node_get(b->node, "tls");

    if (!tls)
        return;
    if (client->host && !client->encrypted)
        report_error(&ld->report, key_place(b->node, NULL, "tls"),
                     "'tls' is for a URL that begins with mqtts:// or wss://");
    if (client->tls.key && !client->tls.cert)
        report_error(&ld->report, key_place(tls, NULL, "key"), "a 'key' needs the 'cert' that it belongs to");
    else
        check_tls_files(ld, tls, &client->tls);
}

static void check_topic(struct loader *ld, const struct node *n, const struct bridge_topic_settings *t)
{
    const struct node *prefix = node_get(n, "prefix");
    char found[TEXT_SHOWN];

    if (t->filter &&
        (!topic_filter_valid(str_of(t->filter)) || str_starts_with(str_of(t->filter), str_of("$share/")))) {
        report_error(&ld->report, key_place(n, NULL, "filter"),
                     "'filter' must be a topic filter such as wp/plant7/# or +/state; found %s",
                     node_describe(node_get(n, "filter"), found));
        return;
    }
    if (t->filter && !str_starts_with(str_of(t->filter), str_of(t->local_prefix)))
        report_error(&ld->report, key_place(prefix, NULL, "local"),
                     "the filter '%s' does not begin with the local prefix '%s'", t->filter, t->local_prefix);
    if (strpbrk(t->local_prefix, "+#"))
        report_error(&ld->report, key_place(prefix, NULL, "local"), "a prefix has no wildcards");
    if (strpbrk(t->remote_prefix, "+#"))
        report_error(&ld->report, key_place(prefix, NULL, "remote"), "a prefix has no wildcards");
}

static void draft_topics(struct loader *ld, struct bridge_draft *b)
{
    struct bridge_topic_settings *topics = arena_alloc(ld->ctx.arena, node_count(b->topic_list) * sizeof(*topics));

    if (!topics)
        ld->ctx.failed = true;
    if (!topics || !b->topic_list)
        return;
    if (b->topic_list->count == 0)
        report_error(&ld->report, b->topic_list->place, "a bridge needs at least one topic");
    for (const struct node *n = b->topic_list->children; n; n = n->next) {
        struct bridge_topic_settings *t = &topics[b->settings.topic_count];

        if (!item_is_mapping(ld, &bridge_topic_section, n))
            continue;
        schema_preset(&ld->ctx, &bridge_topic_section, 0, t);
        schema_read(&ld->ctx, &bridge_topic_section, 0, n, t);
        schema_require(&ld->ctx, &bridge_topic_section, 0, n, NULL);
        if (ld->ctx.failed)
            return;
        check_topic(ld, n, t);
        b->settings.topic_count++;
    }
    b->settings.topics = topics;
}

static void draft_bridge(struct loader *ld, const struct root_draft *root, struct bridge_draft *b)
{
    struct client_settings *client = &b->settings.client;
    const struct node *backoff = node_get(b->node, "backoff");

    schema_preset(&ld->ctx, &bridge_section, 0, b);
    schema_read(&ld->ctx, &bridge_section, 0, b->node, b);
    schema_require(&ld->ctx, &bridge_section, 0, b->node, NULL);
    read_url(ld, b);
    read_password(ld, b);
    check_tls(ld, b);
    draft_topics(ld, b);
    if (!node_get(b->node, "client_id"))
        client->client_id = root->gateway.id;
    if (!ld->incomplete && !node_get(b->node, "client_id") && !node_get(node_get(root->node, "gateway"), "id"))
        report_error(&ld->report, b->node->place, "a bridge needs the key 'client_id' when there is no gateway.id");
    if (client->password && !client->username && client->version == 4)
        report_error(&ld->report, b->node->place, "MQTT 3.1.1 has no password without a user name: add 'username'");
    if (client->backoff_min_ms > client->backoff_max_ms)
        report_error(&ld->report, key_place(backoff, NULL, node_get(backoff, "min") ? "min" : "max"),
                     "backoff 'min' is longer than 'max'");
}

void draft_bridges(struct loader *ld, struct draft *d)
{
    size_t count = 0;

    for (size_t i = 0; i < d->root_count; i++)
        count += node_count(d->roots[i].bridge_list);
    d->bridges = loader_alloc(ld, count, sizeof(*d->bridges));
    if (!d->bridges)
        return;
    for (size_t i = 0; i < d->root_count; i++) {
        const struct node *list = d->roots[i].bridge_list;

        for (const struct node *n = node_first(list); n; n = n->next) {
            if (!item_is_mapping(ld, &bridge_section, n))
                continue;
            d->bridges[d->bridge_count].node = n;
            draft_bridge(ld, &d->roots[0], &d->bridges[d->bridge_count++]);
        }
    }
}
