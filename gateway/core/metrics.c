/* metrics - see metrics.h. */
#include "core/metrics.h"

#include <math.h>

#include "core/buf.h"

static const char *suffix(const struct metric *m)
{
    return m->gauge ? "" : "_total";
}

void metrics_head(struct buf *out, const struct metric *m)
{
    buf_printf(out, "# HELP %s%s %s\n", m->name, suffix(m), m->help);
    buf_printf(out, "# TYPE %s%s %s\n", m->name, suffix(m), m->gauge ? "gauge" : "counter");
}

static void put_escaped(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n') {
            buf_put_text(out, "\\n");
            continue;
        }
        if (*text == '"' || *text == '\\')
            buf_put_u8(out, '\\');
        buf_put_u8(out, (uint8_t)*text);
    }
}

static void put_value(struct buf *out, double value)
{
    if (isnan(value))
        buf_put_text(out, "NaN");
    else if (isinf(value))
        buf_put_text(out, value > 0 ? "+Inf" : "-Inf");
    else
        buf_printf(out, "%.15g", value);
}

void metrics_sample(struct buf *out, const struct metric *m, const struct metric_label *labels, size_t label_count,
                    double value)
{
    buf_printf(out, "%s%s", m->name, suffix(m));
    for (size_t i = 0; i < label_count; i++) {
        buf_printf(out, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
        put_escaped(out, labels[i].value);
        buf_put_u8(out, '"');
    }
    buf_put_text(out, label_count > 0 ? "} " : " ");
    put_value(out, value);
    buf_put_u8(out, '\n');
}

void metrics_single(struct buf *out, const struct metric *m, double value)
{
    metrics_head(out, m);
    metrics_sample(out, m, NULL, 0, value);
}
