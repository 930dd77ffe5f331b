/*
 * tls_socket - a socket as OpenSSL reads and writes it. Private to tls/.
 *
 * One call of ours reads a bounded number of bytes, however many wait: what
 * carries no data, such as new keys for ever, could keep OpenSSL busy inside
 * one call as long as the peer likes.
 */
#ifndef WP_TLS_SOCKET_H
#define WP_TLS_SOCKET_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>

enum { TLS_SOCKET_BYTES = 32768 }; /* for each call */

struct tls_socket {
    int fd;
    int error; /* errno of the last failure; 0: none */
    bool eof;
    size_t allowed; /* bytes that may still be read in this call */
};

/* Borrows `s`. NULL when out of memory. */
BIO *tls_socket_bio(struct tls_socket *s);

#endif
