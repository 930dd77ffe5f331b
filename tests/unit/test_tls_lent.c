/* Sessions of another library by one of our contexts, read past it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "core/buf.h"
#include "tests/unit/tls_rig.h"
#include "tls/tls_context.h"
#include "tls/tls_lent.h"

enum { NEW_KEYS = 100 };

struct ends {
    SSL_CTX *other;
    SSL *server;
    SSL *client;
    int fds[2];
};

static SSL *on_socket(SSL_CTX *context, int fd)
{
    SSL *ssl = SSL_new(context);

    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    SSL_set_fd(ssl, fd);
    return ssl;
}

/* A session that is open on both sides. */
static struct ends open_ends(void)
{
    struct tls_server_settings s = {.cert = rig_path("server.crt"), .key = rig_path("server.key")};
    SSL_CTX *clients = SSL_CTX_new(TLS_client_method());
    struct tls_context *context = NULL;
    struct buf problem = {0};
    struct ends e = {.other = SSL_CTX_new(TLS_server_method())};

    assert_int_equal(tls_context_new_server(&s, &problem, &context), 0);
    assert_int_equal(tls_context_lend(context, e.other), 0);
    tls_context_free(context);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, e.fds), 0);
    e.server = on_socket(e.other, e.fds[0]);
    e.client = on_socket(clients, e.fds[1]);
    SSL_CTX_free(clients);
    for (int i = 0; i < 20 && !(SSL_is_init_finished(e.server) && SSL_is_init_finished(e.client)); i++) {
        SSL_connect(e.client);
        SSL_accept(e.server);
    }
    assert_true(SSL_is_init_finished(e.server) && SSL_is_init_finished(e.client));
    buf_fini(&problem);
    return e;
}

static void close_ends(struct ends *e)
{
    SSL_free(e->server);
    SSL_free(e->client);
    SSL_CTX_free(e->other);
    close(e->fds[0]);
    close(e->fds[1]);
}

static void what_was_sent_is_read_until_the_end(void **state)
{
    struct ends e = open_ends();
    uint8_t data[64];

    (void)state;
    assert_int_equal(tls_lent_read(e.server, data, sizeof(data)), -EAGAIN);
    assert_int_equal(SSL_write(e.client, "one", 3), 3);
    assert_int_equal(SSL_write(e.client, "two", 3), 3);
    assert_int_equal(tls_lent_read(e.server, data, 2), 2);
    assert_true(tls_lent_pending(e.server));
    assert_int_equal(tls_lent_read(e.server, data, sizeof(data)), 4);
    assert_memory_equal(data, "etwo", 4);
    assert_false(tls_lent_pending(e.server));
    SSL_shutdown(e.client);
    assert_int_equal(tls_lent_read(e.server, data, sizeof(data)), 0);
    close_ends(&e);
}

static void a_peer_that_vanishes_has_finished(void **state)
{
    struct ends e = open_ends();
    uint8_t data[64];

    (void)state;
    shutdown(e.fds[1], SHUT_RDWR);
    assert_int_equal(tls_lent_read(e.server, data, sizeof(data)), 0);
    close_ends(&e);
}

static void garbage_is_an_error(void **state)
{
    struct ends e = open_ends();
    uint8_t data[64];

    (void)state;
    assert_int_equal(write(e.fds[1], "GET / HTTP/1.1\r\n\r\n", 18), 18);
    assert_int_equal(tls_lent_read(e.server, data, sizeof(data)), -EPROTO);
    close_ends(&e);
}

static void one_who_only_sends_new_keys_gets_his_share_and_no_more(void **state)
{
    struct ends e = open_ends();
    uint8_t data[64];
    int before = 0;
    int after = 0;

    (void)state;
    for (int i = 0; i < NEW_KEYS; i++) {
        assert_int_equal(SSL_key_update(e.client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(e.client), 1);
    }
    assert_int_equal(ioctl(e.fds[0], FIONREAD, &before), 0);
    assert_int_equal(tls_lent_read(e.server, data, sizeof(data)), -EAGAIN);
    assert_int_equal(ioctl(e.fds[0], FIONREAD, &after), 0);
    assert_true(after > before / 2 && after < before);
    close_ends(&e);
}

static int make_files(void **state)
{
    struct rig_authority ca;

    signal(SIGPIPE, SIG_IGN);
    rig_setup(state);
    ca = rig_authority("plant CA");
    rig_make("server", "wirepost.test", &ca, -60, 3600);
    rig_authority_free(&ca);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sent_is_read_until_the_end),
        cmocka_unit_test(a_peer_that_vanishes_has_finished),
        cmocka_unit_test(garbage_is_an_error),
        cmocka_unit_test(one_who_only_sends_new_keys_gets_his_share_and_no_more),
    };

    return cmocka_run_group_tests(tests, make_files, rig_teardown);
}
