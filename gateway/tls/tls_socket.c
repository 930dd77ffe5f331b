/* tls_socket - see tls_socket.h. */
#include "tls/tls_socket.h"

#include <errno.h>
#include <sys/socket.h>

static bool is_passing(int e)
{
    return e == EAGAIN || e == EINTR;
}

static int on_read(BIO *bio, char *data, int len)
{
    struct tls_socket *s = BIO_get_data(bio);
    ssize_t n;

    BIO_clear_retry_flags(bio);
    if (s->allowed == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    n = recv(s->fd, data, (size_t)len, 0);
    if (n > 0)
        s->allowed -= (size_t)n < s->allowed ? (size_t)n : s->allowed;
    else if (n == 0)
        s->eof = true;
    else if (is_passing(errno))
        BIO_set_retry_read(bio);
    else
        s->error = errno;
    return (int)n;
}

static int on_write(BIO *bio, const char *data, int len)
{
    struct tls_socket *s = BIO_get_data(bio);
    ssize_t n = send(s->fd, data, (size_t)len, MSG_NOSIGNAL);

    BIO_clear_retry_flags(bio);
    if (n < 0 && is_passing(errno))
        BIO_set_retry_write(bio);
    else if (n < 0)
        s->error = errno;
    return (int)n;
}

/* long: OpenSSL's own type for this. */
static long on_control(BIO *bio, int command, long number, void *arg)
{
    const struct tls_socket *s = BIO_get_data(bio);

    (void)number;
    (void)arg;
    if (command == BIO_CTRL_EOF)
        return s->eof;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method(void)
{
    static BIO_METHOD *m;

    if (m)
        return m;
    m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (m) {
        BIO_meth_set_read(m, on_read);
        BIO_meth_set_write(m, on_write);
        BIO_meth_set_ctrl(m, on_control);
    }
    return m;
}

BIO *tls_socket_bio(struct tls_socket *s)
{
    BIO *bio = method() ? BIO_new(method()) : NULL;

    if (!bio)
        return NULL;
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    return bio;
}

/* What OpenSSL takes for a good-bye ends its loop over records. */
void tls_socket_on_message(int written, int version, int type, const void *data, size_t len, SSL *ssl, void *socket)
{
    struct tls_socket *s = socket;

    (void)version;
    if (!s || written || type != SSL3_RT_HANDSHAKE || len == 0 || *(const uint8_t *)data != SSL3_MT_KEY_UPDATE)
        return;
    if (++s->keys > TLS_SOCKET_KEYS)
        SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
}
