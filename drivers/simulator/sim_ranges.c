/* sim_ranges - see sim_ranges.h. */
#include "drivers/simulator/sim_ranges.h"

#include <modbus.h>

#include "core/str.h"

/* Modbus application protocol 1.1b3, 6: the address comes first, then the count unless there is but one. */
static const struct {
    uint8_t function;
    enum modbus_table table;
    bool single;
    bool writes;
} functions[] = {
    {MODBUS_FC_READ_COILS, TABLE_COIL, false, false},
    {MODBUS_FC_READ_DISCRETE_INPUTS, TABLE_DISCRETE, false, false},
    {MODBUS_FC_READ_HOLDING_REGISTERS, TABLE_HOLDING, false, false},
    {MODBUS_FC_READ_INPUT_REGISTERS, TABLE_INPUT, false, false},
    {MODBUS_FC_WRITE_SINGLE_COIL, TABLE_COIL, true, true},
    {MODBUS_FC_WRITE_SINGLE_REGISTER, TABLE_HOLDING, true, true},
    {MODBUS_FC_WRITE_MULTIPLE_COILS, TABLE_COIL, false, true},
    {MODBUS_FC_WRITE_MULTIPLE_REGISTERS, TABLE_HOLDING, false, true},
    {MODBUS_FC_MASK_WRITE_REGISTER, TABLE_HOLDING, true, true},
    {MODBUS_FC_WRITE_AND_READ_REGISTERS, TABLE_HOLDING, false, false},
};

static uint32_t word_at(const uint8_t *bytes)
{
    return (uint32_t)(bytes[0] << 8 | bytes[1]);
}

size_t sim_ranges(const uint8_t *pdu, struct sim_range ret_ranges[SIM_RANGES_MAX])
{
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (functions[i].function != pdu[0])
            continue;
        ret_ranges[0] = (struct sim_range){.table = functions[i].table,
                                           .writes = functions[i].writes,
                                           .address = word_at(pdu + 1),
                                           .count = functions[i].single ? 1 : word_at(pdu + 3)};
        if (pdu[0] != MODBUS_FC_WRITE_AND_READ_REGISTERS)
            return 1;
        ret_ranges[1] = (struct sim_range){
            .table = TABLE_HOLDING, .writes = true, .address = word_at(pdu + 5), .count = word_at(pdu + 7)};
        return 2;
    }
    return 0;
}
