/* rtu_request - see rtu_request.h. */
#include "drivers/simulator/rtu_request.h"

#include "core/str.h"

enum { FUNCTION_AT = 1 };

static const struct {
    uint8_t function;
    uint8_t fixed;    /* bytes besides its data */
    uint8_t count_at; /* where it says how many bytes of data; 0: it has none */
} requests[] = {
    {1, 8, 0},  {2, 8, 0},  {3, 8, 0},  {4, 8, 0},  {5, 8, 0},   {6, 8, 0},    {7, 4, 0},  {8, 8, 0}, {11, 4, 0},
    {12, 4, 0}, {15, 9, 6}, {16, 9, 6}, {17, 4, 0}, {22, 10, 0}, {23, 13, 10}, {43, 7, 0}, /* read device
                                                                                              identification: the only
                                                                                              kind of it there is here
                                                                                            */
};

size_t rtu_request_len(const uint8_t *bytes, size_t len)
{
    if (len <= FUNCTION_AT)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        if (requests[i].function != bytes[FUNCTION_AT])
            continue;
        if (requests[i].count_at == 0)
            return requests[i].fixed;
        return len > requests[i].count_at ? requests[i].fixed + (size_t)bytes[requests[i].count_at] : 0;
    }
    return RTU_REQUEST_UNKNOWN;
}
