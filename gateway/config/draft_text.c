/* draft_text - what the text of a group means: words for it, texts that mean nothing, whether it is a number. */
#include "config/loader.h"

enum { WORD_MAX = 64 };

static struct str copy_text(struct loader *ld, struct str text)
{
    char *copy = arena_strdup(ld->ctx.arena, text);

    ld->ctx.failed |= !copy;
    return (struct str){.data = copy, .len = copy ? text.len : 0};
}

static void read_sentinels(struct loader *ld, const struct tag_draft *tag, struct text_form *form)
{
    const struct node *list = tag->text.sentinels;
    struct str *texts = arena_alloc(ld->ctx.arena, (node_count(list) + 1) * sizeof(*texts));
    char found[TEXT_SHOWN];

    if (!texts) {
        ld->ctx.failed = true;
        return;
    }
    form->sentinels = texts;
    for (const struct node *n = node_first(list); n; n = n->next)
        if (n->kind == NODE_SCALAR)
            texts[form->sentinel_count++] = copy_text(ld, n->text);
        else
            report_error(&ld->report, n->place, "'sentinel' lists texts; found %s", node_describe(n, found));
}

static void read_words(struct loader *ld, const struct tag_draft *tag, struct text_form *form)
{
    const struct node *list = tag->text.words;
    struct text_word *words = arena_alloc(ld->ctx.arena, (node_count(list) + 1) * sizeof(*words));
    char found[TEXT_SHOWN];

    if (!words) {
        ld->ctx.failed = true;
        return;
    }
    form->words = words;
    for (const struct node *n = node_first(list); n; n = n->next) {
        struct text_word *word = &words[form->word_count];

        if (n->kind != NODE_SCALAR || n->text.len == 0 || n->text.len > WORD_MAX || !text_is_printable(n->text)) {
            report_error(&ld->report, n->place, "a word of 'enum' must be text of 1 to %d bytes; found %s", WORD_MAX,
                         node_describe(n, found));
            continue;
        }
        word->text = copy_text(ld, str_of(n->key));
        word->word = copy_text(ld, n->text).data;
        form->word_count++;
    }
    if (list && list->count == 0)
        report_error(&ld->report, list->place, "'enum' needs at least one word");
}

/* Text has no numbers to work with. */
static void check_text(struct loader *ld, const struct tag_draft *tag, const struct text_form *form)
{
    static const char *const of_numbers[] = {"scale", "add", "range", "precision", "deadband"};

    if (form->word_count == 0 && form->type != TEXT_STRING)
        return;
    for (size_t i = 0; i < ARRAY_LEN(of_numbers); i++)
        if (node_get(tag->node, of_numbers[i]) || node_get(tag->base, of_numbers[i]))
            report_error(&ld->report, key_place(tag->node, tag->base, of_numbers[i]), "%s has no '%s'",
                         form->word_count > 0 ? "a value with words ('enum')" : "a string", of_numbers[i]);
}

/* What has a unit, or is calculated with, is a number. */
static enum text_type type_of_text(const struct tag_draft *tag)
{
    static const char *const of_numbers[] = {"unit", "scale", "add", "range", "precision", "deadband"};

    for (size_t i = 0; i < ARRAY_LEN(of_numbers) && tag->text.type == TEXT_AUTO && !tag->text.words; i++)
        if (node_get(tag->node, of_numbers[i]) || node_get(tag->base, of_numbers[i]))
            return TEXT_NUMBER;
    return (enum text_type)tag->text.type;
}

void draft_text(struct loader *ld, const struct tag_draft *tag, struct text_form *ret_form)
{
    ret_form->type = type_of_text(tag);
    if (tag->text.sentinels)
        read_sentinels(ld, tag, ret_form);
    if (tag->text.words)
        read_words(ld, tag, ret_form);
    check_text(ld, tag, ret_form);
}
