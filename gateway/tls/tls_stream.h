/*
 * tls_stream - one TLS session on a non-blocking socket.
 *
 *   new -> handshake (until 0) -> read, write -> shutdown -> free
 *
 * What cannot go on returns -EAGAIN, and tls_stream_wants() says what the
 * socket must be ready for before the same call is made again; a write is
 * repeated with the same bytes, which may have moved and may be followed by
 * more. After any other error the session is over: only free it.
 *
 * Decrypted bytes may be in hand while the socket has nothing: before waiting
 * for readability, read until -EAGAIN or ask tls_stream_pending(). An idle
 * session holds no buffers. No call takes more from the socket than fits a turn.
 * Loop thread only.
 */
#ifndef WP_TLS_STREAM_H
#define WP_TLS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tls/tls_settings.h"

struct buf;
struct ssl_st;
struct tls_context;
struct tls_stream;

enum { TLS_WANTS_READ = 1, TLS_WANTS_WRITE = 2 }; /* the bits of LOOP_READ and LOOP_WRITE */

/* The descriptor is borrowed. `host` is whom a client means to talk to: named to the server, and found in its
 * certificate if the context says so; NULL for a server. 0 or -errno. */
int tls_stream_new(struct tls_context *context, int fd, const char *host, struct tls_stream **ret_stream);

/* Sends nothing: see tls_stream_shutdown(). Accepts NULL. */
void tls_stream_free(struct tls_stream *s);

/* 0 when done; -EAGAIN; -EKEYREJECTED: certificate not accepted, by either side; -EPROTO; another -errno. */
int tls_stream_handshake(struct tls_stream *s);

/* Bytes; 0 when the peer has finished; -EAGAIN; -errno. Takes as many records as fit. */
ssize_t tls_stream_read(struct tls_stream *s, uint8_t *data, size_t len);

/* Bytes, one record's at most; -EAGAIN; -errno. len > 0. */
ssize_t tls_stream_write(struct tls_stream *s, const uint8_t *data, size_t len);

/* Tells the peer that nothing more will come. 0 when said; -EAGAIN; -errno. */
int tls_stream_shutdown(struct tls_stream *s);

/* Whether tls_stream_read() may return something else than -EAGAIN though the socket is not readable. */
bool tls_stream_pending(const struct tls_stream *s);

/* After -EAGAIN: TLS_WANTS_READ or TLS_WANTS_WRITE. */
int tls_stream_wants(const struct tls_stream *s);

/* After another error: what went wrong, in words: "certificate has expired". Valid as long as the stream. */
const char *tls_stream_error(const struct tls_stream *s);

/* After the handshake. Texts are constants. */
struct tls_stream_facts {
    const char *version; /* "TLSv1.3" */
    const char *cipher;
    bool resumed;          /* a session known from before went on */
    bool peer_certificate; /* the peer has shown one, and it was verified */
};
void tls_stream_get_facts(const struct tls_stream *s, struct tls_stream_facts *ret_facts);

/* Appends the user name that the peer's certificate gives. 0; -ENOENT: no certificate; -EBADMSG: no name in it that
 * could be a user's, or several. The second: of another library's session, an SSL. */
int tls_stream_user_name(const struct tls_stream *s, enum tls_user_name from, struct buf *out);
int tls_session_user_name(const struct ssl_st *ssl, enum tls_user_name from, struct buf *out);

#endif
