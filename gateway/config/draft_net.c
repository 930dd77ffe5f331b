/* draft_net - the broker's listeners and the web's host names. */
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "config/loader.h"
#include "config/options.h"
#include "mqtt/topic.h"

static const char *const *read_hosts(struct loader *ld, const struct node *list, size_t *ret_count)
{
    const char **hosts = arena_alloc(ld->ctx.arena, node_count(list) * sizeof(*hosts));
    char found[TEXT_SHOWN];

    if (!hosts) {
        ld->ctx.failed = true;
        return NULL;
    }
    for (const struct node *n = node_first(list); n; n = n->next) {
        if (n->kind != NODE_SCALAR || !text_is_host(n->text)) {
            report_error(&ld->report, n->place, "'allowed_hosts' must hold host names; found %s",
                         node_describe(n, found));
            continue;
        }
        hosts[*ret_count] = arena_strdup(ld->ctx.arena, n->text);
        if (!hosts[*ret_count])
            ld->ctx.failed = true;
        else
            ++*ret_count;
    }
    return hosts;
}

void draft_web(struct loader *ld, struct draft *d)
{
    const struct node *listen = node_get(node_get(d->roots[0].node, "web"), "listen");
    const struct node *tls = node_get(listen, "tls");

    if (tls && tls->kind == NODE_MAPPING)
        d->roots[0].web.tls = draft_tls(ld, tls, &d->roots[0].web_tls, ld->report.errors == 0);
    d->allowed_hosts = read_hosts(ld, d->roots[0].allowed_host_list, &d->allowed_host_count);
}

/* Three or four octal digits. */
static void read_mode(struct loader *ld, struct listener_draft *l)
{
    size_t digits = l->mode ? strspn(l->mode, "01234567") : 0;

    if (!l->mode)
        return;
    l->settings.mode = (uint16_t)strtoul(l->mode, NULL, 8);
    if (l->mode[digits] != '\0' || l->settings.mode > 0777)
        report_error(&ld->report, key_place(l->node, NULL, "mode"),
                     "'mode' must be octal, such as 0660 or 0666; found '%s'", l->mode);
}

static void check_path(struct loader *ld, const struct listener_draft *l)
{
    size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

    if (l->settings.path && strlen(l->settings.path) > most)
        report_error(&ld->report, key_place(l->node, NULL, "path"),
                     "the path of a Unix socket has %zu bytes at most; this one has %zu", most,
                     strlen(l->settings.path));
}

static void check_mount(struct loader *ld, const struct listener_draft *l)
{
    const char *mount = l->settings.entrance.mount;
    struct place place = key_place(l->node, NULL, "mount");

    if (!mount)
        return;
    if (!topic_name_valid(str_of(mount)))
        report_error(&ld->report, place, "'mount' is the beginning of topics: it may not hold + or #; found '%s'",
                     mount);
    else if (mount[0] == '$')
        report_error(&ld->report, place, "'mount' may not begin with '$': such topics are the broker's own");
    else if (mount[strlen(mount) - 1] != '/')
        report_error(&ld->report, place, "'mount' must end with '/': '%s' would make '%stopic' of 'topic'", mount,
                     mount);
}

static void check_hosts(struct loader *ld, const struct listener_draft *l)
{
    if (l->allowed_host_list && l->settings.protocol != LISTENER_WEBSOCKET)
        report_error(&ld->report, key_place(l->node, NULL, "allowed_hosts"),
                     "'allowed_hosts' is for browsers: it belongs to listeners with 'protocol: websocket'");
}

/* Where a listener says nothing of its own, what the broker says holds. */
static void preset_listener(struct loader *ld, const struct draft *d, unsigned kind, struct listener_draft *l)
{
    schema_preset(&ld->ctx, &listener_section, kind, l);
    l->settings.entrance = d->roots[0].broker.entrance;
}

static void draft_listener(struct loader *ld, const struct draft *d, const struct node *n, struct listener_draft *l)
{
    unsigned kind = node_get(n, "path") ? LISTENER_UNIX : LISTENER_TCP;
    size_t errors = ld->report.errors;

    l->node = n;
    preset_listener(ld, d, kind, l);
    schema_read(&ld->ctx, &listener_section, kind, n, l);
    if (node_get(n, "tls") && kind == LISTENER_TCP)
        l->settings.tls = draft_tls(ld, node_get(n, "tls"), &l->tls, ld->report.errors == errors);
    read_mode(ld, l);
    check_path(ld, l);
    check_mount(ld, l);
    check_hosts(ld, l);
    l->settings.allowed_hosts = read_hosts(ld, l->allowed_host_list, &l->settings.allowed_host_count);
    l->broken = ld->report.errors > errors;
}

void draft_listeners(struct loader *ld, struct draft *d)
{
    const struct node *list = d->roots[0].listener_list;
    size_t count = list ? list->count : 1;

    d->listeners = loader_alloc(ld, count, sizeof(*d->listeners));
    if (!d->listeners)
        return;
    if (!list)
        preset_listener(ld, d, LISTENER_TCP, &d->listeners[d->listener_count++]);
    for (const struct node *n = node_first(list); n; n = n->next)
        if (item_is_mapping(ld, &listener_section, n))
            draft_listener(ld, d, n, &d->listeners[d->listener_count++]);
}
