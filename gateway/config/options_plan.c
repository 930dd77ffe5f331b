/* options_plan - the options that say how a device's registers may be read, beyond those a bus can say too. */
#include "config/draft.h"
#include "config/options.h"

static const struct schema_choice tables[] = {
    {"coil", TABLE_COIL}, {"discrete", TABLE_DISCRETE}, {"input", TABLE_INPUT}, {"holding", TABLE_HOLDING}, {0}};

static const struct schema_option block_options[] = {
    {.name = "table",
     .type = OPT_ENUM,
     .required = true,
     .choices = tables,
     INTO(struct block_draft, table),
     .help = "coil, discrete, input or holding."},
    {.name = "from",
     .type = OPT_INT,
     .required = true,
     .min = 0,
     .max = 65535,
     INTO(struct block_draft, from),
     .help = "Its first address, as on the wire."},
    {.name = "to",
     .type = OPT_INT,
     .required = true,
     .min = 0,
     .max = 65535,
     INTO(struct block_draft, to),
     .help = "Its last address."},
    {0},
};
const struct schema_section block_section = {"a block", block_options};

static const struct schema_option setup_options[] = {
    {.name = "tag",
     .type = OPT_NAME,
     INTO(struct setup_draft, tag),
     .help = "The tag that is written; people need not be allowed to."},
    {.name = "value",
     .type = OPT_STRING,
     .min = 1,
     .max = VALUE_TEXT_MAX,
     INTO(struct setup_draft, value),
     .help = "Its value, as the tag shows it."},
    {.name = "verify",
     .type = OPT_BOOL,
     INTO(struct setup_draft, verify),
     .help = "Whether the value is read back and compared."},
    {.name = "action",
     .type = OPT_NAME,
     INTO(struct setup_draft, action),
     .help = "Or the action of the device that is carried out."},
    {0},
};
const struct schema_section setup_section = {"a setup write", setup_options};

static const struct schema_option planning_options[] = {
    {.name = "blocks",
     .type = OPT_LIST,
     .section = &block_section,
     INTO(struct planning, block_list),
     .help = "The addresses that can be read: [{table: holding, from: 0, to: 99}]. No request goes beyond one of them. "
             "A table without a block has no bounds."},
    {.name = "setup",
     .type = OPT_LIST,
     .section = &setup_section,
     INTO(struct planning, setup_list),
     .help = "What is written to the device when it comes, or comes back, before it is polled: "
             "[{tag: mode, value: 2}, {action: unlock}]."},
    {0},
};
const struct schema_section planning_section = {"a device", planning_options};
