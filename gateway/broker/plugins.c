/* plugins - see plugins.h. */
#include "broker/plugins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/broker_internal.h"
#include "broker/plugin_host.h"
#include "core/log.h"

void plugins_init(struct plugins *ps, struct broker *b)
{
    ps->broker = b;
    list_init(&ps->all);
    list_init(&ps->next);
}

static void on_wake(void *arg)
{
    struct plugin *p = arg;

    if (p->listener.on->woken && list_linked(&p->listener.node))
        p->listener.on->woken(p->self);
}

/* Its threads may still wake it until it is closed. */
static void plugin_close(struct plugin *p)
{
    if (!p)
        return;
    if (p->opened && p->file.is.close)
        p->file.is.close(p->self);
    loop_wake_close(p->wake);
    list_remove(&p->node);
    if (p->opened)
        log_info("plugin %s: closed", p->file.name);
    plugin_file_close(&p->file);
    free(p);
}

static int load(struct plugin *p)
{
    const struct plugin_settings *s = p->settings;
    int r = plugin_file_open(s->path, &p->file);

    if (r < 0) {
        log_error("plugin %s: %s", s->path, p->file.why);
        return r;
    }
    p->listener = (struct events_listener){.on = &p->file.is.events, .name = p->file.name};
    list_init(&p->listener.node);
    r = loop_wake_open(p->broker->loop, on_wake, p, &p->wake);
    if (r == 0 && p->file.is.open)
        r = p->file.is.open(&p->host, s->options, s->option_count, &p->self);
    if (r < 0) {
        log_error("plugin %s: %s would not open (%s)", s->path, p->file.name, strerror(-r));
        return r;
    }
    p->opened = true;
    p->listener.self = p->self;
    return 0;
}

static int plugin_open(struct broker *b, const struct plugin_settings *s, struct plugin **ret_plugin)
{
    struct plugin *p = calloc(1, sizeof(*p));
    int r;

    if (!p)
        return -ENOMEM;
    p->broker = b;
    p->settings = s;
    list_init(&p->node);
    plugin_host_init(&p->host);
    r = load(p);
    if (r < 0) {
        plugin_close(p);
        return r;
    }
    log_info("plugin %s: opened%s%s (%s)", p->file.name, p->file.is.version ? ", version " : "",
             p->file.is.version ? p->file.is.version : "", s->path);
    *ret_plugin = p;
    return 0;
}

static bool same(const struct plugin_settings *a, const struct plugin_settings *b)
{
    if (strcmp(a->path, b->path) != 0 || a->option_count != b->option_count)
        return false;
    for (size_t i = 0; i < a->option_count; i++)
        if (strcmp(a->options[i].key, b->options[i].key) != 0 || strcmp(a->options[i].value, b->options[i].value) != 0)
            return false;
    return true;
}

/* One that is open and not yet among the next. */
static struct plugin *find(const struct plugins *ps, const struct plugin_settings *wanted)
{
    struct list_node *n;

    list_for_each (n, &ps->all) {
        struct plugin *p = list_entry(n, struct plugin, node);

        if (!p->wanted && same(p->settings, wanted))
            return p;
    }
    return NULL;
}

int plugins_prepare(struct plugins *ps, const struct broker_settings *settings)
{
    for (size_t i = 0; i < settings->plugin_count; i++) {
        const struct plugin_settings *wanted = &settings->plugins[i];
        struct plugin *p = find(ps, wanted);
        int r = 0;

        if (!p) {
            r = plugin_open(ps->broker, wanted, &p);
            if (r == 0)
                list_push_back(&ps->next, &p->node);
        }
        if (r < 0) {
            plugins_cancel(ps);
            return r;
        }
        p->wanted = wanted;
    }
    ps->prepared = settings;
    return 0;
}

static struct plugin *last_of(struct list_node *list)
{
    return list_entry(list->prev, struct plugin, node);
}

void plugins_cancel(struct plugins *ps)
{
    struct list_node *n;

    while (!list_empty(&ps->next))
        plugin_close(last_of(&ps->next));
    list_for_each (n, &ps->all)
        list_entry(n, struct plugin, node)->wanted = NULL;
    ps->prepared = NULL;
}

/* It hears nothing more; what it had to decide is decided. */
static void plugin_leave(struct plugin *p)
{
    if (!list_linked(&p->listener.node))
        return;
    if (p->listener.on->stopped)
        p->listener.on->stopped(p->self);
    events_remove(p->broker, &p->listener);
}

static void close_unwanted(struct plugins *ps)
{
    struct list_node *n = ps->all.prev;

    while (n != &ps->all) {
        struct plugin *p = list_entry(n, struct plugin, node);

        n = n->prev;
        if (!p->wanted) {
            plugin_leave(p);
            plugin_close(p);
        }
    }
}

static struct plugin *find_wanted(const struct list_node *list, const struct plugin_settings *wanted)
{
    struct list_node *n;

    list_for_each (n, list)
        if (list_entry(n, struct plugin, node)->wanted == wanted)
            return list_entry(n, struct plugin, node);
    return NULL;
}

void plugins_commit(struct plugins *ps)
{
    const struct broker_settings *settings = ps->prepared;

    close_unwanted(ps);
    for (size_t i = 0; i < settings->plugin_count; i++) {
        const struct plugin_settings *wanted = &settings->plugins[i];
        struct plugin *p = find_wanted(&ps->all, wanted);
        bool is_new = !p;

        if (is_new)
            p = find_wanted(&ps->next, wanted);
        list_remove(&p->node);
        list_push_back(&ps->all, &p->node);
        p->settings = wanted;
        p->wanted = NULL;
        if (!is_new)
            events_move_last(ps->broker, &p->listener);
        else
            events_add(ps->broker, &p->listener);
        if (is_new && ps->running && p->listener.on->started)
            p->listener.on->started(p->self);
    }
    ps->prepared = NULL;
}

void plugins_close(struct plugins *ps)
{
    plugins_cancel(ps);
    for (struct list_node *n = ps->all.prev; n != &ps->all; n = n->prev)
        plugin_leave(list_entry(n, struct plugin, node));
    while (!list_empty(&ps->all))
        plugin_close(last_of(&ps->all));
}
