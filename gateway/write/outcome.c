/* outcome - see outcome.h. */
#include "write/outcome.h"

#include <errno.h>
#include <stdio.h>

#include "core/json.h"

const char *write_status_name(enum write_status status)
{
    static const char *const names[] = {
        [WRITE_ACCEPTED] = "accepted", [WRITE_WRITTEN] = "written", [WRITE_VERIFIED] = "verified",
        [WRITE_REJECTED] = "rejected", [WRITE_EXPIRED] = "expired", [WRITE_FAILED] = "failed",
    };

    return names[status];
}

void outcome_print(const struct outcome *o, struct buf *out)
{
    struct json j = json_to(out);

    json_object_begin(&j);
    json_key(&j, "id");
    json_raw_str(&j, o->id);
    json_key(&j, "status");
    json_text(&j, write_status_name(o->status));
    json_key(&j, "code");
    if (o->code)
        json_text(&j, o->code);
    else
        json_null(&j);
    if (o->tag) {
        json_key(&j, "tag");
        json_text(&j, o->tag);
    }
    json_key(&j, "v");
    json_object_begin(&j);
    for (size_t i = 0; i < o->count; i++) {
        json_key(&j, o->values[i].name);
        json_raw_str(&j, o->values[i].json);
    }
    json_object_end(&j);
    json_key(&j, "ts");
    json_int(&j, o->ts_ms);
    json_object_end(&j);
}

static const char *code_of(int result)
{
    switch (result) {
    case -ETIME:
        return "expired";
    case -EHOSTDOWN:
    case -ENODEV:
        return "device_offline";
    case -EBADMSG:
        return "crc";
    case -EPROTO:
        return "bad_reply";
    case -EUCLEAN:
        return "mismatch";
    case -ESTALE:
        return "superseded";
    case -ECANCELED:
        return "stopped";
    case -EOPNOTSUPP:
        return "read_only";
    case -ENOMEM:
        return "memory";
    default:
        return "timeout";
    }
}

enum write_status outcome_of_result(int result, uint8_t exception, char ret_text[OUTCOME_CODE_LEN],
                                    const char **ret_code)
{
    *ret_code = code_of(result);
    if (result == -EREMOTEIO) {
        snprintf(ret_text, OUTCOME_CODE_LEN, "exception:%u", exception);
        *ret_code = ret_text;
    }
    return result == -ETIME ? WRITE_EXPIRED : WRITE_FAILED;
}
