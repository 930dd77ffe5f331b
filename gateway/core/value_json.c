/* value_json - see value_json.h. */
#include "core/value_json.h"

#include <stdio.h>

static bool is_beyond_doubles(const struct value *v)
{
    const int64_t end = INT64_C(1) << 53;

    return v->type == VALUE_UINT ? v->u > (uint64_t)end : v->type == VALUE_INT && (v->i > end || v->i < -end);
}

void json_value(struct json *j, const struct value *v)
{
    char text[40];
    struct buf printed = {0};

    if (v->type == VALUE_NONE) {
        json_null(j);
        return;
    }
    if (v->type == VALUE_TEXT) {
        json_str(j, v->text);
        return;
    }
    value_print(v, &printed);
    if (is_beyond_doubles(v)) {
        json_str(j, buf_str(&printed));
    } else {
        snprintf(text, sizeof(text), STR_FMT, STR_ARG(buf_str(&printed)));
        json_raw(j, text);
    }
    buf_fini(&printed);
}
