/*
 * tls_internal - what contexts and streams know of each other. Private to tls/.
 */
#ifndef WP_TLS_INTERNAL_H
#define WP_TLS_INTERNAL_H

#include "tls/tls_context.h"
#include "tls/tls_files.h"

struct tls_context {
    SSL_CTX *ssl;
    struct tls_files files; /* what it was made of */
    uint8_t digest[TLS_DIGEST_LEN];
    bool verify_hostname; /* of a client */
};

#endif
