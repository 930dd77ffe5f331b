/* derive - see derive.h. */
#include "publish/derive.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "core/expression.h"

int derive_init(struct device_publish *d)
{
    const struct device_settings *s = d->settings;
    char problem[EXPRESSION_PROBLEM_MAX];

    d->expressions = calloc(s->derived_count + 1, sizeof(struct expression *));
    if (!d->expressions)
        return -ENOMEM;
    for (size_t i = 0; i < s->derived_count; i++)
        if (expression_new(s->tags[s->tag_count + i].expression, problem, &d->expressions[i]) < 0)
            return -ENOMEM; /* the configuration was checked */
    return 0;
}

void derive_fini(struct device_publish *d)
{
    for (size_t i = 0; d->expressions && i < d->settings->derived_count; i++)
        expression_free(d->expressions[i]);
    free(d->expressions);
}

static double number_of(const struct value *v)
{
    switch (v->type) {
    case VALUE_BOOL:
        return v->b;
    case VALUE_INT:
        return (double)v->i;
    case VALUE_UINT:
        return (double)v->u;
    case VALUE_FLOAT:
    case VALUE_DOUBLE:
        return v->d;
    case VALUE_NONE:
    case VALUE_TEXT:
        break;
    }
    return NAN;
}

static struct reason judge(const struct value_form *form, double v)
{
    if (!isfinite(v))
        return (struct reason){.kind = REASON_NAN};
    if (form->has_range && (v < form->range_min || v > form->range_max))
        return (struct reason){.kind = REASON_RANGE};
    return (struct reason){.kind = REASON_NONE};
}

static double rounded(const struct value_form *form, double v)
{
    double power = pow(10, form->precision);

    return form->has_precision ? round(v * power) / power : v;
}

bool derive_reading(const struct device_publish *d, uint32_t tag, int64_t ts_ms, struct reading *ret_reading)
{
    const struct tag_settings *settings = &d->settings->tags[tag];
    double inputs[EXPRESSION_INPUTS_MAX];
    bool changed = false;
    double v;

    *ret_reading = (struct reading){.tag = tag};
    for (size_t i = 0; i < settings->input_count; i++) {
        const struct tag_state *input = &d->tags[settings->inputs[i]];

        if (input->bad.kind != REASON_NONE) {
            ret_reading->reason = input->bad;
            return true;
        }
        if (input->value.type == VALUE_NONE)
            return false;
        changed |= input->ts_ms == ts_ms;
        inputs[i] = number_of(&input->value);
    }
    if (!changed)
        return false;
    v = expression_eval(d->expressions[tag - d->settings->tag_count], inputs);
    ret_reading->reason = judge(&settings->form, v);
    if (ret_reading->reason.kind == REASON_NONE)
        ret_reading->value = (struct value){.type = VALUE_DOUBLE, .d = rounded(&settings->form, v)};
    return true;
}
