/*
 * http - answers HTTP requests: the page's files, the metrics, and whether a WebSocket may
 * be opened. Every answer carries the same security headers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/str.h"
#include "web/hosts.h"
#include "web/page.h"
#include "web/web_private.h"

enum {
    HEADERS_BYTES = 2048,
    VALUE_BYTES = 256, /* longest Host or Origin that is looked at */
    KEY_LEN = 24,      /* of Sec-WebSocket-Key: 16 bytes in base64 */
};

#define MQTT_PATH    "/mqtt"
#define METRICS_PATH "/metrics"

struct reply {
    unsigned status;
    const struct page_file *file; /* NULL: the text, or without one the status in words */
    struct buf text;              /* freed once it is sent */
    const char *text_type;
    const char *words;
    const char *name; /* of one more header, with its colon, or NULL */
    const char *value;
    bool without_body; /* HEAD, 304 */
    bool close;        /* the request may have a body that nobody reads */
};

static const struct {
    const char *name;
    const char *value;
} always[] = {
    {"content-security-policy:",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"x-content-type-options:", "nosniff"},
    {"referrer-policy:", "no-referrer"},
    {"cross-origin-resource-policy:", "same-origin"},
    {"cache-control:", "no-cache"},
};

/* Where the headers of an answer go; lws's functions return non-zero when there is no room. */
struct head {
    struct lws *wsi;
    unsigned char *at;
    unsigned char *end;
    int failed;
};

static void add(struct head *h, const char *name, const char *value)
{
    h->failed |= lws_add_http_header_by_name(h->wsi, (const unsigned char *)name, (const unsigned char *)value,
                                             (int)strlen(value), &h->at, h->end);
}

static const char *content_type(const struct reply *r)
{
    if (r->file)
        return r->file->type;
    return r->text_type ? r->text_type : "text/plain; charset=utf-8";
}

static void add_head(struct head *h, const struct reply *r, size_t len)
{
    char digits[24];

    h->failed |= lws_add_http_header_status(h->wsi, r->status, &h->at, h->end);
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        add(h, always[i].name, always[i].value);
    if (r->file)
        add(h, "etag:", r->file->etag);
    if (r->name)
        add(h, r->name, r->value);
    if (r->close)
        add(h, "connection:", "close");
    if (r->status != HTTP_STATUS_NOT_MODIFIED) {
        snprintf(digits, sizeof(digits), "%zu", len);
        add(h, "content-type:", content_type(r));
        add(h, "content-length:", digits);
    }
    h->failed |= lws_finalize_http_header(h->wsi, &h->at, h->end);
}

/* What follows the headers; the status in words is put into `words`. */
static struct str body_of(const struct reply *r, char *words, size_t size)
{
    if (r->file)
        return (struct str){.data = (const char *)r->file->data, .len = r->file->len};
    if (r->text_type)
        return buf_str(&r->text);
    snprintf(words, size, "%u %s\n", r->status, r->words);
    return str_of(words);
}

/* One write for all of it: lws keeps what the socket does not take. 0, or -1 to hang up. */
static int write_reply(struct lws *wsi, const struct reply *r, struct str body, unsigned char *start)
{
    struct head h = {.wsi = wsi, .at = start, .end = start + HEADERS_BYTES};
    size_t len;

    add_head(&h, r, body.len);
    if (h.failed)
        return -1;
    if (!r->without_body) {
        memcpy(h.at, body.data, body.len);
        h.at += body.len;
    }
    len = (size_t)(h.at - start);
    return lws_write(wsi, start, len, LWS_WRITE_HTTP) == (int)len ? 0 : -1;
}

static int send_reply(struct lws *wsi, const struct reply *r)
{
    unsigned char *output = web_of(wsi)->output;
    char words[128];
    struct str body = body_of(r, words, sizeof(words));
    unsigned char *larger = NULL;
    int result;

    if (body.len > WEB_WRITE_BYTES - HEADERS_BYTES)
        output = larger = malloc(LWS_PRE + HEADERS_BYTES + body.len);
    result = output && !buf_failed(&r->text) ? write_reply(wsi, r, body, output + LWS_PRE) : -1;
    free(larger);
    return result;
}

static int finish(struct lws *wsi, struct reply *r)
{
    int sent = send_reply(wsi, r);

    buf_fini(&r->text);
    if (sent < 0 || r->close)
        return -1;
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

/* The header's value as text in `buf`; empty when it is absent. False when it is too long to be looked at. */
static bool header(struct lws *wsi, enum lws_token_indexes token, char *buf, size_t size, struct str *ret)
{
    int len = lws_hdr_total_length(wsi, token);

    *ret = str_of("");
    if (len == 0)
        return true;
    len = lws_hdr_copy(wsi, buf, (int)size, token);
    if (len < 0)
        return false;
    *ret = (struct str){.data = buf, .len = (size_t)len};
    return true;
}

static const struct web_port *port_of(struct lws *wsi)
{
    return visitor_of(wsi)->port;
}

/* Whether the request is refused for the name it was sent to. */
static bool refuse_host(struct lws *wsi, struct reply *r)
{
    char buf[VALUE_BYTES];
    struct str host;

    if (lws_hdr_total_length(wsi, WSI_TOKEN_HOST) == 0) {
        r->status = HTTP_STATUS_BAD_REQUEST;
        r->words = "Bad Request: no Host";
        return true;
    }
    if (header(wsi, WSI_TOKEN_HOST, buf, sizeof(buf), &host) && web_host_allowed(&port_of(wsi)->hosts, host))
        return false;
    r->status = 421;
    r->words = "Misdirected Request: this name is not among allowed_hosts";
    return true;
}

static const struct page_file *find_file(struct str path)
{
    for (size_t i = 0; i < page_file_count; i++)
        if (str_equal(path, str_of(page_files[i].path)))
            return &page_files[i];
    return NULL;
}

/* If-None-Match is a list of tags, or "*"; tags hold no commas of their own here. */
static bool has_it(struct lws *wsi, const struct page_file *file)
{
    char buf[VALUE_BYTES];
    struct str tags;

    if (!header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, buf, sizeof(buf) - 1, &tags))
        return false;
    buf[tags.len] = '\0';
    return tags.len && (strcmp(buf, "*") == 0 || strstr(buf, file->etag));
}

static struct reply answer(struct lws *wsi, int method, struct str path)
{
    const struct web *w = web_of(wsi);
    struct reply r = {.status = HTTP_STATUS_OK, .without_body = method == LWSHUMETH_HEAD};

    if (method != LWSHUMETH_GET && method != LWSHUMETH_HEAD)
        return (struct reply){.status = HTTP_STATUS_METHOD_NOT_ALLOWED,
                              .words = "Method Not Allowed",
                              .name = "allow:",
                              .value = "GET, HEAD",
                              .close = true};
    if (refuse_host(wsi, &r))
        return r;
    if (str_equal(path, str_of(MQTT_PATH)))
        return (struct reply){.status = 426,
                              .words = "Upgrade Required: this is for MQTT over WebSocket",
                              .name = "upgrade:",
                              .value = "websocket"};
    if (port_of(wsi)->has_page && str_equal(path, str_of(METRICS_PATH))) {
        w->metrics(w->metrics_arg, &r.text);
        r.text_type = "text/plain; version=0.0.4; charset=utf-8";
        return r;
    }
    r.file = port_of(wsi)->has_page ? find_file(path) : NULL;
    if (!r.file) {
        r.status = HTTP_STATUS_NOT_FOUND;
        r.words = "Not Found";
    } else if (has_it(wsi, r.file)) {
        r.status = HTTP_STATUS_NOT_MODIFIED;
        r.without_body = true;
    }
    return r;
}

static int on_request(struct lws *wsi)
{
    struct reply r;
    char *path;
    int len;
    int method = lws_http_get_uri_and_method(wsi, &path, &len);

    if (method < 0)
        return -1;
    r = answer(wsi, method, (struct str){.data = path, .len = (size_t)len});
    return finish(wsi, &r);
}

/* Whether the header, a list of words, has this one. */
static bool lists(struct lws *wsi, enum lws_token_indexes token, const char *wanted)
{
    char buf[VALUE_BYTES];
    struct str list;
    char *rest;

    if (!header(wsi, token, buf, sizeof(buf) - 1, &list))
        return false;
    buf[list.len] = '\0';
    for (char *word = strtok_r(buf, ", \t", &rest); word; word = strtok_r(NULL, ", \t", &rest))
        if (strcasecmp(word, wanted) == 0)
            return true;
    return false;
}

static bool may_come_from(struct lws *wsi)
{
    char origin_buf[VALUE_BYTES];
    char host_buf[VALUE_BYTES];
    struct str origin;
    struct str host;

    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) == 0)
        return true; /* not a browser */
    return header(wsi, WSI_TOKEN_ORIGIN, origin_buf, sizeof(origin_buf), &origin) &&
           header(wsi, WSI_TOKEN_HOST, host_buf, sizeof(host_buf), &host) &&
           web_origin_allowed(&port_of(wsi)->hosts, origin, host);
}

/* A browser always says where the page is from that opens a WebSocket; who is none may call the broker as he likes. The
 * page's own port is stricter. */
static bool names_matter(struct lws *wsi)
{
    return port_of(wsi)->has_page || lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0;
}

/* Whether the WebSocket is refused, and how. */
static bool refuse_upgrade(struct lws *wsi, int method, struct str path, struct reply *r)
{
    char version_buf[8];
    struct str version;

    *r = (struct reply){.close = true};
    if (names_matter(wsi) && refuse_host(wsi, r))
        return true;
    if (!str_equal(path, str_of(MQTT_PATH)) || method != LWSHUMETH_GET) {
        r->status = HTTP_STATUS_NOT_FOUND;
        r->words = "Not Found: the WebSocket is at " MQTT_PATH;
    } else if (!may_come_from(wsi)) {
        r->status = HTTP_STATUS_FORBIDDEN;
        r->words = "Forbidden: a page from elsewhere";
    } else if (!header(wsi, WSI_TOKEN_VERSION, version_buf, sizeof(version_buf), &version) ||
               !str_equal(version, str_of("13"))) {
        r->status = 426;
        r->words = "Upgrade Required: WebSocket version 13";
        r->name = "sec-websocket-version:";
        r->value = "13";
    } else if (lws_hdr_total_length(wsi, WSI_TOKEN_KEY) != KEY_LEN || !lists(wsi, WSI_TOKEN_CONNECTION, "upgrade")) {
        r->status = HTTP_STATUS_BAD_REQUEST;
        r->words = "Bad Request: Connection or Sec-WebSocket-Key";
    } else if (!lists(wsi, WSI_TOKEN_PROTOCOL, "mqtt")) {
        r->status = HTTP_STATUS_BAD_REQUEST;
        r->words = "Bad Request: the subprotocol must be mqtt";
    }
    return r->status != 0;
}

/* 0: lws goes on with the upgrade. 1: answered. -1: hang up. */
static int on_upgrade(struct lws *wsi, const char *to)
{
    struct reply r;
    char *path;
    int len;
    int method = lws_http_get_uri_and_method(wsi, &path, &len);

    if (method < 0)
        return -1;
    /* Other upgrades, such as h2c, are only offers: answer as if there was none. */
    if (strcasecmp(to, "websocket") != 0) {
        r = answer(wsi, method, (struct str){.data = path, .len = (size_t)len});
        r.close = true;
    } else if (!refuse_upgrade(wsi, method, (struct str){.data = path, .len = (size_t)len}, &r)) {
        return 0;
    }
    len = send_reply(wsi, &r);
    buf_fini(&r.text);
    return len < 0 ? -1 : 1;
}

int web_on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)len;
    switch ((int)reason) { /* a few of about a hundred */
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
        web_port_take_ssl(in, user);
        return 0;
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        web_visitor_came(wsi);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        web_visitor_gone(wsi);
        return 0;
    case LWS_CALLBACK_HTTP:
        return on_request(wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return on_upgrade(wsi, in);
    case LWS_CALLBACK_RAW_ADOPT: /* lws takes CONNECT for the start of something that is not HTTP */
    case LWS_CALLBACK_RAW_RX:
        return -1;
    default:
        return 0;
    }
}
