/* tls_stream - see tls_stream.h. */
#include "tls/tls_stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/tls_error.h"
#include "tls/tls_internal.h"
#include "tls/tls_resume.h"
#include "tls/tls_socket.h"

struct tls_stream {
    SSL *ssl;
    struct tls_socket socket;
    uint8_t wants;
    bool pending; /* the last read did not end for want of bytes */
    bool open;    /* the handshake is done */
    bool ended;   /* reading gives `result`, for good */
    int result;
    char *error; /* in words; NULL: none, or no memory for them */
};

/* ---- new ---- */

static bool is_address(const char *host)
{
    uint8_t address[16];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static bool set_host(SSL *ssl, const char *host, bool verify)
{
    char name[TLSEXT_MAXLEN_host_name + 1]; /* the macro takes the const away */

    if (tls_resume_begin(ssl, host) < 0)
        return false;
    if (is_address(host)) /* RFC 6066: addresses are not named */
        return !verify || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    if (strlen(host) >= sizeof(name))
        return false;
    memcpy(name, host, strlen(host) + 1);
    return SSL_set_tlsext_host_name(ssl, name) == 1 && (!verify || SSL_set1_host(ssl, host) == 1);
}

int tls_stream_new(struct tls_context *context, int fd, const char *host, struct tls_stream **ret_stream)
{
    struct tls_stream *s = calloc(1, sizeof(*s));
    BIO *bio;

    if (!s)
        return -ENOMEM;
    s->wants = TLS_WANTS_READ;
    s->socket.fd = fd;
    s->ssl = SSL_new(context->ssl);
    bio = s->ssl ? tls_socket_bio(&s->socket) : NULL;
    if (bio) {
        SSL_set_bio(s->ssl, bio, bio);
        SSL_set_msg_callback_arg(s->ssl, &s->socket);
    }
    if (!bio || (host && !set_host(s->ssl, host, context->verify_hostname))) {
        ERR_clear_error();
        tls_stream_free(s);
        return -ENOMEM;
    }
    if (host)
        SSL_set_connect_state(s->ssl);
    else
        SSL_set_accept_state(s->ssl);
    *ret_stream = s;
    return 0;
}

void tls_stream_free(struct tls_stream *s)
{
    if (!s)
        return;
    /* A line that broke says nothing against its session: OpenSSL would not go on from it otherwise. */
    if (s->ssl && s->result != -EPROTO)
        SSL_set_shutdown(s->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(s->ssl);
    free(s->error);
    free(s);
}

/* ---- what came of a call ---- */

static int fail(struct tls_stream *s, int r, const char *text)
{
    free(s->error);
    s->error = strdup(text);
    s->ended = true;
    s->result = r;
    return r;
}

static int protocol_failure(struct tls_stream *s)
{
    unsigned long error = ERR_peek_error();
    bool finished = ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    int verdict = (int)SSL_get_verify_result(s->ssl);
    char text[TLS_ERROR_TEXT];

    tls_error_take(text);
    /* MQTT's packets have lengths: an end without a good-bye cuts nothing off that could pass for whole. */
    if (finished)
        return fail(s, s->open ? 0 : -ECONNRESET, text);
    if (verdict != X509_V_OK && !s->open)
        return fail(s, -EKEYREJECTED, tls_error_of_verify(verdict));
    return fail(s, -EPROTO, text);
}

/* Why `returned` is no success. 0: the peer has finished. */
static int failure(struct tls_stream *s, int returned)
{
    int e = s->socket.error;

    switch (SSL_get_error(s->ssl, returned)) {
    case SSL_ERROR_WANT_READ:
        s->wants = TLS_WANTS_READ;
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        s->wants = TLS_WANTS_WRITE;
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return s->socket.keys > TLS_SOCKET_KEYS ? fail(s, -EPROTO, "new keys all the time")
                                                : fail(s, 0, "closed by the peer");
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        return fail(s, e ? -e : -ECONNRESET, e ? strerror(e) : "closed by the peer");
    default:
        return protocol_failure(s);
    }
}

/* ---- the four calls ---- */

static void begin_call(struct tls_stream *s)
{
    ERR_clear_error();
    s->socket.error = 0;
    s->socket.allowed = TLS_SOCKET_BYTES;
    s->socket.keys = 0;
}

int tls_stream_handshake(struct tls_stream *s)
{
    int r;

    begin_call(s);
    r = SSL_do_handshake(s->ssl);
    if (r != 1) {
        r = failure(s, r);
        return r == 0 ? -ECONNRESET : r; /* it may say good-bye at any time */
    }
    s->open = true;
    s->pending = true; /* what follows may have come along */
    return 0;
}

ssize_t tls_stream_read(struct tls_stream *s, uint8_t *data, size_t len)
{
    size_t got = 0;
    int r = s->result;

    begin_call(s);
    s->pending = true;
    while (!s->ended && got < len) {
        size_t n = 0;
        int ok;

        ok = SSL_read_ex(s->ssl, data + got, len - got, &n);
        got += n;
        if (ok == 1)
            continue;
        r = failure(s, ok);
        if (r == -EAGAIN) {
            s->pending = false;
            break;
        }
    }
    return got > 0 ? (ssize_t)got : r;
}

ssize_t tls_stream_write(struct tls_stream *s, const uint8_t *data, size_t len)
{
    size_t n = 0;
    int ok;

    if (s->ended && s->result < 0)
        return s->result;
    begin_call(s);
    ok = SSL_write_ex(s->ssl, data, len, &n);
    if (ok == 1)
        return (ssize_t)n;
    ok = failure(s, ok);
    return ok == 0 ? -EPIPE : ok;
}

int tls_stream_shutdown(struct tls_stream *s)
{
    int r;

    if ((s->ended && s->result < 0) || !s->open)
        return -ENOTCONN;
    begin_call(s);
    r = SSL_shutdown(s->ssl);
    return r >= 0 ? 0 : failure(s, r);
}

bool tls_stream_pending(const struct tls_stream *s)
{
    return s->pending;
}

int tls_stream_wants(const struct tls_stream *s)
{
    return s->wants;
}

const char *tls_stream_error(const struct tls_stream *s)
{
    return s->error ? s->error : "unknown error";
}

void tls_stream_get_facts(const struct tls_stream *s, struct tls_stream_facts *ret_facts)
{
    *ret_facts = (struct tls_stream_facts){.version = SSL_get_version(s->ssl),
                                           .cipher = SSL_get_cipher_name(s->ssl),
                                           .resumed = SSL_session_reused(s->ssl) == 1,
                                           .peer_certificate = SSL_get0_peer_certificate(s->ssl) != NULL};
}

int tls_stream_user_name(const struct tls_stream *s, enum tls_user_name from, struct buf *out)
{
    return tls_session_user_name(s->ssl, from, out);
}
