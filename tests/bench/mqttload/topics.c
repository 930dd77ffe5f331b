/* topics - see topics.h. */
#include "topics.h"

#include <stdio.h>

#include "options.h"

enum { SITES = 4 };

/* What subscribers of the layout `wildcard` take turns at. */
enum shape { SHAPE_ALL, SHAPE_EVERY_VALUE, SHAPE_ONE_DEVICE, SHAPE_ONE_SITE, SHAPES };

static unsigned device_of(unsigned subscriber)
{
    return subscriber / SHAPES % opt.publishers;
}

static unsigned site_of(unsigned subscriber)
{
    return subscriber / SHAPES % SITES;
}

struct topic topic_of_publisher(unsigned publisher)
{
    struct topic t = {""};

    switch ((enum layout)opt.layout) {
    case LAYOUT_PAIRWISE:
        snprintf(t.text, sizeof(t.text), "ml/%s/p%u", opt.tag, publisher);
        break;
    case LAYOUT_WILDCARD:
        snprintf(t.text, sizeof(t.text), "ml/%s/s%u/d%u/value", opt.tag, publisher % SITES, publisher);
        break;
    case LAYOUT_SHARED:
    case LAYOUT_FANIN:
    case LAYOUT_FANOUT:
        snprintf(t.text, sizeof(t.text), "ml/%s/all", opt.tag);
        break;
    }
    return t;
}

static struct topic wildcard_filter(unsigned subscriber)
{
    struct topic t = {""};

    switch ((enum shape)(subscriber % SHAPES)) {
    case SHAPE_ALL:
        snprintf(t.text, sizeof(t.text), "ml/%s/#", opt.tag);
        break;
    case SHAPE_EVERY_VALUE:
        snprintf(t.text, sizeof(t.text), "ml/%s/+/+/value%s", opt.tag, opt.topics ? "/+" : "");
        break;
    case SHAPE_ONE_DEVICE:
        snprintf(t.text, sizeof(t.text), "ml/%s/+/d%u/#", opt.tag, device_of(subscriber));
        break;
    case SHAPE_ONE_SITE:
    case SHAPES:
        snprintf(t.text, sizeof(t.text), "ml/%s/s%u/#", opt.tag, site_of(subscriber));
        break;
    }
    return t;
}

struct topic filter_of_subscriber(unsigned subscriber)
{
    struct topic t = {"#"};
    struct topic base;

    if (opt.mode == MODE_RETAINED)
        return t;
    if (opt.layout == LAYOUT_WILDCARD)
        return wildcard_filter(subscriber);
    base = topic_of_publisher(subscriber);
    snprintf(t.text, sizeof(t.text), "%.120s%s", base.text, opt.topics ? "/+" : "");
    return t;
}

struct topic filter_of_ballast(unsigned i)
{
    struct topic t;

    snprintf(t.text, sizeof(t.text), "ml/%s/ballast/%u/+/cmd", opt.tag, i);
    return t;
}

static bool wildcard_hears(unsigned subscriber, unsigned publisher)
{
    switch ((enum shape)(subscriber % SHAPES)) {
    case SHAPE_ONE_DEVICE:
        return publisher == device_of(subscriber);
    case SHAPE_ONE_SITE:
        return publisher % SITES == site_of(subscriber);
    case SHAPE_ALL:
    case SHAPE_EVERY_VALUE:
    case SHAPES:
        break;
    }
    return true;
}

bool hears(unsigned subscriber, unsigned publisher)
{
    if (opt.layout == LAYOUT_PAIRWISE)
        return subscriber == publisher;
    return opt.layout != LAYOUT_WILDCARD || wildcard_hears(subscriber, publisher);
}

unsigned listeners_of(unsigned publisher)
{
    unsigned n = 0;

    for (unsigned s = 0; s < opt.subscribers; s++)
        n += hears(s, publisher);
    return n;
}

uint64_t expected_deliveries(void)
{
    uint64_t n = 0;

    for (unsigned p = 0; p < opt.publishers; p++)
        n += (uint64_t)listeners_of(p) * opt.messages;
    return n;
}
