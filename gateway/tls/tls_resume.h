/*
 * tls_resume - the last session of a client, to go on from when it connects
 * to the same host again: fewer bytes and no public-key work. Private to tls/.
 *
 * Kept with the OpenSSL context, and so only used under the same rules under
 * which its certificates were believed.
 */
#ifndef WP_TLS_RESUME_H
#define WP_TLS_RESUME_H

#include <openssl/ssl.h>

/* Sessions of this context are kept from now on. 0 or -ENOMEM. */
int tls_resume_attach(SSL_CTX *context);

/* Before the handshake: goes on from the session with this host, if there is one, and remembers whose the next is. */
int tls_resume_begin(SSL *ssl, const char *host);

#endif
