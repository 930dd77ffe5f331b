/*
 * Fuzz target of requests to write: whatever comes to a `set` topic is refused or becomes values which their tags then
 * show, and the answer to it is JSON.
 *
 *   | topic | newline | payload |
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/value_json.h"
#include "drivers/modbus.h"
#include "tests/fuzz/fuzz.h"
#include "write/outcome.h"
#include "write/request.h"

static const struct tag_word words[] = {{0, "off"}, {1, "on"}, {65535, "odd"}};
static const uint64_t sentinels[] = {0x8000};

static const struct tag_settings tags[] = {
    {.table = TABLE_COIL, .type = TYPE_BOOL, .scale = 1},
    {.table = TABLE_COIL, .type = TYPE_BOOL, .scale = 1, .form = {.words = words, .word_count = 2}},
    {.table = TABLE_HOLDING,
     .type = TYPE_S16,
     .scale = 0.1,
     .offset = -40,
     .form = {.sentinels = sentinels, .sentinel_count = 1}},
    {.table = TABLE_HOLDING, .type = TYPE_U16, .scale = 1, .form = {.words = words, .word_count = 3}},
    {.table = TABLE_HOLDING, .type = TYPE_U16, .scale = 1, .form = {.is_bit = true, .bit_offset = 3, .bit_count = 1}},
    {.table = TABLE_HOLDING,
     .type = TYPE_U32,
     .scale = 3,
     .form = {.bit_offset = 4, .bit_count = 9},
     .order = ORDER_DCBA},
    {.table = TABLE_HOLDING, .type = TYPE_U8, .scale = 1},
    {.table = TABLE_HOLDING, .type = TYPE_S32, .scale = -0.001, .order = ORDER_CDAB},
    {.table = TABLE_HOLDING, .type = TYPE_U64, .scale = 1},
    {.table = TABLE_HOLDING, .type = TYPE_S64, .scale = 1, .order = ORDER_BADC},
    {.table = TABLE_HOLDING,
     .type = TYPE_F32,
     .scale = 1,
     .form = {.has_range = true, .range_min = -5, .range_max = 1e30}},
    {.table = TABLE_HOLDING, .type = TYPE_F64, .scale = 2},
    {.table = TABLE_HOLDING, .type = TYPE_BCD32, .scale = 0.01, .form = {.has_precision = true, .precision = 2}},
    {.table = TABLE_HOLDING, .type = TYPE_STRING, .scale = 1, .form = {.length = 4}},
};

/* What is written is what the preview says, and within the type. */
static void check_value(const struct tag_settings *shape, struct str text)
{
    struct tag_settings tag = *shape;
    uint16_t regs[4] = {0};
    char previewed[VALUE_TEXT_MAX];
    char read[VALUE_TEXT_MAX];
    struct value v;
    struct reading shown;
    bool bit;
    int r;

    tag.write = (struct write_rules){.allowed = true, .min = -INFINITY, .max = 1e18};
    r = modbus_preview(&tag, text, previewed, &v);
    REQUIRE(r == 0 || r == -EINVAL || r == -ERANGE);
    if (r < 0)
        return;
    if (table_is_bits(tag.table)) {
        REQUIRE(modbus_encode_bit(&tag, text, &bit) == 0);
        shown = modbus_decode_bit(&tag, 0, bit);
    } else {
        REQUIRE(modbus_encode_text(&tag, text, regs) == 0);
        shown = modbus_decode(&tag, 0, regs, read);
    }
    REQUIRE(shown.reason.kind == REASON_NONE && value_equal(&shown.value, &v));
}

static void check_answer(const struct write_request *req)
{
    struct outcome_value values[REQUEST_ITEMS_MAX];
    struct outcome o = {.id = req->has_id ? req->id : str_of("1"),
                        .status = WRITE_REJECTED,
                        .code = "bad_value",
                        .values = values,
                        .count = req->count};
    struct buf out = {0};
    cJSON *parsed;

    for (size_t i = 0; i < req->count; i++)
        values[i] = (struct outcome_value){.name = req->items[i].name.data, .json = req->items[i].given};
    outcome_print(&o, &out);
    parsed = cJSON_ParseWithLength((const char *)buf_data(&out), buf_len(&out));
    REQUIRE(cJSON_IsObject(parsed));
    cJSON_Delete(parsed);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    struct arena *arena = arena_new();
    struct write_request req;
    struct str topic;
    struct str payload;
    int r;

    REQUIRE(arena);
    topic = (struct str){.data = (const char *)data, .len = newline ? (size_t)(newline - data) : size};
    payload = newline ? (struct str){.data = (const char *)newline + 1, .len = size - topic.len - 1} : str_of("");
    r = request_parse("g", topic, payload, arena, &req);
    REQUIRE(r == 0 || r == -ENOENT || r == -EBADMSG);
    REQUIRE(req.count <= REQUEST_ITEMS_MAX && req.expires_ms >= -1 && req.expires_ms <= REQUEST_EXPIRY_MAX_MS);
    REQUIRE(r < 0 || req.count > 0);
    if (r != -ENOENT)
        check_answer(&req);
    for (size_t i = 0; r == 0 && i < req.count; i++)
        for (size_t t = 0; t < ARRAY_LEN(tags); t++)
            check_value(&tags[t], req.items[i].text);
    arena_free(arena);
    return 0;
}
