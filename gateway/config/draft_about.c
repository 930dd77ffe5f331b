/* draft_about - what a value is for Home Assistant: the classes a tag gives, or those that follow from its unit. */
#include <string.h>

#include "config/loader.h"
#include "config/value_class.h"

static const char *const state_names[] = {
    [STATE_CLASS_NONE] = "",
    [STATE_CLASS_MEASUREMENT] = "measurement",
    [STATE_CLASS_ANGLE] = "measurement_angle",
    [STATE_CLASS_TOTAL] = "total",
    [STATE_CLASS_INCREASING] = "total_increasing",
};

static unsigned kind_of(const struct tag_draft *tag, const char **ret_words)
{
    if (tag->form.checked.word_count > 0) {
        *ret_words = "a value with words ('enum')";
        return CLASS_OF_WORDS;
    }
    if (tag->type == TYPE_STRING) {
        *ret_words = "a string";
        return CLASS_OF_TEXT;
    }
    if (tag->type == TYPE_BOOL || tag->form.checked.is_bit) {
        *ret_words = "a bool";
        return CLASS_OF_BOOL | CLASS_OF_SWITCH;
    }
    *ret_words = "a number";
    return CLASS_OF_NUMBER;
}

static void check_unit(struct loader *ld, const struct tag_draft *tag, const struct value_class *class)
{
    struct place place = key_place(tag->node, tag->base, *tag->unit ? "unit" : "device_class");
    bool or_none = class->units && class->units[0] == '-';
    const char *units = or_none ? class->units + 1 : class->units;

    if (value_class_has_unit(class, tag->unit))
        return;
    if (!*tag->unit)
        report_warning(&ld->report, place, "Home Assistant wants a unit with the device_class %s: %s", class->name,
                       units);
    else if (*units)
        report_warning(&ld->report, place,
                       "Home Assistant refuses the unit '%s' with the device_class %s: it takes%s %s", tag->unit,
                       class->name, or_none ? " none or" : "", units);
    else
        report_warning(&ld->report, place, "Home Assistant refuses a unit with the device_class %s", class->name);
}

/* The class the tag gives; NULL when it is wrong, and reported. */
static const struct value_class *given_class(struct loader *ld, const struct tag_draft *tag, unsigned kind,
                                             const char *words)
{
    struct place place = key_place(tag->node, tag->base, "device_class");
    struct near near = near_to(str_of(tag->about.device_class));
    const struct value_class *class = value_class_find(tag->about.device_class, &near);
    char found[TEXT_SHOWN];

    if (!class) {
        text_quote(str_of(tag->about.device_class), found);
        if (near.best)
            report_error(&ld->report, place, "there is no device_class %s; did you mean '%s'?", found, near.best);
        else
            report_error(&ld->report, place, "there is no device_class %s: Home Assistant lists them", found);
        return NULL;
    }
    if (!(class->kinds & kind)) {
        report_error(&ld->report, place, "%s cannot have the device_class %s", words, class->name);
        return NULL;
    }
    if (kind == CLASS_OF_NUMBER)
        check_unit(ld, tag, class);
    return class;
}

static const struct value_class *class_of(struct loader *ld, const struct tag_draft *tag, unsigned kind,
                                          const char *words)
{
    if (strcmp(tag->about.device_class, "none") == 0)
        return NULL;
    if (*tag->about.device_class)
        return given_class(ld, tag, kind, words);
    if (kind == CLASS_OF_WORDS)
        return value_class_find("enum", NULL);
    return kind == CLASS_OF_NUMBER ? value_class_of_unit(tag->unit) : NULL;
}

/* A measurement that is counted is refused by Home Assistant as much as a count that is measured. */
static enum state_class state_of(struct loader *ld, const struct tag_draft *tag, unsigned kind, const char *words,
                                 const struct value_class *class)
{
    enum state_class given = (enum state_class)tag->about.state_class;

    if (given == STATE_CLASS_FOLLOWS && (!class || kind != CLASS_OF_NUMBER))
        return STATE_CLASS_NONE;
    if (given == STATE_CLASS_FOLLOWS)
        return class->counted ? STATE_CLASS_INCREASING : STATE_CLASS_MEASUREMENT;
    if (given != STATE_CLASS_NONE && kind != CLASS_OF_NUMBER)
        report_error(&ld->report, key_place(tag->node, tag->base, "state_class"), "%s has no state_class", words);
    else if (given == STATE_CLASS_MEASUREMENT && class && class->counted)
        report_warning(&ld->report, key_place(tag->node, tag->base, "state_class"),
                       "the device_class %s is counted, not measured: its state_class is total_increasing or total",
                       class->name);
    return given;
}

void draft_about(struct loader *ld, struct tag_draft *tag)
{
    const struct value_class *class;
    const char *words;
    unsigned kind;

    tag->about.class_found = "";
    tag->about.state_found = "";
    if (tag->type < 0)
        return;
    kind = kind_of(tag, &words);
    class = class_of(ld, tag, kind, words);
    if (class && class->kinds == CLASS_OF_SWITCH && !tag->write_rules.allowed)
        class = NULL; /* to be looked at only, it is none */
    if (class)
        tag->about.class_found = class->name;
    tag->about.state_found = state_names[state_of(ld, tag, kind, words, class)];
}
