/* options_clock - gateway.clock. */
#include "config/draft.h"
#include "config/options.h"

static const struct schema_choice trusts[] = {
    {"auto", CLOCK_TRUST_AUTO},
    {"always", CLOCK_TRUST_ALWAYS},
    {0},
};

static const struct schema_option clock_options[] = {
    {.name = "trust",
     .type = OPT_ENUM,
     .choices = trusts,
     INTO(struct root_draft, gateway.clock_trust),
     .preset = "auto",
     .help = "When samples get a time. auto: once the clock was read from hardware that runs without power, is kept by "
             "NTP, or was set; until then they carry the time since the boot. always: from the start."},
    {0},
};
const struct schema_section clock_section = {"gateway.clock", clock_options};
