/* tls_files - see tls_files.h. */
#include "tls/tls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "tls/tls_error.h"

enum { MAX_FILE = 32 * 1024 * 1024 };

int tls_files_init(struct tls_files *f, struct buf *problem)
{
    *f = (struct tls_files){.problem = problem, .digest = EVP_MD_CTX_new()};
    if (!f->digest || EVP_DigestInit_ex(f->digest, EVP_sha256(), NULL) != 1) {
        tls_files_fini(f);
        return -ENOMEM;
    }
    return 0;
}

void tls_files_fini(struct tls_files *f)
{
    EVP_MD_CTX_free(f->digest);
    for (size_t i = 0; i < f->count; i++)
        free(f->all[i].path);
    free(f->all);
    *f = (struct tls_files){0};
}

void tls_files_add(struct tls_files *f, const void *data, size_t len)
{
    EVP_DigestUpdate(f->digest, &len, sizeof(len));
    EVP_DigestUpdate(f->digest, data, len);
}

int tls_files_finish(struct tls_files *f, uint8_t ret_digest[TLS_DIGEST_LEN])
{
    return EVP_DigestFinal_ex(f->digest, ret_digest, NULL) == 1 ? 0 : -ENOMEM;
}

static int blame(struct tls_files *f, const char *file, const char *what)
{
    ERR_clear_error();
    buf_printf(f->problem, "%s: %s", file, what);
    return -EINVAL;
}

int tls_files_blame(struct tls_files *f, const char *file)
{
    char text[TLS_ERROR_TEXT];

    tls_error_take(text);
    return blame(f, file, text);
}

/* ---- reading ---- */

static int read_all(int fd, struct buf *out)
{
    ssize_t n = 1;

    while (n > 0 && buf_len(out) <= MAX_FILE) {
        uint8_t *to = buf_reserve(out, 16384);

        if (!to)
            return -ENOMEM;
        n = read(fd, to, 16384);
        if (n > 0)
            buf_commit(out, (size_t)n);
    }
    if (n < 0)
        return -errno;
    return buf_len(out) <= MAX_FILE ? 0 : -EFBIG;
}

/* A pipe or a device could keep us waiting. */
static int read_regular(int fd, struct buf *out)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    return S_ISREG(st.st_mode) ? read_all(fd, out) : -EINVAL;
}

static uint64_t fingerprint_of(const struct buf *content)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint64_t fingerprint;

    if (EVP_Digest(buf_data(content), buf_len(content), digest, NULL, EVP_sha256(), NULL) != 1)
        return 0;
    memcpy(&fingerprint, digest, sizeof(fingerprint));
    return fingerprint;
}

static int remember(struct tls_files *f, const char *path, const struct buf *content)
{
    struct tls_file *more = realloc(f->all, (f->count + 1) * sizeof(*more));

    if (!more)
        return -ENOMEM;
    f->all = more;
    more[f->count] =
        (struct tls_file){.path = strdup(path), .fingerprint = fingerprint_of(content), .expires_ms = INT64_MAX};
    if (!more[f->count].path)
        return -ENOMEM;
    f->count++;
    tls_files_add(f, buf_data(content), buf_len(content));
    return 0;
}

/* The file as a BIO over `content`. 0 or -errno: reported. close_pem() in any case. */
static int open_pem(struct tls_files *f, const char *path, struct buf *content, BIO **ret_bio)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int r = fd < 0 ? -errno : read_regular(fd, content);

    if (fd >= 0)
        close(fd);
    if (r == 0)
        r = remember(f, path, content);
    if (r < 0) {
        blame(f, path, strerror(-r));
        return r;
    }
    *ret_bio = BIO_new_mem_buf(buf_data(content), (int)buf_len(content));
    return *ret_bio ? 0 : tls_files_blame(f, path);
}

static void close_pem(BIO *bio, struct buf *content)
{
    BIO_free(bio);
    if (content->data)
        OPENSSL_cleanse(content->data, content->cap);
    buf_fini(content);
}

/* Whether the last read ended because there are no more of its kind, which is not an error. */
static bool at_end(void)
{
    unsigned long e = ERR_peek_last_error();

    if (ERR_GET_LIB(e) != ERR_LIB_PEM || ERR_GET_REASON(e) != PEM_R_NO_START_LINE)
        return false;
    ERR_clear_error();
    return true;
}

/* ---- how long it is good ---- */

/* No date, as a revocation list may have none: for ever. */
static int64_t time_of(const ASN1_TIME *t)
{
    struct tm tm = {0};

    if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
        return INT64_MAX;
    return (int64_t)timegm(&tm) * 1000;
}

/* The file read last. */
static void expires(struct tls_files *f, const ASN1_TIME *when)
{
    struct tls_file *file = &f->all[f->count - 1];
    int64_t ms = time_of(when);

    if (ms < file->expires_ms)
        file->expires_ms = ms;
}

/* ---- a certificate and its key ---- */

/* The first certificate is the one that is shown; the others lead to its root. */
static int read_certs(struct tls_files *f, const char *path, BIO *bio, struct tls_pair *p)
{
    X509 *x;

    p->chain = sk_X509_new_null();
    if (!p->chain)
        return -ENOMEM;
    while ((x = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL) {
        int r = 0;

        expires(f, X509_get0_notAfter(x));
        if (!p->cert)
            p->cert = x;
        else if (sk_X509_push(p->chain, x) <= 0)
            r = -ENOMEM;
        if (r < 0)
            return r;
    }
    if (!at_end())
        return tls_files_blame(f, path);
    return p->cert ? 0 : blame(f, path, "holds no certificate in PEM form");
}

/* Nobody is there to type a passphrase. */
static int no_passphrase(char *text, int size, int writing, void *arg)
{
    (void)text;
    (void)size;
    (void)writing;
    *(bool *)arg = true;
    return -1;
}

static int read_key(struct tls_files *f, const char *path, BIO *bio, const struct buf *content, struct tls_pair *p)
{
    bool asked = false;

    p->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
    if (p->key)
        return 0;
    if (asked)
        return blame(f, path, "is protected by a passphrase, which nobody could type at a start");
    if (!memmem(buf_data(content), buf_len(content), "PRIVATE KEY-----", 16))
        return blame(f, path, "holds no private key in PEM form");
    return tls_files_blame(f, path);
}

int tls_files_load_pair(struct tls_files *f, const char *cert, const char *key, struct tls_pair *ret_pair)
{
    struct buf content = {0};
    struct tls_pair p = {0};
    BIO *bio = NULL;
    int r = open_pem(f, cert, &content, &bio);

    if (r == 0)
        r = read_certs(f, cert, bio, &p);
    close_pem(bio, &content);
    bio = NULL;
    if (r == 0)
        r = open_pem(f, key, &content, &bio);
    if (r == 0)
        r = read_key(f, key, bio, &content, &p);
    close_pem(bio, &content);
    if (r == 0 && X509_check_private_key(p.cert, p.key) != 1) {
        ERR_clear_error();
        buf_printf(f->problem, "%s: does not belong to %s", key, cert);
        r = -EINVAL;
    }
    if (r < 0)
        tls_pair_fini(&p);
    else
        *ret_pair = p;
    return r;
}

void tls_pair_fini(struct tls_pair *p)
{
    X509_free(p->cert);
    EVP_PKEY_free(p->key);
    sk_X509_pop_free(p->chain, X509_free);
    *p = (struct tls_pair){0};
}

/* ---- whom to believe ---- */

static int add_name(STACK_OF(X509_NAME) * names, const X509 *x)
{
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(x));

    if (name && sk_X509_NAME_push(names, name) > 0)
        return 0;
    X509_NAME_free(name);
    return -ENOMEM;
}

static int add_ca(struct tls_files *f, const char *path, X509 *x, X509_STORE *store, STACK_OF(X509_NAME) * names)
{
    expires(f, X509_get0_notAfter(x));
    if (X509_STORE_add_cert(store, x) != 1)
        return tls_files_blame(f, path);
    return names ? add_name(names, x) : 0;
}

int tls_files_load_cas(struct tls_files *f, const char *path, X509_STORE *store, STACK_OF(X509_NAME) * names)
{
    struct buf content = {0};
    BIO *bio = NULL;
    int count = 0;
    int r = open_pem(f, path, &content, &bio);

    while (r == 0) {
        X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

        if (!x)
            break;
        r = add_ca(f, path, x, store, names);
        X509_free(x);
        count++;
    }
    if (r == 0 && !at_end())
        r = tls_files_blame(f, path);
    if (r == 0 && count == 0)
        r = blame(f, path, "holds no certificate in PEM form");
    close_pem(bio, &content);
    return r;
}

int tls_files_load_crls(struct tls_files *f, const char *path, X509_STORE *store)
{
    struct buf content = {0};
    BIO *bio = NULL;
    int count = 0;
    int r = open_pem(f, path, &content, &bio);

    while (r == 0) {
        X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);

        if (!crl)
            break;
        expires(f, X509_CRL_get0_nextUpdate(crl));
        if (X509_STORE_add_crl(store, crl) != 1)
            r = tls_files_blame(f, path);
        X509_CRL_free(crl);
        count++;
    }
    if (r == 0 && !at_end())
        r = tls_files_blame(f, path);
    if (r == 0 && count == 0)
        r = blame(f, path, "holds no revocation list in PEM form");
    if (r == 0 && X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) != 1)
        r = -ENOMEM;
    close_pem(bio, &content);
    return r;
}
