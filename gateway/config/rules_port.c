/* rules_port - things of which there is one: serial ports, Modbus TCP endpoints, listening addresses. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "config/loader.h"

static const struct node *port_key(const struct bus_draft *bus, const char *key)
{
    const struct node *port = node_get(bus->node, "port");
    const struct node *n = node_get(port, key);

    return n ? n : port;
}

/* Two names may lead to one port: by-path, by-id and ttyUSB0 are links or their ends. */
static bool same_device(const char *a, const char *b)
{
    char real_a[PATH_MAX];
    char real_b[PATH_MAX];

    if (strcmp(a, b) == 0)
        return true;
    return realpath(a, real_a) && realpath(b, real_b) && strcmp(real_a, real_b) == 0;
}

static void check_serial(struct loader *ld, const struct bus_draft *bus, const struct bus_draft *other)
{
    const struct node *mine = port_key(bus, "device");
    const struct node *theirs = port_key(other, "device");
    char where[PLACE_TEXT];

    if (!bus->port.device || !other->port.device || !same_device(bus->port.device, other->port.device))
        return;
    place_print(mine->place, theirs->place, where);
    if (strcmp(bus->port.device, other->port.device) == 0)
        report_error(&ld->report, mine->place,
                     "two serial settings for one port: %s is also the port of bus '%s' (%s); one bus takes many "
                     "devices",
                     bus->port.device, other->name, where);
    else
        report_error(&ld->report, mine->place,
                     "two serial settings for one port: %s and %s, the port of bus '%s' (%s), are the same; one bus "
                     "takes many devices",
                     bus->port.device, other->port.device, other->name, where);
}

static void check_endpoint(struct loader *ld, const struct bus_draft *bus, const struct bus_draft *other)
{
    struct place mine = key_place(bus->node, NULL, "host");
    char where[PLACE_TEXT];

    if (!bus->host || !other->host || bus->tcp_port != other->tcp_port || strcasecmp(bus->host, other->host) != 0)
        return;
    report_error(&ld->report, mine, "%s:%u is also the endpoint of bus '%s' (%s); one bus takes many devices",
                 bus->host, bus->tcp_port, other->name, place_print(mine, key_place(other->node, NULL, "host"), where));
}

static void check_bus_ports(struct loader *ld, const struct draft *d, size_t index)
{
    const struct bus_draft *bus = &d->buses[index];

    for (size_t i = 0; i < index; i++) {
        const struct bus_draft *other = &d->buses[i];

        if (bus->broken || other->broken)
            continue;
        check_serial(ld, bus, other);
        check_endpoint(ld, bus, other);
    }
}

/* A port that is not there may come; one that is no port never works. */
static void check_device_file(struct loader *ld, const struct bus_draft *bus)
{
    struct stat st;

    if (bus->port.device && stat(bus->port.device, &st) == 0 && !S_ISCHR(st.st_mode))
        report_error(&ld->report, port_key(bus, "device")->place, "%s is not a serial port", bus->port.device);
}

static void check_characters(struct loader *ld, const struct bus_draft *bus)
{
    if (bus->type == BUS_MODBUS_RTU && bus->port.data_bits == 7)
        report_error(&ld->report, port_key(bus, "data_bits")->place, "modbus-rtu needs 8 data bits: its bytes have 8");
    if (bus->port.device && bus->port.rs485 == RS485_OFF && (bus->port.rts_before_ms > 0 || bus->port.rts_after_ms > 0))
        report_warning(&ld->report,
                       port_key(bus, bus->port.rts_before_ms > 0 ? "rts_before_send" : "rts_after_send")->place,
                       "this is for 'rs485: kernel' or 'rs485: rts' alone");
}

struct listening {
    struct place place;
    const char *bind;
    uint16_t port;
};

static bool is_any(const uint8_t *address, size_t len)
{
    static const uint8_t zero[16];

    return memcmp(address, zero, len) == 0;
}

/* "::" takes the IPv4 addresses too. */
static bool overlap(const struct listening *a, const struct listening *b)
{
    uint8_t address_a[16];
    uint8_t address_b[16];
    int family_a = text_read_address(a->bind, address_a);
    int family_b = text_read_address(b->bind, address_b);
    size_t len = family_a == 4 ? 4 : 16;

    if (a->port != b->port)
        return false;
    if ((family_a == 6 && is_any(address_a, 16)) || (family_b == 6 && is_any(address_b, 16)))
        return true;
    if (family_a != family_b)
        return false;
    return is_any(address_a, len) || is_any(address_b, len) || memcmp(address_a, address_b, len) == 0;
}

static void check_overlap(struct loader *ld, const struct listening *mine, const struct listening *other)
{
    char where[PLACE_TEXT];

    if (!overlap(mine, other))
        return;
    if (other->place.line == 0)
        report_error(&ld->report, mine->place, "port %u is also the broker's, which listens on %s by default",
                     mine->port, other->bind);
    else
        report_error(&ld->report, mine->place, "port %u is already taken on %s, at %s", mine->port, other->bind,
                     place_print(mine->place, other->place, where));
}

static bool is_loopback(const char *bind)
{
    uint8_t address[16];
    int family = text_read_address(bind, address);

    return family == 4 ? address[0] == 127 : is_any(address, 15) && address[15] == 1;
}

static void check_reach(struct loader *ld, const struct listener_settings *s, struct place place)
{
    if (!s->entrance.allow_anonymous && !s->entrance.users_file && !(s->tls && s->tls->client_ca) &&
        (s->proxy_protocol || !is_loopback(s->bind)))
        report_warning(&ld->report, place,
                       "clients on other machines will be refused here: there are no 'users', and 'allow_anonymous' "
                       "is false");
}

static struct place listener_place(const struct node *node)
{
    if (!node)
        return (struct place){0};
    return key_place(node, NULL, node_get(node, "port") ? "port" : "bind");
}

static bool same_socket(const struct listener_draft *a, const struct listener_draft *b)
{
    return a->settings.path && b->settings.path && strcmp(a->settings.path, b->settings.path) == 0;
}

static void check_sockets(struct loader *ld, const struct draft *d, size_t index)
{
    const struct listener_draft *mine = &d->listeners[index];
    char where[PLACE_TEXT];

    for (size_t i = 0; i < index; i++)
        if (same_socket(mine, &d->listeners[i])) {
            struct place place = key_place(mine->node, NULL, "path");

            report_error(&ld->report, place, "this socket is already another listener's, at %s",
                         place_print(place, key_place(d->listeners[i].node, NULL, "path"), where));
            return;
        }
}

static void check_listeners(struct loader *ld, const struct draft *d)
{
    struct listening *all = loader_alloc(ld, d->listener_count + 1, sizeof(*all));
    const struct node *web = node_get(d->roots[0].node, "web");
    size_t count = 0;

    if (!all)
        return;
    for (size_t i = 0; i < d->listener_count; i++) {
        const struct listener_settings *s = &d->listeners[i].settings;
        struct place place = listener_place(d->listeners[i].node);

        if (d->listeners[i].broken || s->path)
            continue;
        all[count++] = (struct listening){.place = place, .bind = s->bind, .port = s->port};
        check_reach(ld, s, place);
    }
    if (d->roots[0].web.enabled) {
        const struct node *listen = node_get(web, "listen");
        const struct web_settings *s = &d->roots[0].web;

        all[count++] = (struct listening){
            .place = listen ? listener_place(listen) : web->key_place, .bind = s->bind, .port = s->port};
    }
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            check_overlap(ld, &all[i], &all[j]);
}

void rules_check_ports(struct loader *ld, const struct draft *d)
{
    for (size_t i = 0; i < d->bus_count; i++) {
        check_bus_ports(ld, d, i);
        check_device_file(ld, &d->buses[i]);
        check_characters(ld, &d->buses[i]);
    }
    check_listeners(ld, d);
    for (size_t i = 0; i < d->listener_count; i++)
        check_sockets(ld, d, i);
}
