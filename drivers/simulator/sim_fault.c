/* sim_fault - see sim_fault.h. */
#include "drivers/simulator/sim_fault.h"

#include <string.h>

#include "config/text.h"

enum { ALWAYS = 100 };

static const struct {
    const char *name;
    enum sim_fault_kind kind;
    int64_t limit; /* of its number; 0: takes none */
} faults[] = {
    {"off", FAULT_NONE, 0},
    {"silent", FAULT_SILENT, 0},
    {"delay", FAULT_DELAY, 60000},
    {"late", FAULT_LATE, 60000},
    {"crc", FAULT_CRC, 0},
    {"exception", FAULT_EXCEPTION, 255},
    {"truncated", FAULT_TRUNCATED, 0},
    {"unit", FAULT_UNIT, 255},
    {"echo", FAULT_ECHO, 0},
    {"noise", FAULT_NOISE, 0},
};

static bool parse_number(struct str text, int64_t limit, int64_t *ret_value)
{
    int64_t v;

    if (text_read_int(text, &v) < 0 || v < 0 || v > limit)
        return false;
    *ret_value = v;
    return true;
}

static bool parse_share(struct str text, uint8_t *ret_percent)
{
    int64_t v;

    if (text.len < 2 || text.data[text.len - 1] != '%')
        return false;
    text.len--;
    if (!parse_number(text, ALWAYS, &v))
        return false;
    *ret_percent = (uint8_t)v;
    return true;
}

bool sim_fault_parse(const struct str *words, size_t count, struct sim_fault *ret_fault)
{
    struct sim_fault fault = {.percent = ALWAYS};

    if (count > 1 && parse_share(words[count - 1], &fault.percent))
        count--;
    for (size_t i = 0; i < ARRAY_LEN(faults) && count > 0; i++) {
        if (!str_equal(words[0], str_of(faults[i].name)) || count != (faults[i].limit > 0 ? 2 : 1))
            continue;
        fault.kind = faults[i].kind;
        if (faults[i].limit > 0 && !parse_number(words[1], faults[i].limit, &fault.value))
            return false;
        *ret_fault = fault;
        return true;
    }
    return false;
}

uint32_t sim_random(uint32_t *state)
{
    uint32_t x = *state; /* xorshift32 */

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

size_t sim_fault_add_noise(uint32_t *random, uint8_t *frame, size_t len)
{
    size_t before = sim_random(random) % (SIM_NOISE_MAX / 2 + 1);
    size_t after = sim_random(random) % (SIM_NOISE_MAX / 2 + 1);

    memmove(frame + before, frame, len);
    for (size_t i = 0; i < before; i++)
        frame[i] = (uint8_t)sim_random(random);
    for (size_t i = 0; i < after; i++)
        frame[before + len + i] = (uint8_t)sim_random(random);
    return before + len + after;
}
