/* draft_message - patterns and fields of a serial device, and the tags they make. */
#include <errno.h>

#include "config/loader.h"
#include "config/near.h"
#include "config/options.h"
#include "config/options_serial.h"
#include "drivers/checksum.h"
#include "drivers/serial_match.h"

enum { LISTENING_STALE_MS = MINUTE };

/* The messages of one device, while they are read. */
struct reading_messages {
    struct loader *ld;
    const struct bus_draft *bus;
    struct device_draft *device;
    struct serial_message *messages;
    struct message_draft *drafts;
    struct match **matches; /* NULL: fields, or broken */
    size_t count;
    struct text_form *texts; /* by tag */
};

static const struct node *find_item(const struct node *list, const char *name)
{
    for (const struct node *n = node_first(list); n; n = n->next) {
        const struct node *other = node_get(n, "name");

        if (other && other->kind == NODE_SCALAR && str_equal(other->text, str_of(name)))
            return n;
    }
    return NULL;
}

static struct tag_draft *find_tag(const struct device_draft *device, const char *name)
{
    for (size_t i = 0; i < device->tag_count; i++)
        if (device->tags[i].name && strcmp(device->tags[i].name, name) == 0)
            return &device->tags[i];
    return NULL;
}

static struct place stale_place(const struct reading_messages *rm, const struct tag_draft *tag)
{
    const struct node *const levels[] = {tag->node, tag->base, rm->bus->node, rm->bus->serial.template_root};

    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        if (node_get(levels[i], "stale_after"))
            return node_get(levels[i], "stale_after")->place;
    return rm->bus->node->place;
}

/* What is asked for is stale sooner than what comes by itself. */
static void set_period(const struct reading_messages *rm, const struct serial_message *m, struct tag_draft *tag)
{
    struct sampling *s = &tag->sampling;
    bool asked = m->send.len > 0;
    char every[TEXT_SHOWN];
    char stale[TEXT_SHOWN];

    s->poll_ms = asked ? m->every_ms : SECOND;
    if (s->stale_after_ms < 0 && !asked)
        s->stale_after_ms = LISTENING_STALE_MS;
    if (!asked || s->stale_after_ms < 0 || s->stale_after_ms >= m->every_ms)
        return;
    text_print_duration(m->every_ms, every);
    text_print_duration(s->stale_after_ms, stale);
    report_error(&rm->ld->report, stale_place(rm, tag),
                 "'stale_after' (%s) is shorter than 'every' (%s): the value would be stale before it comes again",
                 stale, every);
}

static void begin_tag(const struct reading_messages *rm, const struct schema_section *section, struct tag_draft *tag)
{
    tag->table = TABLE_INPUT;
    tag->address = -1;
    tag->type = -1;
    tag->form = (struct form_draft){.length = -1, .bit = -1, .bits = {-1, -1}, .precision = -1};
    schema_preset(&rm->ld->ctx, section, 0, tag);
    tag->sampling = rm->device->sampling;
    tag->publishing = rm->device->publishing;
}

static void read_level(const struct reading_messages *rm, const struct schema_section *section, const struct node *n,
                       struct tag_draft *tag)
{
    if (!n)
        return;
    schema_read(&rm->ld->ctx, section, 0, n, tag);
    draft_publishing(rm->ld, n, &tag->publishing.rules);
}

/* Text of any length that a frame can hold. */
static void draft_text_tag(struct reading_messages *rm, struct tag_draft *tag, struct text_form *form)
{
    struct loader *ld = rm->ld;

    begin_tag(rm, &text_tag_section, tag);
    read_level(rm, &text_tag_section, tag->base, tag);
    read_level(rm, &text_tag_section, tag->node, tag);
    draft_text(ld, tag, form);
    if (tag->scale == 0)
        report_error(&ld->report, key_place(tag->node, tag->base, "scale"),
                     "'scale' must not be 0: every value would be the same");
    tag->type = form->word_count > 0 || form->type == TEXT_AUTO || form->type == TEXT_STRING ? TYPE_STRING : TYPE_F64;
    tag->address = 0;
    draft_text_form(ld, tag);
    draft_about(ld, tag);
}

/* A group is a tag even when nothing more is said of it. */
static void add_group(struct reading_messages *rm, size_t index, const char *name)
{
    static const struct node nothing = {.kind = NODE_MAPPING};
    const struct node *own = find_item(rm->bus->serial.tag_list, name);
    const struct node *base = find_item(rm->bus->serial.template_tag_list, name);
    struct tag_draft *tag = find_tag(rm->device, name);

    if (tag && tag->text.is_field)
        report_error(&rm->ld->report, rm->drafts[index].node->place, "the group '%s' has the name of a field", name);
    if (tag)
        return;
    tag = &rm->device->tags[rm->device->tag_count];
    *tag = (struct tag_draft){.node = own ? own : base ? base : &nothing, .base = own ? base : NULL};
    draft_text_tag(rm, tag, &rm->texts[rm->device->tag_count]);
    tag->name = arena_strdup(rm->ld->ctx.arena, str_of(name));
    rm->ld->ctx.failed |= !tag->name;
    set_period(rm, &rm->messages[index], tag);
    rm->device->tag_count++;
}

static void draft_field(struct reading_messages *rm, size_t index, const struct node *n, struct tag_draft *tag)
{
    struct loader *ld = rm->ld;

    *tag = (struct tag_draft){.node = n, .text.is_field = true};
    begin_tag(rm, &field_section, tag);
    read_level(rm, &field_section, n, tag);
    schema_require(&ld->ctx, &field_section, 0, n, NULL);
    if (tag->type < 0 && node_get(n, "bit") && !node_get(n, "type"))
        tag->type = TYPE_U8;
    if (tag->type < 0 && !node_get(n, "type"))
        report_error(&ld->report, n->place, "a field needs the key 'type'");
    if (tag->type == TYPE_BOOL)
        report_error(&ld->report, node_get(n, "type")->place,
                     "a field is not bool: give a 'bit' of it, or another 'type'");
    if (node_get(n, "order") && node_get(n, "word_order"))
        report_error(&ld->report, node_get(n, "word_order")->place,
                     "'order' says the same as 'word_order': give one of them");
    if (tag->scale == 0)
        report_error(&ld->report, key_place(n, NULL, "scale"), "'scale' must not be 0: every value would be the same");
    draft_form(ld, tag);
    draft_about(ld, tag);
    set_period(rm, &rm->messages[index], tag);
}

static uint8_t part_of(const struct tag_draft *tag)
{
    return tag->type != TYPE_STRING && tag->form.length > 0 ? (uint8_t)tag->form.length : 0;
}

static uint32_t field_end(const struct tag_draft *tag)
{
    uint32_t len = tag->type == TYPE_STRING ? tag->form.checked.length : type_bits((enum tag_type)tag->type) / 8;

    return (uint32_t)tag->address + (part_of(tag) > 0 ? part_of(tag) : len);
}

static void check_field_end(const struct reading_messages *rm, const struct tag_draft *tag)
{
    const struct frame_settings *f = &rm->bus->serial.checked->frame;
    uint32_t max = f->length > 0 ? f->length : f->max;

    if (tag->address >= 0 && tag->type >= 0 && field_end(tag) > max)
        report_error(&rm->ld->report, key_place(tag->node, NULL, "offset"),
                     "the field ends at byte %u of a frame, which has at most %u", field_end(tag), max);
}

static void add_fields(struct reading_messages *rm, size_t index)
{
    struct loader *ld = rm->ld;
    const struct node *list = rm->drafts[index].fields;
    struct serial_field *fields = arena_alloc(ld->ctx.arena, (node_count(list) + 1) * sizeof(*fields));
    struct serial_message *m = &rm->messages[index];
    char found[TEXT_SHOWN];

    if (!fields) {
        ld->ctx.failed = true;
        return;
    }
    m->fields = fields;
    if (node_count(list) == 0)
        report_error(&ld->report, list->place, "'fields' needs at least one field");
    for (const struct node *n = node_first(list); n; n = n->next) {
        struct device_draft *device = rm->device;
        struct tag_draft tag;

        if (!item_is_mapping(ld, &field_section, n))
            continue;
        draft_field(rm, index, n, &tag);
        check_field_end(rm, &tag);
        if (tag.name && find_tag(device, tag.name))
            report_error(&ld->report, node_get(n, "name")->place, "duplicate tag %s",
                         node_describe(node_get(n, "name"), found));
        fields[m->field_count++] = (struct serial_field){.tag = (uint32_t)device->tag_count,
                                                         .offset = (uint16_t)tag.address,
                                                         .width = part_of(&tag),
                                                         .minus = (uint8_t)tag.text.minus};
        device->tags[device->tag_count++] = tag;
    }
}

/* The place of an offset in a text: exact where the file shows the text as it is. */
static void report_pattern(struct loader *ld, const struct node *n, const struct match_error *error)
{
    struct place at = n->place;
    char found[TEXT_SHOWN];
    struct str rest = {.data = n->text.data + error->offset, .len = n->text.len - error->offset};

    at.column += (uint32_t)error->offset + n->quoted;
    report_error(&ld->report, at, "'match' does not compile: %s at offset %zu, %s%s", error->text, error->offset,
                 rest.len > 0 ? "before " : "its end", rest.len > 0 ? text_quote(rest, found) : "");
}

static void compile(struct reading_messages *rm, size_t index)
{
    const struct message_draft *draft = &rm->drafts[index];
    const struct node *n = node_get(draft->node, "match");
    struct match_error error;
    int r = match_new(draft->match, &rm->matches[index], &error);

    if (r == -EINVAL)
        report_pattern(rm->ld, n, &error);
    else if (r < 0)
        rm->ld->ctx.failed = true;
    else if (match_group_count(rm->matches[index]) == 0)
        report_error(&rm->ld->report, n->place,
                     "'match' has no named group, as in (?<weight>[0-9.]+): it gives no tags");
}

static void check_message(const struct reading_messages *rm, const struct message_draft *draft)
{
    const struct node *match = node_get(draft->node, "match");
    const struct node *fields = node_get(draft->node, "fields");
    const struct node *request = node_get(draft->node, "request");

    if (match && fields)
        report_error(&rm->ld->report, fields->place, "'match' and 'fields' contradict each other: give one of them");
    if (!match && !fields)
        report_error(&rm->ld->report, draft->node->place, "%s needs 'match' or 'fields'%s",
                     draft->list_item ? "a message" : "a serial device",
                     draft->list_item ? "" : ", or 'messages' with them");
    if (request && draft->send.len == 0 && !node_get(request, "send"))
        report_error(&rm->ld->report, request->place, "'request' needs the key 'send'");
}

/* A bus may ask more or less often than the messages of its template say. */
static int64_t period_of(const struct reading_messages *rm, const struct message_draft *draft)
{
    const struct serial_draft *s = &rm->bus->serial;
    bool overruled = s->template_root && s->message.node == s->template_root && s->message.every_ms > 0;

    if (draft->every_ms > 0 && !overruled)
        return draft->every_ms;
    return s->message.every_ms > 0 ? s->message.every_ms : SECOND;
}

static size_t append(uint8_t *bytes, size_t len, struct str more)
{
    if (more.len > 0)
        memcpy(bytes + len, more.data, more.len);
    return len + more.len;
}

/* What is sent is a frame like any other, perhaps with something in front: its checksum and end are added. */
static struct str complete(const struct reading_messages *rm, const struct message_draft *draft)
{
    const struct frame_settings *f = &rm->bus->serial.checked->frame;
    const struct checksum_settings *c = &f->checksum;
    size_t len = draft->send.len;
    uint8_t *bytes = arena_alloc(rm->ld->ctx.arena, len + f->end.len + c->mark.len + checksum_width(c) + 1);
    const uint8_t *begin;
    size_t covered;

    if (!bytes) {
        rm->ld->ctx.failed = true;
        return (struct str){0};
    }
    memcpy(bytes, draft->send.data, len);
    begin = f->start.len > 0 ? memmem(bytes, len, f->start.data, f->start.len) : bytes;
    if (!begin || (size_t)(bytes + len - begin) < c->from) {
        report_error(&rm->ld->report, node_get(draft->node, "request")->place,
                     "'complete' needs the start of a frame in 'send'");
        return draft->send;
    }
    if (c->after_end)
        len = append(bytes, len, f->end);
    covered = (size_t)(bytes + len - begin) - c->from;
    len = append(bytes, len, c->mark);
    checksum_put(c, begin + c->from, covered, bytes + len);
    len += checksum_width(c);
    if (!c->after_end)
        len = append(bytes, len, f->end);
    return (struct str){.data = (const char *)bytes, .len = len};
}

static void read_message(struct reading_messages *rm, const struct message_draft *draft)
{
    size_t index = rm->count;

    check_message(rm, draft);
    rm->drafts[index] = *draft;
    rm->messages[index] = (struct serial_message){.begins = draft->begins,
                                                  .match = draft->match,
                                                  .send = draft->send,
                                                  .sign_on = (enum sign_on)draft->sign_on,
                                                  .every_ms = period_of(rm, draft)};
    rm->messages[index].contains = draft->contains.bytes;
    rm->messages[index].contains_at = (uint16_t)draft->contains.at;
    if (draft->complete && draft->send.len > 0)
        rm->messages[index].send = complete(rm, draft);
    if (draft->match)
        compile(rm, index);
    rm->count++;
}

static void read_list(struct reading_messages *rm)
{
    const struct serial_draft *s = &rm->bus->serial;

    for (const struct node *n = node_first(s->message_list); n; n = n->next) {
        struct message_draft draft = {.node = n, .list_item = true, .every_ms = -1};

        if (!item_is_mapping(rm->ld, &message_section, n))
            continue;
        schema_read(&rm->ld->ctx, &message_section, 0, n, &draft);
        read_message(rm, &draft);
    }
    if (s->message_list->count == 0)
        report_error(&rm->ld->report, s->message_list->place, "'messages' needs at least one message");
}

/* What the patterns and fields give, in the order in which they are written. */
static void add_tags(struct reading_messages *rm)
{
    size_t count = 0;

    for (size_t i = 0; i < rm->count; i++)
        count += node_count(rm->drafts[i].fields) + (rm->matches[i] ? match_group_count(rm->matches[i]) : 0);
    rm->device->tags = loader_alloc(rm->ld, count, sizeof(*rm->device->tags));
    rm->texts = arena_alloc(rm->ld->ctx.arena, (count + 1) * sizeof(*rm->texts));
    if (!rm->device->tags || !rm->texts) {
        rm->ld->ctx.failed = true;
        return;
    }
    for (size_t i = 0; i < rm->count; i++) {
        if (rm->drafts[i].fields)
            add_fields(rm, i);
        for (size_t k = 0; rm->matches[i] && k < match_group_count(rm->matches[i]); k++)
            add_group(rm, i, match_group_name(rm->matches[i], k));
    }
}

/* Each of `tags` is the name of a group. A pattern that does not compile has groups we do not know. */
static void check_names(struct reading_messages *rm, const struct node *list)
{
    char found[TEXT_SHOWN];

    for (size_t i = 0; i < rm->count; i++)
        if (rm->drafts[i].match && !rm->matches[i])
            return;
    for (const struct node *n = node_first(list); n; n = n->next) {
        const struct node *name = node_get(n, "name");
        struct near near;

        if (!item_is_mapping(rm->ld, &text_tag_section, n))
            continue;
        schema_require(&rm->ld->ctx, &text_tag_section, 0, n, NULL);
        if (!name || name->kind != NODE_SCALAR || find_tag(rm->device, name->text.data))
            continue;
        near = near_to(name->text);
        for (size_t i = 0; i < rm->device->tag_count; i++)
            if (rm->device->tags[i].name && !rm->device->tags[i].text.is_field)
                near_offer(&near, rm->device->tags[i].name);
        report_error(&rm->ld->report, name->place, "no group of 'match' has the name %s%s%s%s",
                     text_quote(name->text, found), near.best ? "; did you mean '" : "", near.best ? near.best : "",
                     near.best ? "'?" : "");
    }
}

void draft_messages(struct loader *ld, const struct bus_draft *bus, struct device_draft *device,
                    struct serial_settings *ret_settings)
{
    const struct serial_draft *s = &bus->serial;
    size_t count = 1 + node_count(s->message_list);
    struct reading_messages rm = {.ld = ld, .bus = bus, .device = device};

    rm.messages = arena_alloc(ld->ctx.arena, count * sizeof(*rm.messages));
    rm.drafts = loader_alloc(ld, count, sizeof(*rm.drafts));
    rm.matches = loader_alloc(ld, count, sizeof(*rm.matches));
    if (!rm.messages || !rm.drafts || !rm.matches) {
        ld->ctx.failed = true;
        return;
    }
    if (s->message_list)
        read_list(&rm);
    else
        read_message(&rm, &s->message);
    add_tags(&rm);
    check_names(&rm, s->tag_list); /* those of the template were held against its own patterns */
    ret_settings->messages = rm.messages;
    ret_settings->message_count = rm.count;
    ret_settings->texts = rm.texts;
    for (size_t i = 0; i < rm.count; i++)
        match_free(rm.matches[i]);
}
