/* options_write - what a tag says of writing it, and the actions of a device. */
#include "config/draft.h"
#include "config/options.h"

static const struct schema_choice functions[] = {{"5", 5},   {"6", 6},   {"15", 15}, {"16", 16},
                                                 {"22", 22}, {"23", 23}, {0}};

static const struct schema_option failsafe_options[] = {
    {.name = "value",
     .type = OPT_STRING,
     .required = true,
     .min = 1,
     .max = VALUE_TEXT_MAX,
     INTO(struct failsafe_draft, value),
     .help = "What is written, as the tag shows it: a number, a word of 'enum', true or false."},
    {.name = "after",
     .type = OPT_DURATION,
     .required = true,
     .min = 1000,
     .max = (int64_t)7 * DAY,
     INTO(struct failsafe_draft, after_ms),
     .help = "When nobody has written the tag for so long."},
    {0},
};
static const struct schema_section failsafe_section = {"'failsafe'", failsafe_options};

static const struct schema_option write_options[] = {
    {.name = "fc",
     .type = OPT_ENUM,
     .choices = functions,
     INTO(struct write_draft, function),
     .help =
         "Modbus function code to write with: 5 or 15 for coils; 6 (one register), 16, 22 (some bits of a register) "
         "or 23 for holding registers. Without it: 5, 6 for one register, 16 for several; single bits are read, "
         "changed and written while nobody else has the bus."},
    {.name = "min",
     .type = OPT_FLOAT,
     INTO(struct write_draft, min),
     .help = "Least value that may be written, after scaling."},
    {.name = "max",
     .type = OPT_FLOAT,
     INTO(struct write_draft, max),
     .help = "Greatest value that may be written, after scaling."},
    {.name = "verify",
     .type = OPT_BOOL,
     INTO(struct write_draft, verify),
     .help = "Whether the value is read back and compared, unless a request says otherwise."},
    {.name = "failsafe",
     .type = OPT_SECTION,
     .section = &failsafe_section,
     INTO(struct write_draft, failsafe),
     .help = "What the gateway writes by itself when the writes of others cease: {value: 0, after: 30s}."},
    {0},
};
const struct schema_section write_section = {"'write'", write_options};

static const struct schema_option action_options[] = {
    {.name = "name",
     .type = OPT_NAME,
     .required = true,
     INTO(struct action_draft, name),
     .help = "Name of the action; its topic is action/NAME/set."},
    {.name = "pdu",
     .type = OPT_STRING,
     .required = true,
     .min = 2,
     .max = 3 * ACTION_PDU_MAX,
     INTO(struct action_draft, pdu),
     .help = "The request in hexadecimal, function code first, without unit and checksum: \"42\", \"05 0000 5500\"."},
    {0},
};
const struct schema_section action_section = {"an action", action_options};
