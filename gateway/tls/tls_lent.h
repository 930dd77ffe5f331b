/*
 * tls_lent - sessions of another library that began by one of our contexts
 * (tls_context_lend), read past it. See tls_session_user_name() too. Loop thread only.
 */
#ifndef WP_TLS_LENT_H
#define WP_TLS_LENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ssl_st;

/* Bytes; 0 when the peer has finished; -EAGAIN; -EPROTO or another -errno. */
ssize_t tls_lent_read(struct ssl_st *ssl, uint8_t *data, size_t len);

/* Whether tls_lent_read() may return something else than -EAGAIN though the socket is not readable. It may be true
 * after -EAGAIN: half a record is there. */
bool tls_lent_pending(const struct ssl_st *ssl);

#endif
