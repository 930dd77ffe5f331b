/* options_port - the table of a serial port. */
#include "config/draft.h"
#include "config/options.h"

enum { LONGEST_RTS_DELAY = 100 };

const struct schema_choice port_parities[] = {{"none", PARITY_NONE}, {"even", PARITY_EVEN},   {"odd", PARITY_ODD},
                                              {"mark", PARITY_MARK}, {"space", PARITY_SPACE}, {0}};
static const struct schema_choice rs485_modes[] = {
    {"off", RS485_OFF}, {"kernel", RS485_KERNEL}, {"rts", RS485_RTS}, {0}};
static const struct schema_choice levels[] = {{"high", false}, {"low", true}, {0}};

static const struct schema_option port_options[] = {
    {.name = "device",
     .type = OPT_PATH,
     .required = true,
     INTO(struct port_settings, device),
     .help = "The serial port; best a name under /dev/serial/by-path or by-id, which does not change."},
    {.name = "baud",
     .type = OPT_INT,
     .min = 50,
     .max = 4000000,
     INTO(struct port_settings, baud),
     .preset = "9600",
     .help = "Bits a second. A port that cannot have it exactly (to 2 %) is not used."},
    {.name = "parity",
     .type = OPT_ENUM,
     .choices = port_parities,
     INTO(struct port_settings, parity),
     .preset = "none",
     .help = "Parity bit."},
    {.name = "data_bits",
     .type = OPT_INT,
     .min = 7,
     .max = 8,
     INTO(struct port_settings, data_bits),
     .preset = "8",
     .help = "Data bits of a character; Modbus RTU has 8."},
    {.name = "stop_bits",
     .type = OPT_INT,
     .min = 1,
     .max = 2,
     INTO(struct port_settings, stop_bits),
     .preset = "1",
     .help = "Stop bits."},
    {.name = "rs485",
     .type = OPT_ENUM,
     .choices = rs485_modes,
     INTO(struct port_settings, rs485),
     .preset = "off",
     .help =
         "Who turns the RS-485 transmitter on: off (the adapter does by itself), kernel (the port's driver), or rts "
         "(wirepost does by the RTS line)."},
    {.name = "rts_on_send",
     .type = OPT_ENUM,
     .choices = levels,
     INTO(struct port_settings, rts_low),
     .preset = "high",
     .help = "rs485 kernel or rts: the level of RTS while sending."},
    {.name = "rts_before_send",
     .type = OPT_DURATION,
     .min = 0,
     .max = LONGEST_RTS_DELAY,
     INTO(struct port_settings, rts_before_ms),
     .preset = "0",
     .help = "rs485 kernel or rts: pause between that level and the first character."},
    {.name = "rts_after_send",
     .type = OPT_DURATION,
     .min = 0,
     .max = LONGEST_RTS_DELAY,
     INTO(struct port_settings, rts_after_ms),
     .preset = "0",
     .help = "rs485 kernel or rts: pause between the last character and the other level."},
    {0},
};
const struct schema_section port_section = {"port", port_options};
