/* tls_names - see tls_names.h. */
#include "tls/tls_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct named_pair {
    char *name;
    struct tls_pair pair;
};

/* What is attached to a context. */
struct names {
    struct named_pair *pairs;
    size_t count;
    SSL_CTX *instead; /* of another library's context: ours. NULL: the context itself */
};

bool tls_names_match(const char *pattern, const char *name)
{
    const char *rest = strchr(name, '.');

    if (strncmp(pattern, "*.", 2) == 0)
        return rest && rest > name && strcasecmp(pattern + 1, rest) == 0;
    return strcasecmp(pattern, name) == 0;
}

static void names_free(struct names *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->count; i++) {
        free(n->pairs[i].name);
        tls_pair_fini(&n->pairs[i].pair);
    }
    free(n->pairs);
    SSL_CTX_free(n->instead);
    free(n);
}

static void on_free(void *parent, void *names, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)parent;
    (void)data;
    (void)index;
    (void)argl;
    (void)argp;
    names_free(names);
}

/* Where a context keeps its names. */
static int slot(void)
{
    static int index = -1;

    if (index < 0)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_free);
    return index;
}

/* Only its certificate: whom to believe and all else stay the context's. */
static int use_pair(SSL *ssl, const struct tls_pair *p)
{
    SSL_certs_clear(ssl);
    return SSL_use_cert_and_key(ssl, p->cert, p->key, p->chain, 1) == 1 ? SSL_TLSEXT_ERR_OK
                                                                        : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Runs for each new session, also when no name is asked for. */
static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const struct names *n = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot());

    (void)arg;
    *alert = SSL_AD_INTERNAL_ERROR;
    if (n && n->instead) {
        if (!SSL_set_SSL_CTX(ssl, n->instead))
            return SSL_TLSEXT_ERR_ALERT_FATAL;
        n = SSL_CTX_get_ex_data(n->instead, slot());
    }
    for (size_t i = 0; n && name && i < n->count; i++)
        if (tls_names_match(n->pairs[i].name, name))
            return use_pair(ssl, &n->pairs[i].pair);
    return SSL_TLSEXT_ERR_OK;
}

/* Takes n, whatever comes of it. */
static int attach(SSL_CTX *ssl, struct names *n)
{
    struct names *before = slot() < 0 ? NULL : SSL_CTX_get_ex_data(ssl, slot());

    if (slot() < 0 || SSL_CTX_set_ex_data(ssl, slot(), n) != 1) {
        names_free(n);
        return -ENOMEM;
    }
    names_free(before);
    SSL_CTX_set_tlsext_servername_callback(ssl, on_server_name);
    return 0;
}

int tls_names_attach(SSL_CTX *ssl, const struct tls_server_settings *s, struct tls_files *f)
{
    struct names *n = calloc(1, sizeof(*n));
    int r = 0;

    if (!n)
        return -ENOMEM;
    n->pairs = calloc(s->sni_count + 1, sizeof(*n->pairs));
    if (!n->pairs)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < s->sni_count; i++) {
        const struct tls_identity *id = &s->sni[i];

        tls_files_add(f, id->name, strlen(id->name));
        r = tls_files_load_pair(f, id->cert, id->key, &n->pairs[i].pair);
        if (r < 0)
            break;
        n->count++;
        n->pairs[i].name = strdup(id->name);
        if (!n->pairs[i].name)
            r = -ENOMEM;
    }
    if (r == 0)
        return attach(ssl, n);
    names_free(n);
    return r;
}

int tls_names_lend(SSL_CTX *ssl, SSL_CTX *other)
{
    struct names *n = calloc(1, sizeof(*n));

    if (!n || SSL_CTX_up_ref(ssl) != 1) {
        free(n);
        return -ENOMEM;
    }
    n->instead = ssl;
    return attach(other, n);
}
