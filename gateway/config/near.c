/* near - see near.h. Edit distance in which neighbours may also change places. */
#include "config/near.h"

#include <ctype.h>
#include <stdbool.h>

enum { LONGEST = 40 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

struct near near_to(struct str typed)
{
    /* One slip for a short word, two from four letters, three from eight. */
    return (struct near){.typed = typed, .distance = 2 + smaller(typed.len / 4, 2)};
}

static bool same(char a, char b)
{
    if (a == '-')
        a = '_';
    if (b == '-')
        b = '_';
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Rows of the table of distances between all beginnings of `a` and `b`; the last three are enough. */
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][LONGEST + 1];

    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        const size_t *above2 = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = above[j - 1] + (same(a.data[i - 1], b.data[j - 1]) ? 0 : 1);

            row[j] = smaller(change, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a.data[i - 1], b.data[j - 2]) && same(a.data[i - 2], b.data[j - 1]))
                row[j] = smaller(row[j], above2[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

static bool begins_with(struct str longer, struct str shorter)
{
    return shorter.len >= 3 && longer.len > shorter.len && str_starts_with(longer, shorter);
}

void near_offer(struct near *n, const char *candidate)
{
    struct str word = str_of(candidate);
    size_t d;

    if (n->typed.len > LONGEST || word.len > LONGEST || n->typed.len == 0)
        return;
    d = distance(n->typed, word);
    if (d > 1 && (begins_with(word, n->typed) || (n->shorter && begins_with(n->typed, word))))
        d = 1; /* "dev" for "device", "baudrate" for "baud" */
    if (d < n->distance && d < word.len) {
        n->distance = d;
        n->best = candidate;
    }
}
