/*
 * tls_names - certificates by the name that a client asks for (SNI). Private
 * to tls/. It lives as long as the OpenSSL context it is attached to, and so
 * as long as the last stream.
 */
#ifndef WP_TLS_NAMES_H
#define WP_TLS_NAMES_H

#include "tls/tls_files.h"
#include "tls/tls_settings.h"

/* Loads what `sni` names and attaches it to `ssl`. 0 or -errno as for tls_files. */
int tls_names_attach(SSL_CTX *ssl, const struct tls_server_settings *s, struct tls_files *f);

/* Sessions begun by `other` get the certificates and rules of `ssl`, which it holds on to. 0 or -errno. */
int tls_names_lend(SSL_CTX *ssl, SSL_CTX *other);

/* Whether a certificate for `pattern` is meant when `name` is asked for. */
bool tls_names_match(const char *pattern, const char *name);

#endif
