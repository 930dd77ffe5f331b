/* draft_net - the broker's listeners and the web's host names. */
#include "config/loader.h"
#include "config/options.h"

void draft_listeners(struct loader *ld, struct draft *d)
{
    const struct node *list = d->roots[0].listener_list;
    size_t count = list ? list->count : 1;

    d->listeners = loader_alloc(ld, count, sizeof(*d->listeners));
    if (!d->listeners)
        return;
    if (!list)
        schema_preset(&ld->ctx, &listener_section, 0, &d->listeners[d->listener_count++]);
    for (const struct node *n = node_first(list); n; n = n->next) {
        struct listener_draft *listener = &d->listeners[d->listener_count];
        size_t errors = ld->report.errors;

        if (!item_is_mapping(ld, &listener_section, n))
            continue;
        listener->node = n;
        schema_preset(&ld->ctx, &listener_section, 0, listener);
        schema_read(&ld->ctx, &listener_section, 0, n, listener);
        if (node_get(n, "tls"))
            listener->settings.tls = draft_tls(ld, node_get(n, "tls"), &listener->tls, ld->report.errors == errors);
        listener->broken = ld->report.errors > errors;
        d->listener_count++;
    }
}

void draft_allowed_hosts(struct loader *ld, struct draft *d)
{
    const struct node *list = d->roots[0].allowed_host_list;
    const char **hosts = arena_alloc(ld->ctx.arena, node_count(list) * sizeof(*hosts));
    char found[TEXT_SHOWN];

    if (!hosts) {
        ld->ctx.failed = true;
        return;
    }
    for (const struct node *n = node_first(list); n; n = n->next) {
        if (n->kind != NODE_SCALAR || !text_is_host(n->text)) {
            report_error(&ld->report, n->place, "'allowed_hosts' must hold host names; found %s",
                         node_describe(n, found));
            continue;
        }
        hosts[d->allowed_host_count] = arena_strdup(ld->ctx.arena, n->text);
        if (!hosts[d->allowed_host_count])
            ld->ctx.failed = true;
        else
            d->allowed_host_count++;
    }
    d->allowed_hosts = hosts;
}
