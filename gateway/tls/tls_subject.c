/*
 * tls_subject - the user name in a certificate: its one common name, or the whole subject as RFC 2253 writes it,
 * "CN=pump,O=plant"; but none that MQTT or a terminal could not take.
 */
#include <errno.h>
#include <openssl/ssl.h>

#include "core/buf.h"
#include "core/utf8.h"
#include "tls/tls_stream.h"

enum { MAX_NAME = 1024 };

static bool is_printable(struct str name)
{
    if (name.len == 0 || name.len > MAX_NAME || !utf8_valid(name))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.data[i] < 0x20 || name.data[i] == 0x7f)
            return false;
    return true;
}

static int append(struct str name, struct buf *out)
{
    if (!is_printable(name))
        return -EBADMSG;
    buf_append(out, name.data, name.len);
    return buf_failed(out) ? -ENOMEM : 0;
}

/* Programs differ in which of several they take: none is safe. */
static int common_name(const X509_NAME *subject, struct buf *out)
{
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char *text = NULL;
    int len;
    int r;

    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return -EBADMSG;
    len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (len < 0)
        return -EBADMSG;
    r = append((struct str){.data = (const char *)text, .len = (size_t)len}, out);
    OPENSSL_free(text);
    return r;
}

static int whole_subject(const X509_NAME *subject, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    int r = -ENOMEM;

    if (bio && X509_NAME_print_ex(bio, subject, 0, XN_FLAG_RFC2253) >= 0) {
        long len = BIO_get_mem_data(bio, &text);

        r = append((struct str){.data = text, .len = len > 0 ? (size_t)len : 0}, out);
    }
    BIO_free(bio);
    return r;
}

int tls_session_user_name(const struct ssl_st *ssl, enum tls_user_name from, struct buf *out)
{
    const X509 *cert = SSL_get0_peer_certificate(ssl);

    if (!cert || from == TLS_USER_NAME_NONE || !SSL_is_init_finished(ssl) || SSL_get_verify_result(ssl) != X509_V_OK)
        return -ENOENT;
    return from == TLS_USER_NAME_CN ? common_name(X509_get_subject_name(cert), out)
                                    : whole_subject(X509_get_subject_name(cert), out);
}
