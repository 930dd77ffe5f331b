/*
 * Fuzz target of the configuration: whatever the file says, the loader reports
 * or gives settings the stages can rely on, never both and never neither.
 *
 *   | the YAML text |
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "config/text.h"
#include "core/utf8.h"
#include "mqtt/topic.h"
#include "tests/fuzz/fuzz.h"

static bool has_text(const struct buf *b, const char *text)
{
    return buf_len(b) > 0 && memmem(buf_data(b), buf_len(b), text, strlen(text));
}

static void check_tag(const struct tag_settings *t)
{
    REQUIRE(text_is_name(str_of(t->name)));
    REQUIRE(table_is_bits(t->table) == (t->type == TYPE_BOOL));
    REQUIRE(t->address + tag_width(t) <= 65536);
    REQUIRE(t->poll_ms >= 10 && t->stale_after_ms >= t->poll_ms);
    REQUIRE(t->scale != 0 && t->unit);
    REQUIRE((t->type == TYPE_STRING) == (t->form.length > 0) && tag_width(t) <= 125);
    REQUIRE(t->form.bit_count == 0 || t->form.bit_offset + t->form.bit_count <= (int)type_bits(t->type));
    REQUIRE(!t->form.has_range || t->form.range_min <= t->form.range_max);
    REQUIRE(!t->write.allowed || t->table == TABLE_COIL || t->table == TABLE_HOLDING);
    REQUIRE(!t->write.failsafe || t->write.failsafe_after_ms > 0);
    for (size_t i = 0; i < t->form.word_count; i++)
        REQUIRE(text_is_printable(str_of(t->form.words[i].word)));
}

static void check_device(const struct bus_settings *bus, const struct device_settings *d)
{
    REQUIRE(text_is_name(str_of(d->name)));
    REQUIRE(bus->type == BUS_MODBUS_TCP || d->unit <= 247);
    REQUIRE(d->broadcast == (bus->type != BUS_MODBUS_TCP && d->unit == 0));
    REQUIRE(d->max_count >= 1 && d->max_count <= 125 && d->max_gap < 125);
    REQUIRE(d->timeout_ms > 0 && d->retries >= 0 && d->fail_count > 0);
    REQUIRE(d->tag_count > 0);
    for (size_t i = 0; i < d->tag_count; i++)
        check_tag(&d->tags[i]);
}

static void check_serial_tag(const struct tag_settings *t)
{
    REQUIRE(text_is_name(str_of(t->name)));
    REQUIRE(t->type != TYPE_BOOL && t->scale != 0 && t->unit);
    REQUIRE(t->poll_ms >= 10 && t->stale_after_ms >= 100);
    REQUIRE((t->type == TYPE_STRING) == (t->form.length > 0));
    REQUIRE(!t->form.has_range || t->form.range_min <= t->form.range_max);
    REQUIRE(!t->write.allowed);
}

static void check_serial(const struct bus_settings *bus)
{
    const struct serial_settings *s = bus->serial;

    REQUIRE(bus->host ? text_is_host(str_of(bus->host)) && bus->tcp_port > 0 : bus->port.device[0] == '/');
    REQUIRE(bus->device_count == 1 && text_is_name(str_of(bus->devices[0].name)) && bus->devices[0].timeout_ms > 0);
    REQUIRE(s->frame.length > 0 || s->frame.length_size > 0 || s->frame.idle_ms > 0 || s->frame.end.len > 0);
    REQUIRE(s->frame.max > 0 && s->frame.max <= FRAME_MAX && s->frame.length <= s->frame.max);
    REQUIRE(s->message_count > 0);
    for (size_t i = 0; i < bus->devices[0].tag_count; i++)
        check_serial_tag(&bus->devices[0].tags[i]);
    for (size_t i = 0; i < s->message_count; i++)
        for (size_t k = 0; k < s->messages[i].field_count; k++)
            REQUIRE(s->messages[i].fields[k].tag < bus->devices[0].tag_count);
}

static void check_bus(const struct bus_settings *bus)
{
    REQUIRE(text_is_name(str_of(bus->name)));
    if (bus->type == BUS_SERIAL) {
        check_serial(bus);
        return;
    }
    if (bus->type == BUS_MODBUS_RTU)
        REQUIRE(bus->port.device && bus->port.device[0] == '/' && bus->port.baud >= 300);
    else
        REQUIRE(text_is_host(str_of(bus->host)) && bus->tcp_port > 0);
    for (size_t i = 0; i < bus->device_count; i++)
        check_device(bus, &bus->devices[i]);
}

static void check_bridge(const struct bridge_settings *b)
{
    REQUIRE(text_is_name(str_of(b->name)) && text_is_host(str_of(b->client.host)) && b->client.port > 0);
    REQUIRE(b->client.client_id && (b->client.version == 4 || b->client.version == 5));
    REQUIRE(b->client.inflight > 0 && b->client.backoff_min_ms <= b->client.backoff_max_ms);
    REQUIRE(b->topic_count > 0 && b->store.max_bytes > 0);
    for (size_t i = 0; i < b->topic_count; i++) {
        REQUIRE(topic_filter_valid(str_of(b->topics[i].filter)) && b->topics[i].qos <= 1);
        REQUIRE(str_starts_with(str_of(b->topics[i].filter), str_of(b->topics[i].local_prefix)));
        REQUIRE(b->topics[i].remote_prefix);
    }
}

static void check_settings(const struct settings *s)
{
    uint8_t address[16];

    REQUIRE(s->gateway.data_dir && s->gateway.data_dir[0] == '/' && s->gateway.inbox_readings > 0);
    REQUIRE(s->gateway.id || s->bus_count == 0);
    for (size_t i = 0; i < s->broker.listener_count; i++)
        REQUIRE(text_read_address(s->broker.listeners[i].bind, address) && s->broker.listeners[i].port > 0);
    REQUIRE(text_read_address(s->web.bind, address) && s->web.port > 0);
    for (size_t i = 0; i < s->web.allowed_host_count; i++)
        REQUIRE(text_is_host(str_of(s->web.allowed_hosts[i])));
    for (size_t i = 0; i < s->bus_count; i++)
        check_bus(&s->buses[i]);
    for (size_t i = 0; i < s->bridge_count; i++)
        check_bridge(&s->bridges[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("config", MFD_CLOEXEC);
    struct settings *settings = NULL;
    struct buf report = {0};
    char path[64];
    int r;

    REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    r = config_load(path, &report, &settings);
    close(fd);

    REQUIRE((r == 0) == (settings != NULL));
    REQUIRE((r == 0) == !has_text(&report, ": error: "));
    REQUIRE(utf8_valid(buf_str(&report)));
    if (settings)
        check_settings(settings);
    settings_free(settings);
    buf_fini(&report);
    return 0;
}
