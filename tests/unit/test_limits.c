/* Token buckets and the table of addresses. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/addresses.h"
#include "broker/bucket.h"
#include "net/net_peer.h"

static const struct bucket_rate ten = {.per_s = 10, .burst = 5};

static void a_new_bucket_gives_its_burst_and_then_its_rate(void **state)
{
    (void)state;
    struct bucket b = {0};
    int64_t now_ms = 1;

    for (int i = 0; i < 5; i++)
        assert_true(bucket_take(&b, ten, now_ms));
    assert_false(bucket_take(&b, ten, now_ms));
    assert_false(bucket_take(&b, ten, now_ms + 99));
    assert_true(bucket_take(&b, ten, now_ms + 100));
    assert_false(bucket_take(&b, ten, now_ms + 100));
}

static void asking_often_wins_nothing(void **state)
{
    (void)state;
    struct bucket b = {0};
    int given = 0;

    for (int64_t now_ms = 1; now_ms <= 10001; now_ms++)
        given += bucket_take(&b, ten, now_ms);
    assert_int_equal(given, 5 + 100);
}

static void a_rest_fills_it_to_the_burst_and_no_further(void **state)
{
    (void)state;
    struct bucket b = {0};
    int given = 0;

    while (bucket_take(&b, ten, 1))
        given++;
    assert_int_equal(given, 5);
    assert_false(bucket_is_full(&b, ten, 500));
    assert_true(bucket_is_full(&b, ten, 501));
    given = 0;
    while (bucket_take(&b, ten, INT64_MAX / 2))
        given++;
    assert_int_equal(given, 5);
}

static void what_is_owed_has_to_be_waited_for(void **state)
{
    (void)state;
    struct bucket b = {0};

    assert_int_equal(bucket_charge(&b, ten, 1000, 5), 0);
    assert_int_equal(bucket_charge(&b, ten, 1000, 1), 100);
    assert_int_equal(bucket_charge(&b, ten, 1000, 20), 2100);
    assert_int_equal(bucket_charge(&b, ten, 2000, 0), 1100);
    assert_int_equal(bucket_charge(&b, ten, 3100, 0), 0);
    assert_int_equal(bucket_charge(&b, ten, 3100, 1), 100);
}

static void great_rates_and_long_times_do_not_overflow(void **state)
{
    (void)state;
    const struct bucket_rate great = {.per_s = INT64_C(1) << 40, .burst = INT64_C(1) << 40};
    struct bucket b = {0};

    assert_int_equal(bucket_charge(&b, great, 1, great.burst), 0);
    assert_int_equal(bucket_charge(&b, great, INT64_MAX / 2, great.burst), 0);
    assert_int_equal(bucket_charge(&b, great, INT64_MAX / 2, great.burst), 1000);
}

static void a_lower_burst_holds_at_once(void **state)
{
    (void)state;
    const struct bucket_rate lower = {.per_s = 1, .burst = 1};
    struct bucket b = {0};

    assert_int_equal(bucket_charge(&b, ten, 1, 0), 0);
    assert_true(bucket_take(&b, lower, 2));
    assert_false(bucket_take(&b, lower, 2));
}

static uint64_t key_of(const char *text)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &in4.sin_addr) == 1)
        return net_peer_of(-1, (const struct sockaddr *)&in4).address;
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return net_peer_of(-1, (const struct sockaddr *)&in6).address;
}

static void ipv6_counts_by_its_network_and_mapped_ipv4_as_ipv4(void **state)
{
    (void)state;
    assert_true(key_of("2001:db8:1:2::3") == key_of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert_true(key_of("2001:db8:1:2::3") != key_of("2001:db8:1:3::3"));
    assert_true(key_of("192.0.2.7") == key_of("::ffff:192.0.2.7"));
    assert_true(key_of("192.0.2.7") != key_of("192.0.2.8"));
    assert_true(key_of("::1") != 0);
    assert_int_equal(net_peer_of(-1, &(const struct sockaddr){.sa_family = AF_UNIX}).address, 0);
}

static void an_address_is_kept_while_it_has_connections(void **state)
{
    (void)state;
    struct addresses t;
    struct address_use *a;

    assert_int_equal(addresses_init(&t, 7), 0);
    a = addresses_get(&t, 1);
    addresses_enter(&t, a);
    addresses_enter(&t, a);
    for (uint64_t key = 2; key < 3 * ADDRESSES_IDLE; key++)
        assert_non_null(addresses_get(&t, key));
    assert_ptr_equal(addresses_get(&t, 1), a);
    assert_int_equal(a->connections, 2);
    addresses_leave(&t, a);
    addresses_leave(&t, a);
    assert_int_equal(addresses_get(&t, 1)->connections, 0);
    addresses_fini(&t);
}

static void those_without_connections_are_bounded_and_the_oldest_go(void **state)
{
    (void)state;
    const struct bucket_rate one = {.per_s = 1, .burst = 1};
    struct addresses t;

    assert_int_equal(addresses_init(&t, 7), 0);
    for (uint64_t key = 1; key <= ADDRESSES_IDLE + 1; key++)
        assert_true(bucket_take(&addresses_get(&t, key)->rate, one, 1));
    assert_int_equal(t.count, ADDRESSES_IDLE);
    assert_false(bucket_take(&addresses_get(&t, 2)->rate, one, 1)); /* remembered */
    assert_true(bucket_take(&addresses_get(&t, 1)->rate, one, 1));  /* forgotten */
    assert_int_equal(t.count, ADDRESSES_IDLE);
    addresses_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_bucket_gives_its_burst_and_then_its_rate),
        cmocka_unit_test(asking_often_wins_nothing),
        cmocka_unit_test(a_rest_fills_it_to_the_burst_and_no_further),
        cmocka_unit_test(what_is_owed_has_to_be_waited_for),
        cmocka_unit_test(great_rates_and_long_times_do_not_overflow),
        cmocka_unit_test(a_lower_burst_holds_at_once),
        cmocka_unit_test(ipv6_counts_by_its_network_and_mapped_ipv4_as_ipv4),
        cmocka_unit_test(an_address_is_kept_while_it_has_connections),
        cmocka_unit_test(those_without_connections_are_bounded_and_the_oldest_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
