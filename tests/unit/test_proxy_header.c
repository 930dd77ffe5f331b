/* The PROXY protocol, version 2. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/proxy_header.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static const struct net_peer proxy = {.name = "127.0.0.1:4000", .loopback = true, .address = 7};

/* The header of these bytes, judged as a listener does; what of it counts. */
static int judge(const char *bytes, size_t len, struct net_peer *ret_peer)
{
    const uint8_t *data = (const uint8_t *)bytes;
    int whole = proxy_header_len(data, len);

    if (whole <= 0)
        return whole;
    assert_int_equal(whole, len);
    return proxy_header_peer(data, len, &proxy, ret_peer) < 0 ? -EBADMSG : 1;
}

#define JUDGE(bytes, ret_peer) judge(bytes, sizeof(bytes) - 1, ret_peer)

static void addresses_are_those_of_the_client(void **state)
{
    struct net_peer peer;

    (void)state;
    assert_int_equal(JUDGE(SIGNATURE "\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\xc3\x50\x07\x5b", &peer), 1);
    assert_string_equal(peer.name, "192.0.2.7:50000");
    assert_false(peer.loopback);
    assert_true(peer.address != 0 && peer.address != proxy.address);

    assert_int_equal(JUDGE(SIGNATURE "\x21\x21\0\x24"
                                     "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
                                     "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\xc3\x50\x07\x5b",
                           &peer),
                     1);
    assert_string_equal(peer.name, "[2001:db8::7]:50000");

    assert_int_equal(JUDGE(SIGNATURE "\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\xc3\x50\x07\x5b", &peer), 1);
    assert_true(peer.loopback);
}

static void a_proxy_that_speaks_for_itself_is_the_peer(void **state)
{
    struct net_peer peer;

    (void)state;
    assert_int_equal(JUDGE(SIGNATURE "\x20\0\0\0", &peer), 1);
    assert_string_equal(peer.name, proxy.name);
    assert_true(peer.loopback);
    assert_int_equal(JUDGE(SIGNATURE "\x20\x11\0\x02??", &peer), 1); /* whatever follows */
    assert_string_equal(peer.name, proxy.name);
}

static void a_client_that_is_not_told_is_never_of_this_machine(void **state)
{
    static char unix_socket[16 + 216 + 1] = SIGNATURE "\x21\x31\0\xd8/run/x";
    struct net_peer peer;

    (void)state;
    assert_int_equal(JUDGE(SIGNATURE "\x21\0\0\0", &peer), 1);
    assert_string_equal(peer.name, "behind 127.0.0.1:4000");
    assert_false(peer.loopback);
    assert_int_equal(JUDGE(unix_socket, &peer), 1);
    assert_false(peer.loopback);
}

static void a_proxy_elsewhere_speaks_for_nobody_on_this_machine(void **state)
{
    static const uint8_t header[] = SIGNATURE "\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\xc3\x50\x07\x5b"
                                              "\0";
    const struct net_peer elsewhere = {.name = "192.0.2.9:4000", .address = 9};
    struct net_peer peer;

    (void)state;
    assert_int_equal(proxy_header_peer(header, sizeof(header) - 2, &elsewhere, &peer), 0);
    assert_string_equal(peer.name, "127.0.0.1:50000");
    assert_false(peer.loopback);
}

static void records_are_passed_over(void **state)
{
    struct net_peer peer;

    (void)state;
    assert_int_equal(JUDGE(SIGNATURE "\x21\x11\0\x17\xc0\0\x02\x07\xc0\0\x02\x01\xc3\x50\x07\x5b"
                                     "\x02\0\x05plant\x04\0\0",
                           &peer),
                     1);
    assert_string_equal(peer.name, "192.0.2.7:50000");
}

static void what_is_malformed_is_refused(void **state)
{
    struct net_peer peer;

    (void)state;
    assert_int_equal(JUDGE("\x10\x0c\0\4MQTT\x05\x02\0\x3c\0\0\0\0", &peer), -EBADMSG);
    assert_int_equal(JUDGE("GET / HTTP/1.1\r\n", &peer), -EBADMSG);
    assert_int_equal(JUDGE(SIGNATURE "\x11\x11\0\0", &peer), -EBADMSG);                           /* version 1 */
    assert_int_equal(JUDGE(SIGNATURE "\x31\x11\0\0", &peer), -EBADMSG);                           /* version 3 */
    assert_int_equal(JUDGE(SIGNATURE "\x22\x11\0\0", &peer), -EBADMSG);                           /* command 2 */
    assert_int_equal(JUDGE(SIGNATURE "\x21\x12\0\x0c\1\1\1\1\1\1\1\1\1\1\1\1", &peer), -EBADMSG); /* UDP */
    assert_int_equal(JUDGE(SIGNATURE "\x21\x41\0\0", &peer), -EBADMSG);                           /* family 4 */
    assert_int_equal(JUDGE(SIGNATURE "\x21\x11\0\x0b\1\1\1\1\1\1\1\1\1\1\1", &peer), -EBADMSG);   /* too short */
    assert_int_equal(JUDGE(SIGNATURE "\x21\x21\0\x0c\1\1\1\1\1\1\1\1\1\1\1\1", &peer), -EBADMSG);
    assert_int_equal(JUDGE(SIGNATURE "\x21\x31\0\x02??", &peer), -EBADMSG);
    assert_int_equal(JUDGE(SIGNATURE "\x21\x11\0\x0e\1\1\1\1\1\1\1\1\1\1\1\1\2\0", &peer),
                     -EBADMSG); /* half a record */
    assert_int_equal(JUDGE(SIGNATURE "\x21\x11\0\x10\1\1\1\1\1\1\1\1\1\1\1\1\2\0\2x", &peer), -EBADMSG);
    assert_int_equal(JUDGE(SIGNATURE "\x21\x11\xff\xff", &peer), -EBADMSG); /* longer than anybody needs */
}

static void version_1_is_known_by_its_first_word(void **state)
{
    struct net_peer peer;

    (void)state;
    assert_int_equal(JUDGE("PROXY TCP4 192.0.2.7 192.0.2.1 50000 1883\r\n", &peer), -EPROTONOSUPPORT);
    assert_int_equal(JUDGE("PROXY ", &peer), -EPROTONOSUPPORT);
    assert_int_equal(JUDGE("PROX", &peer), 0);
}

static void more_is_waited_for_only_while_it_can_be_a_header(void **state)
{
    static const char whole[] = SIGNATURE "\x21\x11\0\x0c";
    struct net_peer peer;

    (void)state;
    for (size_t len = 0; len < sizeof(whole) - 1; len++)
        assert_int_equal(judge(whole, len, &peer), 0);
    assert_int_equal(proxy_header_len((const uint8_t *)whole, sizeof(whole) - 1), 28);
    assert_int_equal(JUDGE("\r\n\r\n\0\r\nQUIX", &peer), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_those_of_the_client),
        cmocka_unit_test(a_proxy_that_speaks_for_itself_is_the_peer),
        cmocka_unit_test(a_client_that_is_not_told_is_never_of_this_machine),
        cmocka_unit_test(a_proxy_elsewhere_speaks_for_nobody_on_this_machine),
        cmocka_unit_test(records_are_passed_over),
        cmocka_unit_test(what_is_malformed_is_refused),
        cmocka_unit_test(version_1_is_known_by_its_first_word),
        cmocka_unit_test(more_is_waited_for_only_while_it_can_be_a_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
