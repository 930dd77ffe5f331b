/*
 * tls_rig - certificates, keys and revocation lists made on the spot, for
 * tests of TLS.
 */
#ifndef WP_TESTS_TLS_RIG_H
#define WP_TESTS_TLS_RIG_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tls_rig_files.h"

struct rig_authority {
    X509 *cert;
    EVP_PKEY *key;
};

static long rig_serial = 1;

static void rig_extend(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

/* Signed by `ca`, or by itself. `from_s` and `to_s` count from now. */
static X509 *rig_certificate(const char *cn, EVP_PKEY *key, const struct rig_authority *ca, long from_s, long to_s)
{
    X509 *x = X509_new();

    assert_non_null(x);
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), rig_serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), from_s);
    X509_gmtime_adj(X509_getm_notAfter(x), to_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(ca ? ca->cert : x));
    X509_set_pubkey(x, key);
    if (!ca)
        rig_extend(x, NID_basic_constraints, "critical,CA:TRUE");
    else if (strchr(cn, '.'))
        rig_extend(x, NID_subject_alt_name, strcmp(cn, "127.0.0.1") == 0 ? "IP:127.0.0.1" : "DNS:wirepost.test");
    assert_true(X509_sign(x, ca ? ca->key : key, EVP_sha256()) > 0);
    return x;
}

static struct rig_authority rig_authority(const char *cn)
{
    struct rig_authority a = {.key = EVP_EC_gen("P-256")};

    assert_non_null(a.key);
    a.cert = rig_certificate(cn, a.key, NULL, -3600, 3600L * 24 * 365);
    return a;
}

static void rig_authority_free(struct rig_authority *a)
{
    X509_free(a->cert);
    EVP_PKEY_free(a->key);
}

static void rig_write_cert(const char *name, X509 *x)
{
    FILE *f = rig_open(name);

    assert_int_equal(PEM_write_X509(f, x), 1);
    assert_int_equal(fclose(f), 0);
}

/* NAME.crt and NAME.key, good for `to_s` seconds from now. Returns the certificate's serial number. */
static long rig_make(const char *name, const char *cn, const struct rig_authority *ca, long from_s, long to_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = rig_certificate(cn, key, ca, from_s, to_s);
    char file[RIG_PATH];
    FILE *f;

    snprintf(file, sizeof(file), "%s.crt", name);
    rig_write_cert(file, x);
    snprintf(file, sizeof(file), "%s.key", name);
    f = rig_open(file);
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(f), 0);
    X509_free(x);
    EVP_PKEY_free(key);
    return rig_serial - 1;
}

/* A list that revokes one certificate. */
static inline void rig_make_crl(const char *name, const struct rig_authority *ca, long serial)
{
    X509_CRL *crl = X509_CRL_new();
    X509_REVOKED *revoked = X509_REVOKED_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_TIME *when = X509_gmtime_adj(NULL, -60);
    FILE *f = rig_open(name);

    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert));
    X509_CRL_set1_lastUpdate(crl, when);
    ASN1_INTEGER_set(number, serial);
    X509_REVOKED_set_serialNumber(revoked, number);
    X509_REVOKED_set_revocationDate(revoked, when);
    X509_CRL_add0_revoked(crl, revoked);
    X509_gmtime_adj(when, 3600);
    X509_CRL_set1_nextUpdate(crl, when);
    assert_true(X509_CRL_sign(crl, ca->key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_X509_CRL(f, crl), 1);
    assert_int_equal(fclose(f), 0);
    ASN1_TIME_free(when);
    ASN1_INTEGER_free(number);
    X509_CRL_free(crl);
}

#endif
