/*
 * buses - which devices publish/ knows of: buses come, go, and hand their devices on.
 *
 * A device that is on a new bus and on one that is about to be removed is the same one: its numbering goes on, and
 * the old one says nothing more. Its values are read anew; until then what was published stands, as old as it is.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "publish/derive.h"
#include "publish/publish.h"
#include "publish/state.h"

static size_t longest_text(const struct tag_settings *tag)
{
    size_t longest = tag->type == TYPE_STRING ? tag->form.length * 2u : 0;

    for (size_t i = 0; i < tag->form.word_count; i++)
        if (strlen(tag->form.words[i].word) > longest)
            longest = strlen(tag->form.words[i].word);
    return longest;
}

/* NULL when out of memory. */
static char *make_texts(const struct bus_publish *bus)
{
    size_t len = 0;
    char *texts;
    char *at;

    for (size_t i = 0; i < bus->tag_count; i++)
        len += 2 * longest_text(bus->tags[i].settings);
    texts = at = calloc(1, len + 1);
    for (size_t i = 0; texts && i < bus->tag_count; i++) {
        bus->tags[i].text = at;
        at += longest_text(bus->tags[i].settings);
        bus->tags[i].told_text = at;
        at += longest_text(bus->tags[i].settings);
    }
    return texts;
}

static void init_device(struct device_publish *d, const struct bus_settings *bus,
                        const struct device_settings *settings, struct tag_state *tags, int64_t now_mono_ms)
{
    *d = (struct device_publish){
        .bus = bus, .settings = settings, .tags = tags, .answer_ms = now_mono_ms, .overdue_ms = INT64_MAX, .seq = 1};
    for (size_t i = 0; i < device_all_tags(settings); i++) {
        tags[i].settings = &settings->tags[i];
        tags[i].good_ms = now_mono_ms;
        if (i < settings->tag_count && settings->tags[i].stale_after_ms < d->overdue_ms)
            d->overdue_ms = settings->tags[i].stale_after_ms;
    }
}

static void bus_publish_free(struct bus_publish *bus)
{
    if (!bus)
        return;
    for (size_t i = 0; bus->devices && i < bus->settings->device_count; i++)
        if (bus->devices[i].settings)
            derive_fini(&bus->devices[i]);
    free(bus->texts);
    free(bus->tags);
    free(bus->devices);
    free(bus);
}

static struct bus_publish *bus_publish_new(const struct bus_settings *settings, int64_t now_mono_ms)
{
    struct bus_publish *bus = calloc(1, sizeof(*bus));
    struct tag_state *tags;

    if (!bus)
        return NULL;
    bus->settings = settings;
    for (size_t i = 0; i < settings->device_count; i++)
        bus->tag_count += device_all_tags(&settings->devices[i]);
    /* One more than needed: calloc(0) may give NULL. */
    bus->devices = calloc(settings->device_count + 1, sizeof(bus->devices[0]));
    bus->tags = tags = calloc(bus->tag_count + 1, sizeof(bus->tags[0]));
    if (!bus->devices || !bus->tags) {
        bus_publish_free(bus);
        return NULL;
    }
    for (size_t i = 0; i < settings->device_count; i++) {
        init_device(&bus->devices[i], settings, &settings->devices[i], tags, now_mono_ms);
        if (derive_init(&bus->devices[i]) < 0) {
            bus_publish_free(bus);
            return NULL;
        }
        tags += device_all_tags(&settings->devices[i]);
    }
    bus->texts = make_texts(bus);
    if (!bus->texts) {
        bus_publish_free(bus);
        return NULL;
    }
    return bus;
}

static int make_room(struct publish *p, uint32_t number, const struct bus_settings *settings)
{
    for (size_t i = 0; i < settings->device_count; i++) {
        size_t room = device_all_tags(&settings->devices[i]);
        uint32_t *shown;

        if (room <= p->shown_room)
            continue;
        shown = realloc(p->shown, room * sizeof(shown[0]));
        if (!shown)
            return -ENOMEM;
        p->shown = shown;
        p->shown_room = room;
    }
    if (number >= p->bus_room) {
        size_t room = number + 1;
        struct bus_publish **buses = realloc(p->buses, room * sizeof(struct bus_publish *));

        if (!buses)
            return -ENOMEM;
        for (size_t i = p->bus_room; i < room; i++)
            buses[i] = NULL;
        p->buses = buses;
        p->bus_room = room;
    }
    return 0;
}

static struct tag_state *find_tag(const struct device_publish *d, const char *name)
{
    for (size_t i = 0; i < device_all_tags(d->settings); i++)
        if (strcmp(d->settings->tags[i].name, name) == 0)
            return &d->tags[i];
    return NULL;
}

static struct device_publish *find_device(const struct publish *p, const char *name)
{
    for (size_t b = 0; b < p->bus_room; b++) {
        const struct bus_publish *bus = p->buses[b];

        for (size_t i = 0; bus && i < bus->settings->device_count; i++)
            if (!bus->devices[i].taken_over && strcmp(bus->devices[i].settings->name, name) == 0)
                return &bus->devices[i];
    }
    return NULL;
}

static void clear_topic(struct publish *p, const struct device_publish *d, const char *name)
{
    publish_topic_of_device(p, d, name);
    publish_emit(p, 1);
}

/* The values of tags that `kept`, which may be NULL, does not publish. */
static void clear_values(struct publish *p, const struct device_publish *d, const struct device_publish *kept)
{
    if (d->settings->publish == PUBLISH_JSON)
        return;
    for (size_t i = 0; i < device_all_tags(d->settings); i++) {
        if (kept && kept->settings->publish != PUBLISH_JSON && find_tag(kept, d->tags[i].settings->name))
            continue;
        publish_topic_of_tag(p, d, &d->tags[i]);
        publish_emit(p, 1);
    }
}

static void take_over(struct publish *p, struct device_publish *from, struct device_publish *to)
{
    to->seq = from->seq;
    to->availability = from->availability;
    to->answer_ms = from->answer_ms;
    to->goes_on = true;
    from->taken_over = true;
    for (size_t i = 0; i < device_all_tags(to->settings); i++) {
        const struct tag_state *old = find_tag(from, to->tags[i].settings->name);

        if (!old)
            continue;
        to->tags[i].good_ms = old->good_ms;
        to->tags[i].bad = old->bad;
        to->tags[i].last_failure = old->last_failure;
    }
    clear_values(p, from, to);
    if (from->settings->publish != PUBLISH_VALUES && to->settings->publish == PUBLISH_VALUES)
        clear_topic(p, from, "json");
}

int publish_add_bus(struct publish *p, uint32_t number, const struct bus_settings *settings, int64_t now_mono_ms)
{
    struct bus_publish *bus;
    int r = make_room(p, number, settings);

    if (r < 0)
        return r;
    assert(!p->buses[number]);
    bus = bus_publish_new(settings, now_mono_ms);
    if (!bus)
        return -ENOMEM;
    for (size_t i = 0; i < settings->device_count; i++) {
        struct device_publish *old = find_device(p, settings->devices[i].name);

        if (old)
            take_over(p, old, &bus->devices[i]);
        discovery_announce(p, &settings->devices[i], old ? old->settings : NULL);
    }
    p->buses[number] = bus;
    return 0;
}

void publish_remove_bus(struct publish *p, uint32_t number)
{
    struct bus_publish *bus = number < p->bus_room ? p->buses[number] : NULL;

    for (size_t i = 0; bus && i < bus->settings->device_count; i++) {
        const struct device_publish *d = &bus->devices[i];

        if (d->taken_over)
            continue;
        clear_values(p, d, NULL);
        if (d->settings->publish != PUBLISH_VALUES)
            clear_topic(p, d, "json");
        clear_topic(p, d, "status");
        clear_topic(p, d, "availability");
        discovery_withdraw(p, d->settings);
    }
    if (bus)
        p->buses[number] = NULL;
    bus_publish_free(bus);
}

void publish_free(struct publish *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->bus_room; i++)
        bus_publish_free(p->buses[i]);
    buf_fini(&p->topic);
    buf_fini(&p->payload);
    free(p->shown);
    free(p->buses);
    free(p->discovery_prefix);
    free(p->gateway_id);
    free(p);
}
