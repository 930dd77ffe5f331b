/*
 * Fuzz target of the packet codec.
 *
 *   | sender, version | bytes of a connection ...
 *
 * What decodes must encode, to bytes that decode to the same packet and encode
 * to themselves; and no prefix of it may be taken for a packet.
 */
#include <errno.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/packet_equal.h"

struct connection {
    enum mqtt_version version;
    enum mqtt_sender sender;
};

static void check_error(int r)
{
    REQUIRE(r == -EBADMSG || r == -EPROTO || r == -EPROTONOSUPPORT || r == -ERANGE);
}

static void check_packet(const struct connection *c, const struct mqtt_packet *p)
{
    struct buf bytes = {0};
    struct buf again = {0};
    struct mqtt_packet q;

    REQUIRE(mqtt_encode(&bytes, c->version, p) == 0);
    REQUIRE(mqtt_decode(buf_data(&bytes), buf_len(&bytes), c->version, c->sender, &q) == (int)buf_len(&bytes));
    REQUIRE(packets_equal(p, &q));
    REQUIRE(mqtt_encode(&again, c->version, &q) == 0);
    REQUIRE(str_equal(buf_str(&bytes), buf_str(&again)));
    REQUIRE(mqtt_decode(buf_data(&bytes), buf_len(&bytes) - 1, c->version, c->sender, &q) == 0);
    buf_fini(&bytes);
    buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct connection c;
    size_t at = 1;

    if (size == 0)
        return 0;
    c.version = (enum mqtt_version)(MQTT_V31 + data[0] % 3);
    c.sender = data[0] & 0x80 ? MQTT_FROM_SERVER : MQTT_FROM_CLIENT;

    while (at < size) {
        struct mqtt_packet p;
        int r = mqtt_decode(data + at, size - at, c.version, c.sender, &p);

        if (r < 0)
            check_error(r);
        if (r <= 0)
            break;
        REQUIRE((size_t)r <= size - at);
        check_packet(&c, &p);
        if (p.type == MQTT_CONNECT)
            c.version = (enum mqtt_version)p.connect.version;
        at += (size_t)r;
    }
    return 0;
}
