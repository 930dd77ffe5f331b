/* scan_new - a scan from its request. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commission/fields.h"
#include "commission/scan_private.h"
#include "config/text.h"

static void read_units(struct scan *s, struct fields *f)
{
    uint8_t units[SCAN_UNITS];
    char text[FIELD_TEXT_LEN];
    const char *ranges = field_text(f, "units", "1-247", text);
    bool on_line = s->job.bus->type != BUS_MODBUS_TCP;
    size_t count = fields_ranges(ranges, on_line ? 1 : 0, on_line ? 247 : 255, units, SCAN_UNITS);

    if (count == 0)
        fields_refuse(f, "bad_request", "'units' must be numbers and ranges of %s, as in 1-20,30",
                      on_line ? "1 to 247" : "0 to 255");
    scan_order_init(&s->order, units, count, 1);
}

static bool has_port(const struct scan *s, const struct port_settings *port)
{
    for (size_t i = 0; i < s->order.port_count; i++)
        if (s->ports[i].baud == port->baud && s->ports[i].parity == port->parity &&
            s->ports[i].stop_bits == port->stop_bits)
            return true;
    return false;
}

static void add_port(struct scan *s, struct fields *f, int64_t baud, enum parity parity, int64_t stop_bits)
{
    struct port_settings port = s->ports[0];

    port.baud = (int32_t)baud;
    port.parity = parity;
    port.stop_bits = (int32_t)stop_bits;
    if (has_port(s, &port))
        return;
    if (s->order.port_count == SCAN_PORTS)
        fields_refuse(f, "bad_request", "more than %d settings of the line at once", SCAN_PORTS);
    else
        s->ports[s->order.port_count++] = port;
}

/* Cuts the next word off a list with commas; false at its end. */
static bool next_word(char **at, char **ret_word)
{
    *ret_word = strsep(at, ",");
    return *ret_word != NULL;
}

static void add_parities(struct scan *s, struct fields *f, int64_t baud, const char *parities, int64_t stop_bits)
{
    char copy[FIELD_TEXT_LEN];
    char *at = copy;
    char *word;

    snprintf(copy, sizeof(copy), "%s", parities);
    while (next_word(&at, &word)) {
        enum parity p = PARITY_NONE;

        while (found_parities[p] && strcmp(found_parities[p], word) != 0)
            p++;
        if (found_parities[p])
            add_port(s, f, baud, p, stop_bits);
        else
            fields_refuse(f, "bad_request", "'parity' must be none, even, odd, mark or space, as in none,even");
    }
}

/* What is not said is as configured. */
static void read_ports(struct scan *s, struct fields *f)
{
    char bauds_text[FIELD_TEXT_LEN];
    char parities_text[FIELD_TEXT_LEN];
    char own_baud[16];
    const char *parities = field_text(f, "parity", found_parities[s->ports[0].parity], parities_text);
    int64_t stop_bits = field_int(f, "stop_bits", 1, 2, s->ports[0].stop_bits);
    char *word;
    char *at = bauds_text;

    snprintf(own_baud, sizeof(own_baud), "%d", s->ports[0].baud);
    if (field_text(f, "baud", NULL, bauds_text) == NULL)
        snprintf(bauds_text, sizeof(bauds_text), "%s", own_baud);
    while (!f->bad && next_word(&at, &word)) {
        int64_t baud;

        if (text_read_int(str_of(word), &baud) < 0 || baud < 50 || baud > 4000000)
            fields_refuse(f, "bad_request", "'baud' must be numbers, as in 9600,19200");
        else
            add_parities(s, f, baud, parities, stop_bits);
    }
}

int scan_new(const struct job_site *site, struct fields *f, struct job **ret_job)
{
    struct scan *s = calloc(1, sizeof(*s));
    const struct device_settings *device;

    if (!s)
        return -ENOMEM;
    s->job.ops = &scan_ops;
    s->job.is_long = true;
    *ret_job = &s->job;
    fields_place(f, site, &s->job.bus, &device);
    if (f->bad)
        return -EINVAL;
    s->is_serial = s->job.bus->host == NULL;
    s->ports[0] = s->job.bus->port;
    s->timeout_ms = field_int(f, "timeout_ms", 5, 10000, 100);
    s->match = field_bool(f, "match", true);
    read_units(s, f);
    if (s->is_serial)
        read_ports(s, f);
    fields_end(f);
    if (f->bad)
        return -EINVAL;
    return matcher_new(site->config_path, &s->matcher);
}
