/*
 * tls_context - certificates, keys and rules that many TLS sessions share.
 *
 *   settings -> files -> context -> streams (tls_stream.h)
 *
 * But for its tickets and the last session of a client, a context never
 * changes: other files or settings make another one. Streams
 * hold on to what they need of it, so it may be freed while they live, and
 * swapping contexts drops nobody. TLS 1.2 and 1.3, forward secrecy and
 * authenticated encryption only; no compression, no renegotiation.
 * Only gateway/tls/ names OpenSSL. Loop thread only.
 */
#ifndef WP_TLS_CONTEXT_H
#define WP_TLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "tls/tls_settings.h"

struct buf;
struct ssl_ctx_st;
struct tls_context;

/* 0 or -errno, with "FILE: what is wrong with it" appended to `problem`. Settings are not kept. */
int tls_context_new_server(const struct tls_server_settings *s, struct buf *problem, struct tls_context **ret_context);
int tls_context_new_client(const struct tls_client_settings *s, struct buf *problem, struct tls_context **ret_context);

/* Accepts NULL. Streams made from it go on. */
void tls_context_free(struct tls_context *c);

/* Whether both come from files of the same content and the same rules: swapping them would change nothing. */
bool tls_context_equal(const struct tls_context *a, const struct tls_context *b);

/* New keys for session tickets: older tickets open no session any more. 0 or -errno. */
int tls_context_renew_tickets(struct tls_context *c);

/* Those it was made of, as long as it lives. */
const struct tls_file *tls_context_files(const struct tls_context *c, size_t *ret_count);

/* Another library's server context, an SSL_CTX, begins its sessions by the certificates and rules of this one from now
 * on; again with the next context after a change, whose tickets it renews. It holds on to what it needs. 0 or -errno.
 */
int tls_context_lend(struct tls_context *c, struct ssl_ctx_st *other);

#endif
