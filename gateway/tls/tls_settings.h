/*
 * tls_settings - what a configuration says of TLS. Plain data: whoever has
 * settings may include it. Paths are those of PEM files. Owned by whoever
 * filled it in; contexts keep nothing of it.
 */
#ifndef WP_TLS_SETTINGS_H
#define WP_TLS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tls_version { TLS_VERSION_1_2, TLS_VERSION_1_3 };

/* What of a client's certificate is its user name. */
enum tls_user_name { TLS_USER_NAME_NONE, TLS_USER_NAME_CN, TLS_USER_NAME_SUBJECT };

/* One name that clients may ask for, and the certificate shown to them. */
struct tls_identity {
    const char *name; /* "mqtt.plant.example"; "*.plant.example" stands for one label */
    const char *cert;
    const char *key;
};

/* A file as it was read. */
struct tls_file {
    char *path;
    uint64_t fingerprint; /* of its content */
    int64_t expires_ms; /* when the first certificate or list in it is no longer valid, since 1970; INT64_MAX: never */
};

struct tls_server_settings {
    const char *cert; /* the certificate, then those between it and the root */
    const char *key;
    const struct tls_identity *sni; /* shown instead to clients that ask for their names */
    size_t sni_count;
    const char *client_ca;        /* who may sign clients' certificates; NULL: they are not asked for one */
    const char *crl;              /* those revoked, of each CA in client_ca; NULL: none */
    const struct tls_file *files; /* these, as they were when the settings were checked */
    size_t file_count;
    bool require_client_cert;
    uint8_t min_version;   /* enum tls_version */
    uint8_t username_from; /* enum tls_user_name */
};

struct tls_client_settings {
    const char *ca;   /* file or directory; NULL: the system's */
    const char *cert; /* our own certificate; NULL: none */
    const char *key;
    const char *alpn; /* the one protocol offered; NULL: none */
    bool verify_hostname;
    bool insecure;       /* any certificate is taken, whoever signed it for whomever: for trying things out */
    uint8_t min_version; /* enum tls_version */
};

#endif
