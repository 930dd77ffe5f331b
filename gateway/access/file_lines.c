/* file_lines - see file_lines.h. */
#include "access/file_lines.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

struct file_lines file_lines_of(struct str text)
{
    return (struct file_lines){.rest = text};
}

struct str text_trim(struct str text)
{
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

bool file_lines_next(struct file_lines *l)
{
    while (l->rest.len > 0) {
        const char *end = memchr(l->rest.data, '\n', l->rest.len);
        size_t len = end ? (size_t)(end - l->rest.data) : l->rest.len;

        l->number++;
        l->started = l->rest.data;
        l->line = text_trim((struct str){.data = l->rest.data, .len = len});
        len += end ? 1 : 0;
        l->rest.data += len;
        l->rest.len -= len;
        if (l->line.len > 0 && l->line.data[0] != '#')
            return true;
    }
    return false;
}

uint32_t file_lines_column(const struct file_lines *l, const char *at)
{
    return (uint32_t)(at - l->started) + 1;
}

struct str text_take_word(struct str *text)
{
    struct str word = {.data = text->data};

    while (word.len < text->len && !is_blank(text->data[word.len]))
        word.len++;
    text->data += word.len;
    text->len -= word.len;
    *text = text_trim(*text);
    return word;
}
