/* utf8 - see utf8.h. */
#include "core/utf8.h"

static bool in_range(unsigned char c, unsigned char low, unsigned char high)
{
    return c >= low && c <= high;
}

size_t utf8_char_len(const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t need;

    if (len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (in_range(p[0], 0xc2, 0xdf))
        need = 2;
    else if (in_range(p[0], 0xe0, 0xef))
        need = 3;
    else if (in_range(p[0], 0xf0, 0xf4))
        need = 4;
    else
        return 0;

    /* The second byte's range shuts out overlong forms, surrogates and what lies above U+10FFFF. */
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;

    if (len < need || !in_range(p[1], low, high))
        return 0;
    for (size_t i = 2; i < need; i++)
        if (!in_range(p[i], 0x80, 0xbf))
            return 0;
    return need;
}

bool utf8_valid(struct str s)
{
    size_t at = 0;

    while (at < s.len) {
        size_t len = utf8_char_len(s.data + at, s.len - at);

        if (len == 0)
            return false;
        at += len;
    }
    return true;
}
