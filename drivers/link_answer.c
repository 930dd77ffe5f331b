/* link_answer - see link_answer.h. */
#include "drivers/link_answer.h"

#include <string.h>

enum { EXCEPTION_FLAG = 0x80, EXCEPTION_LEN = 5, HEAD = 3 };

/* What the bytes at one place are, as far as they go. */
enum kind { KIND_NOISE, KIND_MAYBE, KIND_UNDER_WAY, KIND_ECHO, KIND_ANSWER, KIND_OTHER };

void answer_begin(struct answer *a, const uint8_t *request, size_t len, size_t want)
{
    memcpy(a->request, request, len);
    a->request_len = len;
    a->want = want;
    a->echoed = a->damaged = false;
    a->others = a->skipped = a->len = 0;
}

/* Length of an answer that begins so; 0: no function of ours; more than `len` when it is not whole yet. */
static size_t frame_len(const uint8_t *b, size_t len)
{
    static const uint8_t fixed[] = {[5] = 8, [6] = 8, [7] = 5, [15] = 8, [16] = 8, [22] = 10};

    if (len < 2)
        return HEAD;
    if (b[1] & EXCEPTION_FLAG)
        return EXCEPTION_LEN;
    if (!frame_function_is_known(b[1]))
        return 0;
    if (b[1] < sizeof(fixed) && fixed[b[1]] > 0)
        return fixed[b[1]];
    return len < HEAD ? HEAD : (size_t)b[2] + HEAD + 2;
}

/* Whether unit, function and length are as asked, as far as they are there. */
static bool fits(const struct answer *a, const uint8_t *b, size_t len)
{
    if (b[0] != a->request[0])
        return false;
    if (len < 2)
        return true;
    if (b[1] == (a->request[1] | EXCEPTION_FLAG))
        return true;
    return b[1] == a->request[1] && (len < HEAD || a->want == 0 || frame_len(b, len) == a->want);
}

static bool is_whole(const uint8_t *b, size_t len, size_t n)
{
    return n > HEAD && n <= len && frame_rtu_is_whole(b, n);
}

/* *ret_len: of the whole frame, or what it will be. */
static enum kind judge(const struct answer *a, const uint8_t *b, size_t len, size_t *ret_len)
{
    size_t n = frame_len(b, len);
    bool mine = fits(a, b, len);
    bool answer = mine && is_whole(b, len, n);

    *ret_len = a->request_len;
    if (!a->echoed && len >= a->request_len && memcmp(b, a->request, a->request_len) == 0 && (a->echoes || !answer))
        return KIND_ECHO;
    *ret_len = n;
    if (answer)
        return KIND_ANSWER;
    if (is_whole(b, len, n))
        return KIND_OTHER;
    if (mine && n > len) {
        *ret_len = n > HEAD || a->want == 0 ? n : a->want;
        return KIND_UNDER_WAY;
    }
    *ret_len = a->request_len;
    if (!a->echoed && len < a->request_len && memcmp(b, a->request, len) == 0)
        return KIND_UNDER_WAY;
    return n > len ? KIND_MAYBE : KIND_NOISE;
}

/* Forgets the first n bytes. */
static void drop(struct answer *a, size_t n)
{
    a->len -= n;
    memmove(a->bytes, a->bytes + n, a->len);
}

/* The first place that is something; *ret_from: what is before that is noise and may go. */
static enum kind find(struct answer *a, size_t *ret_at, size_t *ret_len, size_t *ret_from)
{
    bool keep = false;

    *ret_from = a->len;
    for (size_t at = 0; at < a->len; at++) {
        enum kind kind = judge(a, a->bytes + at, a->len - at, ret_len);

        if (kind != KIND_NOISE && !keep) {
            keep = true;
            *ret_from = at;
        }
        if (kind == KIND_NOISE && fits(a, a->bytes + at, a->len - at))
            a->damaged = true;
        *ret_at = at;
        if (kind != KIND_NOISE && kind != KIND_MAYBE)
            return kind;
    }
    return KIND_NOISE;
}

/* Bytes `at` to `at` + n are a frame, and no answer; what is before is noise. Both go. */
static void pass_over(struct answer *a, enum link_verdict verdict, size_t at, size_t n)
{
    link_show(a->trace, LINK_NOISE, a->bytes, at);
    link_show(a->trace, verdict, a->bytes + at, n);
    drop(a, at + n);
}

static enum link_verdict verdict_on(const struct answer *a, const uint8_t *frame)
{
    if (a->owed[frame[0]])
        return LINK_LATE;
    return frame[0] == a->request[0] ? LINK_WRONG : LINK_FOREIGN;
}

size_t answer_look(struct answer *a, uint32_t late[256], size_t *ret_missing)
{
    size_t at = 0;
    size_t n = 0;
    size_t from;
    enum kind kind;

    for (;;) {
        kind = find(a, &at, &n, &from);
        if (kind != KIND_ECHO && kind != KIND_OTHER)
            break;
        a->echoed = a->echoed || kind == KIND_ECHO;
        a->echoes = a->echoes || kind == KIND_ECHO;
        a->others += kind == KIND_OTHER;
        late[a->bytes[at]] += kind == KIND_OTHER && a->owed[a->bytes[at]];
        a->skipped += at;
        pass_over(a, kind == KIND_ECHO ? LINK_ECHO : verdict_on(a, a->bytes + at), at, n);
    }
    *ret_missing = kind == KIND_UNDER_WAY ? n - (a->len - at) : 0;
    if (kind == KIND_ANSWER) {
        a->echoes = a->echoed;
        link_show(a->trace, LINK_NOISE, a->bytes, at);
        drop(a, at);
        return n;
    }
    if (from == 0 && a->len == ANSWER_ROOM)
        from = RTU_FRAME_MAX;
    if (a->damaged && kind != KIND_UNDER_WAY) /* it is not waited for; its tail is no beginning */
        from = a->len;
    a->skipped += from;
    link_show(a->trace, a->damaged ? LINK_DAMAGED : LINK_NOISE, a->bytes, from);
    drop(a, from);
    return 0;
}

void answer_drop_echo(struct answer *a)
{
    if (!a->echoes || a->echoed || a->len < a->request_len || memcmp(a->bytes, a->request, a->request_len) != 0)
        return;
    a->echoed = true;
    pass_over(a, LINK_ECHO, 0, a->request_len);
}

void answer_count(struct answer *a, uint32_t late[256])
{
    size_t at = 0;

    while (at < a->len) {
        size_t n = frame_len(a->bytes + at, a->len - at);

        if (!is_whole(a->bytes + at, a->len - at, n)) {
            at++;
            continue;
        }
        if (late)
            late[a->bytes[at]]++;
        pass_over(a, LINK_LATE, at, n);
        at = 0;
    }
    link_show(a->trace, LINK_NOISE, a->bytes, a->len);
    a->len = 0;
}
