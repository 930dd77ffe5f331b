/* cli_mqtt_options - see cli_mqtt_options.h. This file: where the broker is, and who we are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli/cli_mqtt_options.h"
#include "client/url.h"
#include "core/arena.h"
#include "mqtt/packet.h"
#include "mqtt/topic.h"

enum {
    PORT_PLAIN = 1883,
    PORT_TLS = 8883,
    PASSWORD_MAX = 65535,
    QOS2_INFLIGHT_V311 = 20,
    SESSION_EXPIRY_S = 300, /* outlasts a restart of the broker; ended by a clean exit */
    QUEUE_BYTES = 256 * 1024 * 1024,
};

static const char *keep(struct mqtt_options *o, struct str text)
{
    return arena_strdup(o->arena, text);
}

static int take_escaped(struct mqtt_options *o, struct str escaped, const char **ret_text)
{
    char *text = arena_alloc(o->arena, escaped.len + 1);

    if (!text)
        return -ENOMEM;
    if (client_url_unescape(escaped, text) < 0)
        return mqtt_usage_error(o, "the user and password of the URL have a wrong %%-escape");
    *ret_text = text;
    return 0;
}

static int take_url(struct mqtt_options *o, const char *text)
{
    struct client_settings *s = &o->client;
    struct client_url url;
    const char *problem = client_url_parse(str_of(text), &url);
    int r = 0;

    if (problem) /* not shown: there may be a password in it */
        return mqtt_usage_error(o, "the URL has to be %s", problem);
    s->host = keep(o, url.host);
    s->port = url.port;
    s->encrypted = url.tls;
    s->ws_path = url.websocket ? keep(o, url.path) : NULL;
    if (url.has_user && !o->username)
        r = take_escaped(o, url.user, &o->username);
    if (r == 0 && url.has_password && !o->password && !o->password_file)
        r = take_escaped(o, url.password, &o->password);
    return r < 0 || (s->host && (!url.websocket || s->ws_path)) ? r : -ENOMEM;
}

/* -L; or -h, which may be a URL as well. */
static int take_place(struct mqtt_options *o)
{
    const char *url = o->url ? o->url : o->host && strstr(o->host, "://") ? o->host : NULL;
    struct client_settings *s = &o->client;
    bool tls = o->tls || o->cafile || o->capath || o->cert || o->key || o->insecure || o->tls_version || o->alpn;
    int r;

    if (o->url && o->host)
        return mqtt_usage_error(o, "--url says where the broker is: not with --host");
    if (!url) {
        s->host = o->host ? o->host : "localhost";
        s->encrypted = tls;
        s->port = (uint16_t)(o->port ? o->port : tls ? PORT_TLS : PORT_PLAIN);
        return 0;
    }
    r = take_url(o, url);
    if (r < 0)
        return r;
    if (tls && !s->encrypted)
        return mqtt_usage_error(o, "TLS needs a URL that begins with mqtts:// or wss://");
    if (o->port)
        s->port = (uint16_t)o->port;
    return 0;
}

static int take_tls(struct mqtt_options *o)
{
    struct tls_client_settings *tls = &o->client.tls;

    if (o->cafile && o->capath)
        return mqtt_usage_error(o, "one of --cafile and --capath");
    if (o->key && !o->cert)
        return mqtt_usage_error(o, "--key needs the --cert that it belongs to");
    if (o->tls_version && strcmp(o->tls_version, "1.2") != 0 && strcmp(o->tls_version, "1.3") != 0)
        return mqtt_usage_error(o, "--tls-version has to be 1.2 or 1.3, not '%s'", o->tls_version);
    *tls = (struct tls_client_settings){
        .ca = o->cafile ? o->cafile : o->capath,
        .cert = o->cert,
        .key = o->key,
        .alpn = o->alpn,
        .verify_hostname = true,
        .insecure = o->insecure,
        .min_version = o->tls_version && strcmp(o->tls_version, "1.3") == 0 ? TLS_VERSION_1_3 : TLS_VERSION_1_2,
    };
    return 0;
}

static int take_version(struct mqtt_options *o)
{
    const char *version = o->version ? o->version : "5";

    if (strcmp(version, "5") == 0)
        o->client.version = MQTT_V5;
    else if (strcmp(version, "311") == 0 || strcmp(version, "3.1.1") == 0)
        o->client.version = MQTT_V311;
    else
        return mqtt_usage_error(o, "the MQTT version has to be 5 or 311, not '%s'", version);
    return 0;
}

static int read_password(struct mqtt_options *o)
{
    static char text[PASSWORD_MAX + 2];
    FILE *f = fopen(o->password_file, "re");
    size_t len;

    if (!f || (len = fread(text, 1, sizeof(text), f), ferror(f))) {
        fprintf(stderr, "wirepost %s: cannot read the password from %s: %s\n", o->name, o->password_file,
                strerror(errno));
        if (f)
            fclose(f);
        return -EIO;
    }
    fclose(f);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (len > PASSWORD_MAX || memchr(text, '\0', len))
        return mqtt_usage_error(o, "%s does not look like a password", o->password_file);
    o->password = keep(o, (struct str){.data = text, .len = len});
    return o->password ? 0 : -ENOMEM;
}

static int take_user(struct mqtt_options *o)
{
    int r = 0;

    if (o->password && o->password_file)
        return mqtt_usage_error(o, "one of --password and --password-file");
    if (o->password_file)
        r = read_password(o);
    if (r < 0)
        return r;
    if (o->password && !o->username && o->client.version != MQTT_V5)
        return mqtt_usage_error(o, "MQTT 3.1.1 has no password without a user name");
    o->client.username = o->username;
    o->client.password = o->password;
    return 0;
}

static int take_will(struct mqtt_options *o)
{
    if (o->will_topic && !topic_name_valid(str_of(o->will_topic)))
        return mqtt_usage_error(o, "'%s' is no topic for a will", o->will_topic);
    if (!o->will_topic && (o->will_payload || o->will_qos || o->will_retain || o->will_delay))
        return mqtt_usage_error(o, "a will needs --will-topic");
    o->client.will.topic = o->will_topic;
    o->client.will.payload = str_of(o->will_payload);
    o->client.will.qos = (uint8_t)o->will_qos;
    o->client.will.retain = o->will_retain;
    o->client.will.delay_s = (uint32_t)o->will_delay;
    return 0;
}

static const char *make_client_id(struct mqtt_options *o)
{
    uint32_t random = 0;
    char id[32];

    /* Without randomness the process number still tells two of them apart on one machine. */
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = 0;
    snprintf(id, sizeof(id), "wirepost-%06x%08x", (unsigned)getpid() & 0xffffff, random);
    return keep(o, str_of(id));
}

static int take_session(struct mqtt_options *o)
{
    struct client_settings *s = &o->client;

    if (o->keep_session && !o->id)
        return mqtt_usage_error(o, "a session to go on with has a client id: --keep-session needs --id");
    if (!o->keep_session && o->session_expiry != UINT64_MAX)
        return mqtt_usage_error(o, "--session-expiry is for a session that is left behind: --keep-session");
    s->client_id = o->id ? o->id : make_client_id(o);
    s->clean_start = !o->keep_session;
    s->session_expiry_s = o->keep_session ? UINT32_MAX : SESSION_EXPIRY_S;
    if (o->session_expiry != UINT64_MAX)
        s->session_expiry_s = (uint32_t)o->session_expiry;
    if (s->version != MQTT_V5)
        s->session_expiry_s = 0;
    return s->client_id ? 0 : -ENOMEM;
}

int mqtt_options_connect(struct mqtt_options *o)
{
    int (*const steps[])(struct mqtt_options *) = {take_version, take_place, take_tls,
                                                   take_user,    take_will,  take_session};
    struct client_settings *s = &o->client;
    int r = 0;

    *s = (struct client_settings){.inflight = 1000, .backoff_min_ms = 500, .backoff_max_ms = 30000};
    for (size_t i = 0; i < ARRAY_LEN(steps) && r == 0; i++)
        r = steps[i](o);
    s->keepalive_s = (uint16_t)o->keepalive;
    s->queue_messages = (uint32_t)o->queue;
    s->queue_bytes = QUEUE_BYTES;
    s->response_info = o->command == MQTT_RPC;
    /* MQTT 3.1.1 servers cannot say how much they take; Mosquitto 2.0 acknowledges QoS 2 beyond its 20, and drops it.
     */
    if (s->version != MQTT_V5 && o->qos == 2)
        s->inflight = QOS2_INFLIGHT_V311;
    return r;
}
