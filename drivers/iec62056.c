/* iec62056 - see iec62056.h. */
#include "drivers/iec62056.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "drivers/link.h"

enum { LINE_MAX = 64, NAME_MIN = 5, LETTER_AT = 4 };

/* 6.3.14: 0 to 6 are modes C and E, A to F mode B, which asks for no acknowledgement; other letters are mode A. */
int iec62056_read_name(struct str line, int32_t *ret_baud, char *ret_letter)
{
    static const int32_t bauds[] = {300, 600, 1200, 2400, 4800, 9600, 19200};
    char letter;

    if (line.len < NAME_MIN || line.data[0] != '/' || line.data[1] == '?')
        return -EBADMSG;
    for (size_t i = 1; i < LETTER_AT; i++)
        if (!isalpha((unsigned char)line.data[i]))
            return -EBADMSG;
    letter = line.data[LETTER_AT];
    *ret_letter = '\0';
    *ret_baud = 0;
    if (letter >= '0' && letter <= '6') {
        *ret_letter = letter;
        *ret_baud = bauds[letter - '0'];
    } else if (letter >= 'A' && letter <= 'F') {
        *ret_baud = bauds[letter - 'A' + 1];
    }
    return 0;
}

/* One character: what follows the line may be the telegram. 0 at until_ms. */
static int take_char(struct link *l, int64_t until_ms, char *ret_char)
{
    uint8_t byte;
    int r = link_await_bytes(l, until_ms);

    if (r > 0)
        r = link_take_bytes(l, &byte, 1);
    if (r > 0)
        *ret_char = (char)byte;
    return r;
}

/* Up to its line end, without it. */
static int take_line(struct link *l, int64_t until_ms, char text[LINE_MAX], struct str *ret_line)
{
    size_t len = 0;

    while (clock_mono_ms() < until_ms) {
        char c;
        int r = take_char(l, until_ms, &c);

        if (r < 0)
            return r;
        if (r == 0)
            continue;
        if (c == '\n') {
            *ret_line = (struct str){.data = text, .len = len};
            return 0;
        }
        if (c == '/') /* a name begins, whatever came before */
            len = 0;
        if (c != '\r' && len < LINE_MAX)
            text[len++] = c;
    }
    return -ETIMEDOUT;
}

/* Heads that return what they send give the request first. */
static int take_name(struct link *l, int64_t until_ms, int32_t *ret_baud, char *ret_letter)
{
    char text[LINE_MAX];
    struct str line;
    int r;

    do {
        r = take_line(l, until_ms, text, &line);
    } while (r == 0 && str_starts_with(line, str_of("/?")));
    return r < 0 ? r : iec62056_read_name(line, ret_baud, ret_letter);
}

int iec62056_sign_on(struct link *l, struct str request)
{
    char acknowledgement[] = "\0060x0\r\n";
    int32_t baud = 0;
    char letter = '\0';
    int r = link_set_baud(l, IEC62056_BASE_BAUD);

    if (r == 0)
        r = link_put_bytes(l, (const uint8_t *)request.data, request.len);
    if (r == 0)
        r = take_name(l, clock_mono_ms() + IEC62056_NAME_MS, &baud, &letter);
    if (r < 0)
        return r;
    if (letter) {
        acknowledgement[2] = letter;
        r = link_put_bytes(l, (const uint8_t *)acknowledgement, strlen(acknowledgement));
    }
    return r == 0 && baud > 0 ? link_set_baud(l, baud) : r;
}
