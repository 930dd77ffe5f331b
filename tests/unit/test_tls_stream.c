/* Two TLS sessions talk to each other over a pair of sockets in this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "tls_rig.h"

#include "core/buf.h"
#include "tls/tls_context.h"
#include "tls/tls_stream.h"

enum { YEAR_S = 3600 * 24 * 365, MANY = 400000, NEW_KEYS = 5000 };

static const char host[] = "wirepost.test";

struct ends {
    struct tls_context *server_context, *client_context;
    struct tls_stream *server, *client;
    int fds[2];
    int server_result, client_result; /* of the handshake */
};

static struct tls_server_settings server_settings(void)
{
    return (struct tls_server_settings){.cert = rig_path("server.crt"), .key = rig_path("server.key")};
}

static struct tls_client_settings client_settings(void)
{
    return (struct tls_client_settings){.ca = rig_path("ca.crt"), .verify_hostname = true};
}

static struct ends open_ends(const struct tls_server_settings *s, const struct tls_client_settings *c,
                             const char *wanted_host)
{
    struct ends e = {0};
    struct buf problem = {0};

    assert_int_equal(tls_context_new_server(s, &problem, &e.server_context), 0);
    assert_int_equal(tls_context_new_client(c, &problem, &e.client_context), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, e.fds), 0);
    assert_int_equal(tls_stream_new(e.server_context, e.fds[0], NULL, &e.server), 0);
    assert_int_equal(tls_stream_new(e.client_context, e.fds[1], wanted_host, &e.client), 0);
    return e;
}

static void close_ends(struct ends *e)
{
    tls_stream_free(e->server);
    tls_stream_free(e->client);
    tls_context_free(e->server_context);
    tls_context_free(e->client_context);
    close(e->fds[0]);
    close(e->fds[1]);
}

/* Both take turns until neither can go on. */
static void shake_hands(struct ends *e)
{
    e->server_result = e->client_result = -EAGAIN;
    for (int i = 0; i < 20; i++) {
        if (e->client_result == -EAGAIN)
            e->client_result = tls_stream_handshake(e->client);
        if (e->server_result == -EAGAIN)
            e->server_result = tls_stream_handshake(e->server);
    }
}

static struct ends connected(const struct tls_server_settings *s, const struct tls_client_settings *c)
{
    struct ends e = open_ends(s, c, host);

    shake_hands(&e);
    assert_int_equal(e.server_result, 0);
    assert_int_equal(e.client_result, 0);
    return e;
}

static void more_than_the_sockets_hold_arrives_whole(void **state)
{
    struct tls_server_settings ss = server_settings();
    struct tls_client_settings cs = client_settings();
    struct ends e = connected(&ss, &cs);
    uint8_t *sent = malloc(MANY);
    uint8_t *got = malloc(MANY + 1);
    size_t out = 0;
    size_t in = 0;
    bool waited = false;

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        sent[i] = (uint8_t)(i * 7 + i / 251);
    while (in < MANY) {
        ssize_t n = out < MANY ? tls_stream_write(e.client, sent + out, MANY - out) : -EAGAIN;

        if (n > 0) {
            out += (size_t)n;
            continue;
        }
        assert_int_equal(n, -EAGAIN);
        waited = waited || (out < MANY && tls_stream_wants(e.client) == TLS_WANTS_WRITE);
        n = tls_stream_read(e.server, got + in, MANY + 1 - in);
        assert_true(n > 0);
        in += (size_t)n;
    }
    assert_true(waited);
    assert_int_equal(in, MANY);
    assert_memory_equal(sent, got, MANY);
    free(sent);
    free(got);
    close_ends(&e);
}

static void bytes_in_hand_are_pending(void **state)
{
    struct tls_server_settings ss = server_settings();
    struct tls_client_settings cs = client_settings();
    struct ends e = connected(&ss, &cs);
    uint8_t small[4];
    uint8_t big[64];

    (void)state;
    assert_int_equal(tls_stream_write(e.client, (const uint8_t *)"0123456789", 10), 10);
    assert_int_equal(tls_stream_read(e.server, small, sizeof(small)), 4);
    assert_true(tls_stream_pending(e.server));
    assert_int_equal(tls_stream_read(e.server, big, sizeof(big)), 6);
    assert_false(tls_stream_pending(e.server));
    assert_int_equal(tls_stream_read(e.server, big, sizeof(big)), -EAGAIN);
    assert_int_equal(tls_stream_wants(e.server), TLS_WANTS_READ);
    close_ends(&e);
}

static void an_end_comes_after_the_last_bytes(void **state)
{
    struct tls_server_settings ss = server_settings();
    struct tls_client_settings cs = client_settings();
    struct ends e = connected(&ss, &cs);
    uint8_t data[64];

    (void)state;
    assert_int_equal(tls_stream_write(e.client, (const uint8_t *)"last", 4), 4);
    assert_int_equal(tls_stream_shutdown(e.client), 0);
    assert_int_equal(tls_stream_read(e.server, data, sizeof(data)), 4);
    assert_true(tls_stream_pending(e.server));
    assert_int_equal(tls_stream_read(e.server, data, sizeof(data)), 0);
    assert_int_equal(tls_stream_write(e.server, data, 4), 4); /* the other direction is still open */
    close_ends(&e);
}

static void a_peer_that_vanishes_has_finished(void **state)
{
    struct tls_server_settings ss = server_settings();
    struct tls_client_settings cs = client_settings();
    struct ends e = connected(&ss, &cs);
    uint8_t data[64];

    (void)state;
    shutdown(e.fds[1], SHUT_WR);
    assert_int_equal(tls_stream_read(e.server, data, sizeof(data)), 0);
    assert_int_equal(tls_stream_read(e.server, data, sizeof(data)), 0);
    close_ends(&e);
}

static void what_is_no_tls_is_told_so(void **state)
{
    struct tls_server_settings ss = server_settings();
    struct tls_client_settings cs = client_settings();
    struct ends e = open_ends(&ss, &cs, host);
    static const char *const others[] = {"\x10\x0c\0\4MQTT\4\2\0\x3c\0\0", "GET / HTTP/1.1\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_true(write(e.fds[1], others[i], 14) == 14);
        assert_int_equal(tls_stream_handshake(e.server), -EPROTO);
        assert_non_null(strstr(tls_stream_error(e.server), "not TLS"));
        tls_stream_free(e.server);
        assert_int_equal(tls_stream_new(e.server_context, e.fds[0], NULL, &e.server), 0);
    }
    close_ends(&e);
}

/* A foreign client that has shaken hands with the server of `e`. */
static SSL *foreign_client(struct ends *e)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    int done = 0;

    SSL_CTX_free(context);
    SSL_set_fd(ssl, e->fds[1]);
    e->server_result = -EAGAIN;
    for (int i = 0; i < 20 && (done != 1 || e->server_result == -EAGAIN); i++) {
        done = SSL_connect(ssl);
        if (e->server_result == -EAGAIN)
            e->server_result = tls_stream_handshake(e->server);
    }
    assert_int_equal(done, 1);
    assert_int_equal(e->server_result, 0);
    return ssl;
}

static int unread(const struct ends *e)
{
    int count = 0;

    assert_int_equal(ioctl(e->fds[0], FIONREAD, &count), 0);
    return count;
}

/* Bytes that the server has not read yet. */
static int send_new_keys(const struct ends *e, SSL *ssl, int times)
{
    char *keys;
    size_t len;

    SSL_set0_wbio(ssl, BIO_new(BIO_s_mem()));
    for (int i = 0; i < times; i++) {
        assert_int_equal(SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(ssl), 1);
    }
    len = (size_t)BIO_get_mem_data(SSL_get_wbio(ssl), &keys);
    assert_true(write(e->fds[1], keys, len) > 0);
    SSL_set0_wbio(ssl, BIO_new_socket(e->fds[1], BIO_NOCLOSE));
    return unread(e);
}

static void new_keys_now_and_then_are_taken(void **state)
{
    struct tls_server_settings ss = server_settings();
    struct tls_client_settings cs = client_settings();
    struct ends e = open_ends(&ss, &cs, host);
    SSL *ssl = foreign_client(&e);
    uint8_t data[64];

    (void)state;
    for (int i = 0; i < 3; i++) {
        send_new_keys(&e, ssl, 10);
        assert_int_equal(SSL_write(ssl, "data", 4), 4);
        assert_int_equal(tls_stream_read(e.server, data, sizeof(data)), 4);
        assert_false(tls_stream_pending(e.server));
        assert_int_equal(tls_stream_read(e.server, data, sizeof(data)), -EAGAIN);
    }
    SSL_free(ssl);
    close_ends(&e);
}

static void one_who_only_sends_new_keys_is_cut_off(void **state)
{
    struct tls_server_settings ss = server_settings();
    struct tls_client_settings cs = client_settings();
    struct ends e = open_ends(&ss, &cs, host);
    SSL *ssl = foreign_client(&e);
    uint8_t data[64];
    int before;

    (void)state;
    before = send_new_keys(&e, ssl, NEW_KEYS);
    assert_true(before > 100000);
    assert_int_equal(tls_stream_read(e.server, data, sizeof(data)), -EPROTO);
    assert_string_equal(tls_stream_error(e.server), "new keys all the time");
    assert_true(unread(&e) > before - 40000);
    SSL_free(ssl);
    close_ends(&e);
}

static void a_good_bye_amid_the_handshake_is_no_success(void **state)
{
    static const uint8_t close_notify[] = {0x15, 3, 3, 0, 2, 1, 0};
    struct tls_server_settings ss = server_settings();
    struct tls_client_settings cs = client_settings();
    struct ends e = open_ends(&ss, &cs, host);
    struct buf name = {0};

    (void)state;
    assert_int_equal(tls_stream_handshake(e.client), -EAGAIN);
    assert_int_equal(tls_stream_handshake(e.server), -EAGAIN);
    assert_int_equal(write(e.fds[1], close_notify, sizeof(close_notify)), sizeof(close_notify));
    assert_int_equal(tls_stream_handshake(e.server), -ECONNRESET);
    assert_string_equal(tls_stream_error(e.server), "closed by the peer");
    assert_int_equal(tls_stream_user_name(e.server, TLS_USER_NAME_CN, &name), -ENOENT);
    close_ends(&e);
}

/* What a client says of a server whose certificate is `name`.crt. */
static void client_says(const char *name, const char *wanted_host, const char *what)
{
    char cert[32];
    char key[32];
    struct tls_client_settings cs = client_settings();
    struct tls_server_settings ss;
    struct ends e;

    snprintf(cert, sizeof(cert), "%s.crt", name);
    snprintf(key, sizeof(key), "%s.key", name);
    ss = (struct tls_server_settings){.cert = rig_path(cert), .key = rig_path(key)};
    e = open_ends(&ss, &cs, wanted_host);
    shake_hands(&e);
    assert_int_equal(e.client_result, -EKEYREJECTED);
    assert_string_equal(tls_stream_error(e.client), what);
    close_ends(&e);
}

static void a_client_says_why_it_does_not_believe(void **state)
{
    (void)state;
    client_says("expired", host, "certificate has expired");
    client_says("foreign", host, "unknown CA");
    client_says("server", "other.test", "the certificate is for another host");
    client_says("server", "192.0.2.1", "the certificate is for another host");
    client_says("early", host, "certificate is not yet valid");
}

static void a_client_may_not_care_about_the_host(void **state)
{
    struct tls_server_settings ss = server_settings();
    struct tls_client_settings cs = client_settings();
    struct ends e;

    (void)state;
    cs.verify_hostname = false;
    e = open_ends(&ss, &cs, "other.test");
    shake_hands(&e);
    assert_int_equal(e.client_result, 0);
    close_ends(&e);
}

static void the_newest_version_is_preferred(void **state)
{
    struct tls_server_settings ss = server_settings();
    struct tls_client_settings cs = client_settings();
    struct tls_stream_facts facts;
    struct ends e = connected(&ss, &cs);

    (void)state;
    tls_stream_get_facts(e.server, &facts);
    assert_string_equal(facts.version, "TLSv1.3");
    assert_false(facts.peer_certificate);
    assert_false(facts.resumed);
    close_ends(&e);
}

/* Another connection of the same client to the same server; whether it went on from the one before. */
static bool goes_on(struct ends *e, const char *wanted_host)
{
    struct tls_stream_facts at_server;
    struct tls_stream_facts at_client;
    uint8_t data[16];

    tls_stream_free(e->server);
    tls_stream_free(e->client);
    close(e->fds[0]);
    close(e->fds[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, e->fds), 0);
    assert_int_equal(tls_stream_new(e->server_context, e->fds[0], NULL, &e->server), 0);
    assert_int_equal(tls_stream_new(e->client_context, e->fds[1], wanted_host, &e->client), 0);
    shake_hands(e);
    assert_int_equal(e->server_result, 0);
    assert_int_equal(e->client_result, 0);
    assert_int_equal(tls_stream_read(e->client, data, sizeof(data)), -EAGAIN); /* takes the ticket */
    tls_stream_get_facts(e->server, &at_server);
    tls_stream_get_facts(e->client, &at_client);
    assert_int_equal(at_server.resumed, at_client.resumed);
    return at_client.resumed;
}

static void a_client_goes_on_from_its_last_session(void **state)
{
    struct tls_server_settings ss = server_settings();
    struct tls_client_settings cs = client_settings();
    struct ends e;

    (void)state;
    cs.verify_hostname = false;
    e = open_ends(&ss, &cs, host);
    assert_false(goes_on(&e, host));
    assert_true(goes_on(&e, host));
    assert_true(goes_on(&e, host));
    assert_false(goes_on(&e, "other.test"));
    assert_int_equal(tls_context_renew_tickets(e.server_context), 0);
    assert_false(goes_on(&e, "other.test"));
    assert_true(goes_on(&e, "other.test"));
    close_ends(&e);
}

/* A listener that asks for certificates, and a client that shows `name`.crt, or none. */
static struct ends with_certificate(const char *name, bool require, const char *crl)
{
    struct tls_server_settings ss = server_settings();
    struct tls_client_settings cs = client_settings();
    char file[32];
    struct ends e;

    ss.client_ca = rig_path("ca.crt");
    ss.require_client_cert = require;
    ss.crl = crl ? rig_path(crl) : NULL;
    if (name) {
        snprintf(file, sizeof(file), "%s.crt", name);
        cs.cert = rig_path(file);
        snprintf(file, sizeof(file), "%s.key", name);
        cs.key = rig_path(file);
    }
    e = open_ends(&ss, &cs, host);
    shake_hands(&e);
    return e;
}

static void user_name_is(const struct ends *e, enum tls_user_name from, const char *expected)
{
    struct buf name = {0};

    assert_int_equal(tls_stream_user_name(e->server, from, &name), 0);
    assert_true(str_equal(buf_str(&name), str_of(expected)));
    buf_fini(&name);
}

static void a_certificate_gives_a_user_name(void **state)
{
    struct ends e = with_certificate("pump", true, NULL);
    struct buf name = {0};

    (void)state;
    assert_int_equal(e.server_result, 0);
    user_name_is(&e, TLS_USER_NAME_CN, "pump");
    user_name_is(&e, TLS_USER_NAME_SUBJECT, "CN=pump");
    close_ends(&e);
    e = with_certificate(NULL, false, NULL);
    assert_int_equal(e.server_result, 0);
    assert_int_equal(tls_stream_user_name(e.server, TLS_USER_NAME_CN, &name), -ENOENT);
    assert_int_equal(buf_len(&name), 0);
    close_ends(&e);
}

static void a_name_that_no_user_can_have_is_refused(void **state)
{
    struct ends e = with_certificate("control", true, NULL);
    struct buf name = {0};

    (void)state;
    assert_int_equal(e.server_result, 0);
    assert_int_equal(tls_stream_user_name(e.server, TLS_USER_NAME_CN, &name), -EBADMSG);
    buf_fini(&name);
    close_ends(&e);
}

static void server_refuses(const char *name, const char *crl, const char *what)
{
    struct ends e = with_certificate(name, true, crl);

    assert_true(e.server_result == (name ? -EKEYREJECTED : -EPROTO));
    assert_string_equal(tls_stream_error(e.server), what);
    close_ends(&e);
}

static void a_server_says_why_it_does_not_believe(void **state)
{
    (void)state;
    server_refuses(NULL, NULL, "the peer has shown no certificate");
    server_refuses("foreign", NULL, "unknown CA");
    server_refuses("expired", NULL, "certificate has expired");
    server_refuses("revoked", "ca.crl", "certificate revoked");
    server_refuses("pump", "foreign.crl", "no revocation list of its CA");
}

static void a_list_hurts_only_those_on_it(void **state)
{
    struct ends e = with_certificate("pump", true, "ca.crl");

    (void)state;
    assert_int_equal(e.server_result, 0);
    close_ends(&e);
}

static int make_files(void **state)
{
    struct rig_authority ca;
    struct rig_authority foreign;
    long revoked;
    int r = rig_setup(state);

    if (r < 0)
        return r;
    ca = rig_authority("plant CA");
    foreign = rig_authority("foreign CA");
    rig_write_cert("ca.crt", ca.cert);
    rig_make("server", host, &ca, -60, YEAR_S);
    rig_make("expired", host, &ca, -120, -60);
    rig_make("early", host, &ca, 3600, YEAR_S);
    rig_make("foreign", host, &foreign, -60, YEAR_S);
    rig_make("pump", "pump", &ca, -60, YEAR_S);
    rig_make("control", "pump\n", &ca, -60, YEAR_S);
    revoked = rig_make("revoked", "revoked", &ca, -60, YEAR_S);
    rig_make_crl("ca.crl", &ca, revoked);
    rig_make_crl("foreign.crl", &foreign, revoked);
    rig_authority_free(&ca);
    rig_authority_free(&foreign);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_than_the_sockets_hold_arrives_whole),
        cmocka_unit_test(bytes_in_hand_are_pending),
        cmocka_unit_test(an_end_comes_after_the_last_bytes),
        cmocka_unit_test(a_peer_that_vanishes_has_finished),
        cmocka_unit_test(what_is_no_tls_is_told_so),
        cmocka_unit_test(new_keys_now_and_then_are_taken),
        cmocka_unit_test(one_who_only_sends_new_keys_is_cut_off),
        cmocka_unit_test(a_good_bye_amid_the_handshake_is_no_success),
        cmocka_unit_test(a_client_says_why_it_does_not_believe),
        cmocka_unit_test(a_client_may_not_care_about_the_host),
        cmocka_unit_test(the_newest_version_is_preferred),
        cmocka_unit_test(a_client_goes_on_from_its_last_session),
        cmocka_unit_test(a_certificate_gives_a_user_name),
        cmocka_unit_test(a_name_that_no_user_can_have_is_refused),
        cmocka_unit_test(a_server_says_why_it_does_not_believe),
        cmocka_unit_test(a_list_hurts_only_those_on_it),
    };

    return cmocka_run_group_tests(tests, make_files, rig_teardown);
}
