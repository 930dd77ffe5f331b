/* tls_lent - see tls_lent.h. */
#include "tls/tls_lent.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

/* Why a read gave nothing. */
static ssize_t failure(SSL *ssl, int e)
{
    int kind = SSL_get_error(ssl, 0);
    unsigned long error = ERR_peek_error();

    ERR_clear_error();
    switch (kind) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: /* it owes the peer something, which goes with our next write */
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        return e ? -e : 0;
    default:
        return ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING ? 0 : -EPROTO;
    }
}

ssize_t tls_lent_read(struct ssl_st *ssl, uint8_t *data, size_t len)
{
    size_t got = 0;
    size_t n;

    while (got < len) {
        ssize_t r;

        ERR_clear_error();
        errno = 0;
        if (SSL_read_ex(ssl, data + got, len - got, &n) == 1) {
            got += n;
            continue;
        }
        r = failure(ssl, errno);
        return got > 0 ? (ssize_t)got : r;
    }
    return (ssize_t)got;
}

bool tls_lent_pending(const struct ssl_st *ssl)
{
    return SSL_has_pending(ssl) == 1;
}
