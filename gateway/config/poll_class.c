/* poll_class - see poll_class.h. */
#include "config/poll_class.h"

#include "config/loader.h"

static const struct {
    const char *name;
    int64_t ms;
} usual[] = {{"fast", SECOND}, {"normal", 10 * SECOND}, {"slow", MINUTE}};

static bool find_in(const struct node *map, struct str name, int64_t *ret_ms, struct near *near)
{
    for (const struct node *n = node_first(map); n; n = n->next) {
        near_offer(near, n->key);
        if (str_equal(str_of(n->key), name) && text_read_duration(n->text, ret_ms) == 0)
            return true;
    }
    return false;
}

bool poll_class_find(const struct poll_scope *scope, struct str name, int64_t *ret_ms, struct near *ret_near)
{
    *ret_near = near_to(name);
    if (find_in(scope->of_device, name, ret_ms, ret_near) || find_in(scope->of_bus, name, ret_ms, ret_near))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        near_offer(ret_near, usual[i].name);
        if (!str_equal(name, str_of(usual[i].name)))
            continue;
        *ret_ms = usual[i].ms;
        return true;
    }
    return false;
}

static void check_class(struct loader *ld, const struct node *n)
{
    char found[TEXT_SHOWN];
    int64_t ms;

    if (!text_is_name(str_of(n->key)) || text_read_duration(str_of(n->key), &ms) == 0)
        report_error(&ld->report, n->key_place, "%s is no name of a class", text_quote(str_of(n->key), found));
    if (n->kind != NODE_SCALAR || text_read_duration(n->text, &ms) < 0 || ms < POLL_MIN_MS || ms > POLL_MAX_MS)
        report_error(&ld->report, n->place, "a class must be a duration from 10ms to 1d; found %s",
                     node_describe(n, found));
}

const struct node *poll_classes_of(struct loader *ld, const struct node *level)
{
    const struct node *map = node_get(level, "poll_classes");

    if (!map || map->kind != NODE_MAPPING)
        return NULL; /* the schema says so */
    for (const struct node *n = node_first(map); n; n = n->next)
        check_class(ld, n);
    return map;
}
