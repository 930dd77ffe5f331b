/* options_health - how a device that does not answer is asked, and what all of them may cost their bus. */
#include "bus/bus_settings.h"
#include "config/loader.h"
#include "config/options.h"

enum { FC_READ_COILS = 1, FC_READ_DISCRETE = 2, FC_READ_HOLDING = 3, FC_READ_INPUT = 4 };

static const struct schema_choice functions[] = {{"coil", FC_READ_COILS},
                                                 {"discrete", FC_READ_DISCRETE},
                                                 {"input", FC_READ_INPUT},
                                                 {"holding", FC_READ_HOLDING},
                                                 {0}};

/* What a probe needs of a type is its width. */
static const struct schema_choice widths[] = {{"u8", 1},  {"s8", 1},    {"u16", 1}, {"s16", 1}, {"bcd16", 1},
                                              {"u32", 2}, {"s32", 2},   {"f32", 2}, {"u64", 4}, {"s64", 4},
                                              {"f64", 4}, {"bcd32", 2}, {0}};

static const struct schema_option probe_options[] = {
    {.name = "table",
     .type = OPT_ENUM,
     .required = true,
     .choices = functions,
     INTO(struct probe_settings, function),
     .help = "coil, discrete, input or holding."},
    {.name = "address",
     .type = OPT_INT,
     .required = true,
     .min = 0,
     .max = 65535,
     INTO(struct probe_settings, address),
     .help = "Address in the table, as on the wire."},
    {.name = "type",
     .type = OPT_ENUM,
     .choices = widths,
     INTO(struct probe_settings, count),
     .help = "Of a register, for devices that give a value only whole; u16 when it is not given."},
    {0},
};
const struct schema_section probe_section = {"'probe'", probe_options};

static const struct schema_option health_options[] = {
    {.name = "dead_share",
     .type = OPT_INT,
     .min = 1,
     .max = 50,
     INTO(struct health_settings, dead_share_percent),
     .preset = "5",
     .help = "Percent of the bus's time that all quarantined devices together may take to be asked whether they are "
             "back."},
    {0},
};
const struct schema_section health_section = {"a bus", health_options};

void draft_probe(struct loader *ld, const struct node *level, struct probe_settings *probe)
{
    const struct node *given = node_get(level, "probe");
    bool is_bit = probe->function == FC_READ_COILS || probe->function == FC_READ_DISCRETE;

    if (!given || probe->function == 0)
        return;
    if (is_bit && node_get(given, "type"))
        report_error(&ld->report, node_get(given, "type")->place, "a probe of bits has no 'type'");
    if (!node_get(given, "type"))
        probe->count = 1;
    if (probe->address + probe->count > 65536)
        report_error(&ld->report, given->place, "a probe of %u registers at address %u ends beyond 65535", probe->count,
                     probe->address);
}
