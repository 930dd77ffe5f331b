/* tls_resume - see tls_resume.h. */
#include "tls/tls_resume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct kept {
    SSL_SESSION *session; /* NULL: none */
    char *host;           /* who it is with, or will be */
};

static void on_free(void *parent, void *kept, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    struct kept *k = kept;

    (void)parent;
    (void)data;
    (void)index;
    (void)argl;
    (void)argp;
    if (!k)
        return;
    SSL_SESSION_free(k->session);
    free(k->host);
    free(k);
}

/* Where a context keeps it. */
static int slot(void)
{
    static int index = -1;

    if (index < 0)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_free);
    return index;
}

static struct kept *kept_of(SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot());
}

static void replace(struct kept *k, SSL_SESSION *session)
{
    SSL_SESSION_free(k->session);
    k->session = session;
}

/* Returns 1: takes the session. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    replace(kept_of(ssl), session);
    return 1;
}

int tls_resume_attach(SSL_CTX *context)
{
    struct kept *k = calloc(1, sizeof(*k));

    if (!k || slot() < 0 || SSL_CTX_set_ex_data(context, slot(), k) != 1) {
        free(k);
        return -ENOMEM;
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_session);
    return 0;
}

int tls_resume_begin(SSL *ssl, const char *host)
{
    struct kept *k = kept_of(ssl);

    if (!k->host || strcasecmp(k->host, host) != 0) {
        replace(k, NULL);
        free(k->host);
        k->host = strdup(host);
        return k->host ? 0 : -ENOMEM;
    }
    if (!k->session || SSL_set_session(ssl, k->session) != 1)
        return 0;
    if (SSL_SESSION_get_protocol_version(k->session) >= TLS1_3_VERSION) /* RFC 8446, C.4: once, or others could tell */
        replace(k, NULL);
    return 0;
}
