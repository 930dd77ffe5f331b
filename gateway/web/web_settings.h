/*
 * web_settings - the HTTP port: MQTT over WebSocket and the page. Owned by the
 * configuration's arena.
 */
#ifndef WP_WEB_SETTINGS_H
#define WP_WEB_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/tls_settings.h"

struct web_settings {
    bool enabled; /* false: no HTTP port at all */
    const char *bind;
    uint16_t port;
    const struct tls_server_settings *tls; /* NULL: without TLS */
    const char *const *allowed_hosts;      /* names besides localhost and plain addresses */
    size_t allowed_host_count;
};

#endif
