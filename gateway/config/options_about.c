/* options_about - the options that say what a device and its values are, for people and Home Assistant. */
#include "config/draft.h"
#include "config/options.h"

static const struct schema_option about_device_options[] = {
    {.name = "label",
     .type = OPT_STRING,
     .max = 100,
     INTO(struct about_device, label),
     .preset = "",
     .help = "What people call the device; its name when it is not given."},
    {.name = "manufacturer",
     .type = OPT_STRING,
     .max = 100,
     INTO(struct about_device, manufacturer),
     .preset = "",
     .help = "Who made the device; most templates say it."},
    {.name = "model",
     .type = OPT_STRING,
     .max = 100,
     INTO(struct about_device, model),
     .preset = "",
     .help = "What the maker calls it."},
    {0},
};
const struct schema_section about_device_section = {"a device", about_device_options};

static const struct schema_choice state_classes[] = {
    {"none", STATE_CLASS_NONE},
    {"measurement", STATE_CLASS_MEASUREMENT},
    {"measurement_angle", STATE_CLASS_ANGLE},
    {"total", STATE_CLASS_TOTAL},
    {"total_increasing", STATE_CLASS_INCREASING},
    {0},
};

static const struct schema_option about_tag_options[] = {
    {.name = "label",
     .type = OPT_STRING,
     .max = 100,
     INTO(struct about_tag, label),
     .preset = "",
     .help = "What people call the value; the tag's name when it is not given."},
    {.name = "device_class",
     .type = OPT_STRING,
     .max = 64,
     INTO(struct about_tag, device_class),
     .preset = "",
     .help =
         "What Home Assistant calls such values: voltage, temperature, door, …; none for none. When it is not given "
         "it follows from the unit where that leaves no doubt (V: voltage)."},
    {.name = "state_class",
     .type = OPT_ENUM,
     .choices = state_classes,
     INTO(struct about_tag, state_class),
     .help = "How Home Assistant keeps statistics: measurement, total (a count that may fall), total_increasing (a "
             "count that only rises or begins again), measurement_angle, none. When it is not given it follows from "
             "the device_class."},
    {0},
};
const struct schema_section about_tag_section = {"a tag", about_tag_options};

static const struct schema_option parameter_options[] = {
    {.name = "default", .type = OPT_STRING, .max = 500, .help = "What the parameter is when a device does not say."},
    {.name = "help", .type = OPT_STRING, .max = 500, .help = "What it is for."},
    {0},
};
const struct schema_section parameter_section = {"a parameter", parameter_options};
