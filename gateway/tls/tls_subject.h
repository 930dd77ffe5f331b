/*
 * tls_subject - the user name in a certificate. Private to tls/.
 */
#ifndef WP_TLS_SUBJECT_H
#define WP_TLS_SUBJECT_H

#include <openssl/x509.h>

#include "tls/tls_settings.h"

struct buf;

/* Appends the one common name, or the whole subject as RFC 2253 writes it: "CN=pump,O=plant". 0; -EBADMSG: there is
 * none, several, or one that MQTT or a terminal could not take. */
int tls_subject_user_name(const X509_NAME *subject, enum tls_user_name from, struct buf *out);

#endif
