/*
 * tls_files - PEM files into OpenSSL's objects, with words for what is wrong
 * with a file. Private to tls/.
 *
 * Each function returns 0 or -errno, with "FILE: what is wrong" appended to
 * `problem`. What was read is remembered: the digest says whether anything
 * has changed since, `all` which file, and until when it is good.
 */
#ifndef WP_TLS_FILES_H
#define WP_TLS_FILES_H

#include <openssl/ssl.h>
#include <stdint.h>

#include "tls/tls_settings.h"

struct buf;

enum { TLS_DIGEST_LEN = 32 };

struct tls_files {
    struct buf *problem;
    EVP_MD_CTX *digest;
    struct tls_file *all; /* and their paths */
    size_t count;
};

/* A certificate with its key. */
struct tls_pair {
    X509 *cert;
    EVP_PKEY *key;
    STACK_OF(X509) * chain; /* what is between it and the root; may be empty */
};

int tls_files_init(struct tls_files *f, struct buf *problem);
void tls_files_fini(struct tls_files *f);

/* Takes more into the digest than files. */
void tls_files_add(struct tls_files *f, const void *data, size_t len);
int tls_files_finish(struct tls_files *f, uint8_t ret_digest[TLS_DIGEST_LEN]);

int tls_files_load_pair(struct tls_files *f, const char *cert, const char *key, struct tls_pair *ret_pair);
void tls_pair_fini(struct tls_pair *p);

/* Certificates that may sign others, into the store; their names into `names` too unless that is NULL. */
int tls_files_load_cas(struct tls_files *f, const char *path, X509_STORE *store, STACK_OF(X509_NAME) * names);

/* Revocation lists, into the store, which asks them from then on. */
int tls_files_load_crls(struct tls_files *f, const char *path, X509_STORE *store);

/* "FILE: what OpenSSL says", for the rest of tls/. Returns -EINVAL. */
int tls_files_blame(struct tls_files *f, const char *file);

#endif
