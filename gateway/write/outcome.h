/*
 * outcome - what a requester is told, as JSON. Pure.
 *
 *   {"id":"a7","status":"failed","code":"exception:2","tag":"level","v":{"pump":true},"ts":1700000000000}
 *
 * code is null where all is well, tag (which one it was about) then left out.
 */
#ifndef WP_WRITE_OUTCOME_H
#define WP_WRITE_OUTCOME_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"

enum write_status { WRITE_ACCEPTED, WRITE_WRITTEN, WRITE_VERIFIED, WRITE_REJECTED, WRITE_EXPIRED, WRITE_FAILED };

const char *write_status_name(enum write_status status);

struct outcome_value {
    const char *name;
    struct str json;
};

struct outcome {
    struct str id; /* as JSON */
    enum write_status status;
    const char *code; /* NULL: none */
    const char *tag;  /* NULL: none */
    const struct outcome_value *values;
    size_t count;
    int64_t ts_ms; /* wall clock */
};

void outcome_print(const struct outcome *o, struct buf *out);

/* The status of a command that did not end well, by its result (bus/command.h), and the code: a literal, or
 * ret_text. */
enum { OUTCOME_CODE_LEN = 24 };
enum write_status outcome_of_result(int result, uint8_t exception, char ret_text[OUTCOME_CODE_LEN],
                                    const char **ret_code);

#endif
