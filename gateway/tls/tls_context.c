/* tls_context - see tls_context.h. */
#include "tls/tls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/buf.h"
#include "tls/tls_error.h"
#include "tls/tls_internal.h"
#include "tls/tls_names.h"
#include "tls/tls_resume.h"
#include "tls/tls_socket.h"

/* Of TLS 1.2; those of 1.3 are all like these. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

/* Of a server: those that cost little. A client could have it reckon with 8192 bits otherwise. */
#define GROUPS "X25519:P-256:P-384"

static const unsigned char alpn_mqtt[] = "\x04mqtt";

void tls_context_free(struct tls_context *c)
{
    if (!c)
        return;
    SSL_CTX_free(c->ssl);
    tls_files_fini(&c->files);
    free(c);
}

/* What is the same for servers and clients, and no setting. */
static bool set_rules(SSL_CTX *ssl, uint8_t min_version)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(ssl, 1); /* a record's head and body in one system call */
    SSL_CTX_set_msg_callback(ssl, tls_socket_on_message);
    return SSL_CTX_set_min_proto_version(ssl, min_version == TLS_VERSION_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) == 1 && SSL_CTX_set_cipher_list(ssl, CIPHERS) == 1;
}

static int new_context(const SSL_METHOD *method, uint8_t min_version, struct buf *problem,
                       struct tls_context **ret_context)
{
    struct tls_context *c = calloc(1, sizeof(*c));
    char text[TLS_ERROR_TEXT];
    int r;

    if (!c)
        return -ENOMEM;
    r = tls_files_init(&c->files, problem);
    if (r == 0)
        c->ssl = SSL_CTX_new(method);
    if (!c->ssl || !set_rules(c->ssl, min_version)) {
        tls_error_take(text);
        buf_printf(problem, "TLS: %s", text);
        tls_context_free(c);
        return -ENOMEM;
    }
    tls_files_add(&c->files, &min_version, sizeof(min_version));
    *ret_context = c;
    return 0;
}

static int use_pair(struct tls_context *c, const char *cert, const char *key)
{
    struct tls_pair p = {0};
    int r = tls_files_load_pair(&c->files, cert, key, &p);

    if (r == 0 && SSL_CTX_use_cert_and_key(c->ssl, p.cert, p.key, p.chain, 1) != 1)
        r = tls_files_blame(&c->files, cert);
    tls_pair_fini(&p);
    return r;
}

static int finish(struct tls_context *c, int r, struct tls_context **ret_context)
{
    if (r == 0)
        r = tls_files_finish(&c->files, c->digest);
    if (r < 0) {
        if (r == -ENOMEM && buf_len(c->files.problem) == 0)
            buf_put_text(c->files.problem, "TLS: out of memory");
        tls_context_free(c);
        return r;
    }
    c->files.problem = NULL;
    *ret_context = c;
    return 0;
}

/* ---- servers ---- */

static int on_alpn(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len, const unsigned char *offered,
                   unsigned offered_len, void *arg)
{
    unsigned char *name;
    unsigned char len;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&name, &len, alpn_mqtt, sizeof(alpn_mqtt) - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *ret_name = name;
    *ret_len = len;
    return SSL_TLSEXT_ERR_OK;
}

static void set_verify(SSL_CTX *ssl, const struct tls_server_settings *s)
{
    int mode = SSL_VERIFY_NONE;

    if (s->client_ca)
        mode = s->require_client_cert ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER;
    SSL_CTX_set_verify(ssl, mode, NULL);
}

static int load_client_ca(struct tls_context *c, const struct tls_server_settings *s)
{
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    X509_STORE *store = SSL_CTX_get_cert_store(c->ssl);
    int r = names ? tls_files_load_cas(&c->files, s->client_ca, store, names) : -ENOMEM;

    if (r == 0 && s->crl)
        r = tls_files_load_crls(&c->files, s->crl, store);
    if (r == 0)
        SSL_CTX_set_client_CA_list(c->ssl, names);
    else
        sk_X509_NAME_pop_free(names, X509_NAME_free);
    return r;
}

/* Sessions go on by tickets alone: nothing of them is kept here. A ticket is only good for the context that gave it,
 * so no client gets round a new client_ca or crl by one. */
static bool set_tickets(SSL_CTX *ssl)
{
    static const unsigned char id[] = "wirepost";

    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_session_id_context(ssl, id, sizeof(id) - 1) == 1 && SSL_CTX_set_num_tickets(ssl, 1) == 1;
}

static bool set_groups(SSL_CTX *ssl)
{
    char groups[] = GROUPS;                  /* the macro takes the const away */
    char newer[] = "X25519MLKEM768:" GROUPS; /* since OpenSSL 3.5 */
    bool set = SSL_CTX_set1_groups_list(ssl, newer) == 1 || SSL_CTX_set1_groups_list(ssl, groups) == 1;

    ERR_clear_error();
    return set;
}

static void add_rules(struct tls_context *c, const struct tls_server_settings *s)
{
    uint8_t rules[] = {s->client_ca != NULL, s->crl != NULL, s->require_client_cert, s->username_from};

    tls_files_add(&c->files, rules, sizeof(rules));
}

int tls_context_new_server(const struct tls_server_settings *s, struct buf *problem, struct tls_context **ret_context)
{
    struct tls_context *c = NULL;
    int r = new_context(TLS_server_method(), s->min_version, problem, &c);

    if (r < 0)
        return r;
    add_rules(c, s);
    set_verify(c->ssl, s);
    SSL_CTX_set_alpn_select_cb(c->ssl, on_alpn, NULL);
    r = set_tickets(c->ssl) && set_groups(c->ssl) ? 0 : -ENOMEM;
    if (r == 0)
        r = use_pair(c, s->cert, s->key);
    if (r == 0 && s->client_ca)
        r = load_client_ca(c, s);
    if (r == 0)
        r = tls_names_attach(c->ssl, s, &c->files);
    return finish(c, r, ret_context);
}

static int renew_tickets(SSL_CTX *ssl)
{
    uint8_t keys[80];
    long len = SSL_CTX_get_tlsext_ticket_keys(ssl, NULL, 0);

    if (len <= 0 || (size_t)len > sizeof(keys) || RAND_bytes(keys, (int)len) != 1 ||
        SSL_CTX_set_tlsext_ticket_keys(ssl, keys, len) != 1) {
        ERR_clear_error();
        return -EIO;
    }
    OPENSSL_cleanse(keys, sizeof(keys));
    return 0;
}

int tls_context_renew_tickets(struct tls_context *c)
{
    return renew_tickets(c->ssl);
}

int tls_context_lend(struct tls_context *c, struct ssl_ctx_st *other)
{
    if (!set_rules(other, TLS_VERSION_1_2) || !set_tickets(other) || !set_groups(other) ||
        SSL_CTX_set_min_proto_version(other, SSL_CTX_get_min_proto_version(c->ssl)) != 1) {
        ERR_clear_error();
        return -ENOMEM;
    }
    SSL_CTX_clear_mode(other, SSL_MODE_AUTO_RETRY); /* new keys, for ever, would keep one read busy as long */
    SSL_CTX_set_read_ahead(other, 0);               /* whoever asks SSL_pending() would not find what was read ahead */
    SSL_CTX_set_verify(other, SSL_CTX_get_verify_mode(c->ssl), NULL);
    return renew_tickets(other) == 0 ? tls_names_lend(c->ssl, other) : -EIO;
}

/* ---- clients ---- */

static int load_server_ca(struct tls_context *c, const char *path)
{
    struct stat st;

    if (!path)
        return SSL_CTX_set_default_verify_paths(c->ssl) == 1 ? 0 : tls_files_blame(&c->files, "the system's CAs");
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return SSL_CTX_load_verify_dir(c->ssl, path) == 1 ? 0 : tls_files_blame(&c->files, path);
    return tls_files_load_cas(&c->files, path, SSL_CTX_get_cert_store(c->ssl), NULL);
}

static int set_alpn(struct tls_context *c, const char *name)
{
    uint8_t wire[256];
    size_t len = strlen(name);

    if (len == 0 || len > 255)
        return -EINVAL;
    wire[0] = (uint8_t)len;
    memcpy(wire + 1, name, len);
    return SSL_CTX_set_alpn_protos(c->ssl, wire, (unsigned)len + 1) == 0 ? 0 : -ENOMEM;
}

static void add_client_rules(struct tls_context *c, const struct tls_client_settings *s)
{
    struct str ca = str_of(s->ca);
    struct str alpn = str_of(s->alpn);

    tls_files_add(&c->files, (const bool[]){s->verify_hostname, s->insecure}, 2 * sizeof(bool));
    tls_files_add(&c->files, ca.data, ca.len);
    tls_files_add(&c->files, alpn.data, alpn.len);
}

int tls_context_new_client(const struct tls_client_settings *s, struct buf *problem, struct tls_context **ret_context)
{
    struct tls_context *c = NULL;
    int r = new_context(TLS_client_method(), s->min_version, problem, &c);

    if (r < 0)
        return r;
    c->verify_hostname = s->verify_hostname && !s->insecure;
    add_client_rules(c, s);
    SSL_CTX_set_verify(c->ssl, s->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    r = tls_resume_attach(c->ssl);
    if (r == 0)
        r = load_server_ca(c, s->ca);
    if (r == 0 && s->cert)
        r = use_pair(c, s->cert, s->key ? s->key : s->cert);
    if (r == 0 && s->alpn)
        r = set_alpn(c, s->alpn);
    return finish(c, r, ret_context);
}

/* ---- both ---- */

bool tls_context_equal(const struct tls_context *a, const struct tls_context *b)
{
    return memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

const struct tls_file *tls_context_files(const struct tls_context *c, size_t *ret_count)
{
    *ret_count = c->files.count;
    return c->files.all;
}
