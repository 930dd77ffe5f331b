/* tree - see tree.h. libyaml's events, read by recursive descent. */
#include "config/tree.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

struct parse {
    yaml_parser_t yaml;
    struct arena *arena;
    const struct file *file;
    struct str content;
    struct report *report;
};

static struct place place_of(const struct parse *p, yaml_mark_t mark)
{
    return (struct place){.file = p->file, .line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

/* libyaml counts bytes, not lines, when the bytes themselves are wrong. */
static struct place place_of_byte(const struct parse *p, size_t offset)
{
    struct place at = {.file = p->file, .line = 1, .column = 1};

    for (size_t i = 0; i < offset && i < p->content.len; i++) {
        at.column++;
        if (p->content.data[i] == '\n') {
            at.line++;
            at.column = 1;
        }
    }
    return at;
}

static bool is_tab(const struct parse *p, const struct place *at)
{
    const char *line = p->content.data;
    const char *end = p->content.data + p->content.len;

    for (uint32_t n = 1; n < at->line && line; n++) {
        line = memchr(line, '\n', (size_t)(end - line));
        if (line)
            line++;
    }
    /* Before an indenting tab there are only blanks, so its column is its byte. */
    return line && (size_t)(end - line) >= at->column && line[at->column - 1] == '\t';
}

static int refuse_syntax(struct parse *p)
{
    const yaml_parser_t *y = &p->yaml;
    const char *problem = y->problem ? y->problem : "unknown problem";
    struct place at;

    if (y->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    if (y->error == YAML_READER_ERROR) {
        report_error(p->report, place_of_byte(p, y->problem_offset), "not YAML text: %s", problem);
        return -EINVAL;
    }
    at = place_of(p, y->problem_mark);
    if (is_tab(p, &at))
        report_error(p->report, at, "a tab cannot indent YAML; use spaces");
    else if (strcmp(problem, "mapping values are not allowed in this context") == 0)
        report_error(p->report, at,
                     "not valid YAML: a ':' cannot stand here; is this line indented like its neighbours?");
    else if (y->context)
        report_error(p->report, at, "not valid YAML: %s (%s that begins at line %zu)", problem, y->context,
                     y->context_mark.line + 1);
    else
        report_error(p->report, at, "not valid YAML: %s", problem);
    return -EINVAL;
}

static int next_event(struct parse *p, yaml_event_t *ret_event)
{
    return yaml_parser_parse(&p->yaml, ret_event) ? 0 : refuse_syntax(p);
}

static int refuse(struct parse *p, const yaml_event_t *event, const char *why)
{
    report_error(p->report, place_of(p, event->start_mark), "%s", why);
    return -EINVAL;
}

/* What the program would have to guess at, or could blow up on, is refused by name. */
static int refuse_extras(struct parse *p, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL;
    const yaml_char_t *tag = NULL;

    if (event->type == YAML_ALIAS_EVENT)
        return refuse(p, event, "aliases ('*name') are not supported; repeat the value, or put it into a template");
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor)
        return refuse(p, event, "anchors ('&name') are not supported; repeat the value, or put it into a template");
    if (tag)
        return refuse(p, event, "tags ('!name') are not supported; the option decides the type of its value");
    return 0;
}

static struct node *new_node(struct parse *p, enum node_kind kind, const yaml_event_t *event)
{
    struct node *n = arena_alloc(p->arena, sizeof(*n));

    if (!n)
        return NULL;
    n->kind = kind;
    n->place = place_of(p, event->start_mark);
    n->text = str_of("");
    return n;
}

static int read_scalar(struct parse *p, const yaml_event_t *event, struct node **ret_node)
{
    struct node *n = new_node(p, NODE_SCALAR, event);
    struct str text = {.data = (const char *)event->data.scalar.value, .len = event->data.scalar.length};

    if (!n)
        return -ENOMEM;
    n->text.data = arena_strdup(p->arena, text);
    n->text.len = text.len;
    if (!n->text.data)
        return -ENOMEM;
    n->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    *ret_node = n;
    return 0;
}

static int read_node(struct parse *p, const yaml_event_t *event, unsigned depth, struct node **ret_node);

static void append_child(struct node *parent, struct node ***tail, struct node *child)
{
    **tail = child;
    *tail = &child->next;
    parent->count++;
}

static int read_list(struct parse *p, unsigned depth, struct node *list)
{
    struct node **tail = &list->children;
    struct node *item;
    yaml_event_t event;
    int r;

    for (;;) {
        r = next_event(p, &event);
        if (r < 0)
            return r;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            break;
        r = list->count < TREE_MAX_ITEMS ? read_node(p, &event, depth + 1, &item)
                                         : refuse(p, &event, "too many items in one list (at most 10000)");
        yaml_event_delete(&event);
        if (r < 0)
            return r;
        append_child(list, &tail, item);
    }
    yaml_event_delete(&event);
    return 0;
}

/* Reports a key that is there already: the first one stands. */
static int read_key(struct parse *p, const yaml_event_t *event, const struct node *mapping, struct node **ret_key)
{
    const struct node *first;
    char shown[TEXT_SHOWN];
    int r = refuse_extras(p, event);

    if (r < 0)
        return r;
    if (event->type != YAML_SCALAR_EVENT)
        return refuse(p, event, "a key must be plain text");
    if (mapping->count >= TREE_MAX_KEYS)
        return refuse(p, event, "too many keys in one mapping (at most 256)");
    r = read_scalar(p, event, ret_key);
    if (r < 0)
        return r;
    if (strlen((*ret_key)->text.data) != (*ret_key)->text.len)
        return refuse(p, event, "a key must be plain text");
    first = node_get(mapping, (*ret_key)->text.data);
    if (first)
        report_error(p->report, (*ret_key)->place, "duplicate key %s, first given at line %u",
                     text_quote(str_of(first->key), shown), first->key_place.line);
    return 0;
}

static int read_entry(struct parse *p, const struct node *key, unsigned depth, struct node **ret_value)
{
    yaml_event_t event;
    int r = next_event(p, &event);

    if (r < 0)
        return r;
    r = read_node(p, &event, depth + 1, ret_value);
    yaml_event_delete(&event);
    if (r < 0)
        return r;
    (*ret_value)->key = key->text.data;
    (*ret_value)->key_place = key->place;
    if (node_is_empty(*ret_value))
        (*ret_value)->place = key->place;
    return 0;
}

static int read_mapping(struct parse *p, unsigned depth, struct node *mapping)
{
    struct node **tail = &mapping->children;
    struct node *key;
    struct node *value;
    yaml_event_t event;
    int r;

    for (;;) {
        r = next_event(p, &event);
        if (r < 0)
            return r;
        if (event.type == YAML_MAPPING_END_EVENT)
            break;
        r = read_key(p, &event, mapping, &key);
        yaml_event_delete(&event);
        if (r < 0)
            return r;
        r = read_entry(p, key, depth, &value);
        if (r < 0)
            return r;
        if (!node_get(mapping, value->key))
            append_child(mapping, &tail, value);
    }
    yaml_event_delete(&event);
    return 0;
}

static int read_node(struct parse *p, const yaml_event_t *event, unsigned depth, struct node **ret_node)
{
    bool list = event->type == YAML_SEQUENCE_START_EVENT;
    struct node *n;
    int r = refuse_extras(p, event);

    if (r < 0)
        return r;
    if (event->type == YAML_SCALAR_EVENT)
        return read_scalar(p, event, ret_node);
    if (depth >= TREE_MAX_DEPTH)
        return refuse(p, event, "nested too deeply (at most 32 levels)");

    n = new_node(p, list ? NODE_LIST : NODE_MAPPING, event);
    if (!n)
        return -ENOMEM;
    r = list ? read_list(p, depth, n) : read_mapping(p, depth, n);
    if (r < 0)
        return r;
    *ret_node = n;
    return 0;
}

/* stream-start (document-start node document-end)? stream-end */
static int read_stream(struct parse *p, struct node **ret_root)
{
    struct node *root = NULL;
    bool ended = false;

    while (!ended) {
        yaml_event_t event;
        int r = next_event(p, &event);

        if (r < 0)
            return r;
        if (event.type == YAML_DOCUMENT_START_EVENT && root)
            r = refuse(p, &event, "a second document begins here; a configuration file holds one");
        else if (event.type == YAML_STREAM_END_EVENT)
            ended = true;
        else if (event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_START_EVENT &&
                 event.type != YAML_DOCUMENT_END_EVENT)
            r = read_node(p, &event, 0, &root);
        if (r == 0 && ended && !root) {
            root = new_node(p, NODE_SCALAR, &event);
            r = root ? 0 : -ENOMEM;
        }
        yaml_event_delete(&event);
        if (r < 0)
            return r;
    }
    *ret_root = root;
    return 0;
}

int tree_parse(struct arena *arena, const struct file *file, struct str content, struct report *report,
               struct node **ret_root)
{
    struct parse p = {.arena = arena, .file = file, .content = content, .report = report};
    struct place start = {.file = file, .line = 1, .column = 1};
    int r;

    if (content.len > TREE_MAX_BYTES) {
        report_error(report, start, "larger than 8 MiB");
        return -EINVAL;
    }
    if (!yaml_parser_initialize(&p.yaml))
        return -ENOMEM;
    yaml_parser_set_input_string(&p.yaml, (const unsigned char *)content.data, content.len);
    r = read_stream(&p, ret_root);
    yaml_parser_delete(&p.yaml);
    return r;
}

const struct node *node_get(const struct node *mapping, const char *key)
{
    if (!mapping || mapping->kind != NODE_MAPPING)
        return NULL;
    for (const struct node *n = mapping->children; n; n = n->next)
        if (strcmp(n->key, key) == 0)
            return n;
    return NULL;
}

bool node_is_empty(const struct node *n)
{
    return n->kind == NODE_SCALAR && !n->quoted && n->text.len == 0;
}

size_t node_count(const struct node *n)
{
    return n ? n->count : 0;
}

const struct node *node_first(const struct node *n)
{
    return n ? n->children : NULL;
}

const char *node_describe(const struct node *n, char ret_text[TEXT_SHOWN])
{
    if (n->kind == NODE_LIST)
        return "a list";
    if (n->kind == NODE_MAPPING)
        return "a mapping";
    return node_is_empty(n) ? "nothing" : text_quote(n->text, ret_text);
}
