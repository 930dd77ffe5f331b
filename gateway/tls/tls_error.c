/* tls_error - see tls_error.h. */
#include "tls/tls_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

#include "core/str.h"

/* Where OpenSSL's own words leave one guessing. */
static const struct {
    int reason;
    const char *text;
} clearer[] = {
    {SSL_R_WRONG_VERSION_NUMBER, "wrong version number: not TLS?"},
    {SSL_R_HTTP_REQUEST, "an HTTP request: not TLS"},
    {SSL_R_HTTPS_PROXY_REQUEST, "a proxy request: not TLS"},
    {SSL_R_PACKET_LENGTH_TOO_LONG, "packet length too long: not TLS?"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "no version of TLS that both allow"},
    {SSL_R_VERSION_TOO_LOW, "no version of TLS that both allow"},
    {SSL_R_NO_SHARED_CIPHER, "no cipher that both allow"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the peer has shown no certificate"},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, "closed by the peer"},
};

static const char *clearer_text(unsigned long error)
{
    if (ERR_GET_LIB(error) != ERR_LIB_SSL)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(clearer); i++)
        if (clearer[i].reason == ERR_GET_REASON(error))
            return clearer[i].text;
    return NULL;
}

static bool is_alert(unsigned long error)
{
    int reason = ERR_GET_REASON(error);

    return ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256;
}

void tls_error_take(char text[TLS_ERROR_TEXT])
{
    unsigned long error = ERR_get_error();
    const char *reason = clearer_text(error);

    if (!reason && error && !is_alert(error))
        reason = ERR_reason_error_string(error);
    if (ERR_SYSTEM_ERROR(error))
        snprintf(text, TLS_ERROR_TEXT, "%s", strerror(ERR_GET_REASON(error)));
    else if (is_alert(error))
        snprintf(text, TLS_ERROR_TEXT, "refused by the peer: %s",
                 SSL_alert_desc_string_long(ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET));
    else
        snprintf(text, TLS_ERROR_TEXT, "%s", reason ? reason : "unknown error");
    ERR_clear_error();
}

const char *tls_error_of_verify(int result)
{
    switch (result) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "unknown CA";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "unknown CA (self-signed certificate)";
    case X509_V_ERR_UNABLE_TO_GET_CRL:
        return "no revocation list of its CA";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "the certificate is for another host";
    default:
        return X509_verify_cert_error_string(result);
    }
}
