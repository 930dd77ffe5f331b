/* found - see found.h. */
#include "commission/found.h"

#include <errno.h>

#include "core/json.h"

const char *const found_parities[] = {[PARITY_NONE] = "none", [PARITY_EVEN] = "even",   [PARITY_ODD] = "odd",
                                      [PARITY_MARK] = "mark", [PARITY_SPACE] = "space", NULL};

static void print_port(const struct port_settings *port, struct json *out)
{
    json_key(out, "baud");
    json_int(out, port->baud);
    json_key(out, "data_bits");
    json_int(out, port->data_bits);
    json_key(out, "parity");
    json_text(out, found_parities[port->parity]);
    json_key(out, "stop_bits");
    json_int(out, port->stop_bits);
}

static void print_answer(const struct found *f, struct json *out)
{
    struct answer refusal = {.result = -EREMOTEIO, .exception = f->exception};
    char reason[JOB_REASON_LEN];

    json_key(out, "answer");
    switch (f->by) {
    case FOUND_BY_VALUE:
        json_text(out, "a value");
        break;
    case FOUND_BY_REFUSAL:
        json_text(out, job_reason(&refusal, reason));
        break;
    case FOUND_DAMAGED:
        json_text(out, "damaged");
        break;
    }
    json_key(out, "latency_ms");
    json_int(out, (f->latency_us + 500) / 1000);
}

static void print_identity(const struct identity *id, struct json *out)
{
    json_key(out, "identity");
    json_object_begin(out);
    json_key(out, "vendor");
    json_text(out, id->vendor);
    json_key(out, "product");
    json_text(out, id->product);
    json_key(out, "revision");
    json_text(out, id->revision);
    json_object_end(out);
}

static void print_matches(const struct found *f, struct json *out)
{
    json_key(out, "matches");
    json_array_begin(out);
    for (size_t i = 0; i < f->match_count; i++) {
        json_object_begin(out);
        json_key(out, "template");
        json_text(out, f->matches[i].template_name);
        json_key(out, "score");
        json_int(out, f->matches[i].score);
        json_key(out, "sample");
        json_text(out, f->matches[i].sample);
        json_object_end(out);
    }
    json_array_end(out);
}

void found_print(const struct found *f, struct json *out)
{
    json_key(out, "unit");
    json_uint(out, f->unit);
    if (f->port)
        print_port(f->port, out);
    print_answer(f, out);
    if (f->configured) {
        json_key(out, "device");
        json_text(out, f->configured->name);
        if (f->configured->template_name) {
            json_key(out, "template");
            json_text(out, f->configured->template_name);
        }
    }
    if (f->has_identity)
        print_identity(&f->identity, out);
    print_matches(f, out);
}
