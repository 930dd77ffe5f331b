/*
 * tls_socket - a socket as OpenSSL reads and writes it. Private to tls/.
 *
 * One call of ours reads a bounded number of bytes, however many wait: what
 * carries no data, such as new keys for ever, could keep OpenSSL busy inside
 * one call as long as the peer likes. And of new keys, which cost more than
 * many a message, only so many are taken in a call: then the peer is cut off.
 */
#ifndef WP_TLS_SOCKET_H
#define WP_TLS_SOCKET_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* For each call. */
enum { TLS_SOCKET_BYTES = 32768, TLS_SOCKET_KEYS = 16 };

struct tls_socket {
    int fd;
    int error; /* errno of the last failure; 0: none */
    bool eof;
    size_t allowed; /* bytes that may still be read in this call */
    unsigned keys;  /* that the peer has renewed in it */
};

/* Borrows `s`. NULL when out of memory. */
BIO *tls_socket_bio(struct tls_socket *s);

/* Counts the keys of sessions whose argument for this is a socket, not NULL: SSL_CTX_set_msg_callback(). */
void tls_socket_on_message(int written, int version, int type, const void *data, size_t len, SSL *ssl, void *socket);

#endif
