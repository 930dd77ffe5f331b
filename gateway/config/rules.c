/* rules - what no option can know by itself: names used twice, ports shared, ids that collide. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/loader.h"

/* Names of one kind of thing. */
static void check_name(struct loader *ld, const char *what, const struct node *node, const struct node *first)
{
    struct place at = key_place(node, NULL, "name");
    char other[PLACE_TEXT];
    char found[SCHEMA_FOUND];

    report_error(&ld->report, at, "duplicate %s %s, first at %s", what, schema_describe(node_get(node, "name"), found),
                 place_print(at, key_place(first, NULL, "name"), other));
}

static void check_names(struct loader *ld, const struct draft *d)
{
    for (size_t i = 1; i < d->bus_count; i++)
        for (size_t j = 0; j < i && d->buses[i].name; j++)
            if (d->buses[j].name && strcmp(d->buses[i].name, d->buses[j].name) == 0) {
                check_name(ld, "bus", d->buses[i].node, d->buses[j].node);
                break;
            }
    for (size_t i = 1; i < d->device_count; i++)
        for (size_t j = 0; j < i && d->devices[i].name; j++)
            if (d->devices[j].name && strcmp(d->devices[i].name, d->devices[j].name) == 0) {
                check_name(ld, "device", d->devices[i].node, d->devices[j].node);
                break;
            }
    for (size_t i = 1; i < d->bridge_count; i++)
        for (size_t j = 0; j < i && d->bridges[i].settings.name; j++)
            if (d->bridges[j].settings.name && strcmp(d->bridges[i].settings.name, d->bridges[j].settings.name) == 0) {
                check_name(ld, "bridge", d->bridges[i].node, d->bridges[j].node);
                break;
            }
}

void rules_check(struct loader *ld, const struct draft *d)
{
    check_names(ld, d);
}
