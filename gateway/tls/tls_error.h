/*
 * tls_error - what OpenSSL reports, in words that say what to do. Private to tls/.
 */
#ifndef WP_TLS_ERROR_H
#define WP_TLS_ERROR_H

#include <stddef.h>

enum { TLS_ERROR_TEXT = 160 };

/* What the oldest error in this thread's queue says; empties the queue. */
void tls_error_take(char text[TLS_ERROR_TEXT]);

/* Why a certificate was not accepted; X509_V_ERR_*. */
const char *tls_error_of_verify(int result);

#endif
