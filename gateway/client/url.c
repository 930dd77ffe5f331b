/* url - see url.h. */
#include "client/url.h"

#include <errno.h>

static const struct {
    const char *name;
    bool tls;
    bool websocket;
    uint16_t port;
} schemes[] = {
    {"mqtt", false, false, 1883},
    {"mqtts", true, false, 8883},
    {"ws", false, true, 80},
    {"wss", true, true, 443},
};

static struct str from(struct str s, size_t at)
{
    return (struct str){.data = s.data + at, .len = s.len - at};
}

/* What stands before the first of `stops`; the rest stays in `s`. */
static struct str cut(struct str *s, const char *stops)
{
    size_t n = 0;
    struct str part;

    while (n < s->len && !strchr(stops, s->data[n]))
        n++;
    part = (struct str){.data = s->data, .len = n};
    *s = from(*s, n);
    return part;
}

static bool take_scheme(struct str *text, struct client_url *url)
{
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t len = strlen(schemes[i].name);

        if (!str_starts_with(*text, str_of(schemes[i].name)) || !str_starts_with(from(*text, len), str_of("://")))
            continue;
        *text = from(*text, len + 3);
        url->tls = schemes[i].tls;
        url->websocket = schemes[i].websocket;
        url->port = schemes[i].port;
        return true;
    }
    return false;
}

/* "user", "user:password"; the last @ ends it. */
static void take_user(struct str *authority, struct client_url *url)
{
    const char *at = memrchr(authority->data, '@', authority->len);
    struct str who;

    if (!at)
        return;
    who = (struct str){.data = authority->data, .len = (size_t)(at - authority->data)};
    *authority = from(*authority, who.len + 1);
    url->user = cut(&who, ":");
    url->has_user = url->user.len > 0;
    url->has_password = who.len > 0;
    url->password = who.len > 0 ? from(who, 1) : str_of("");
}

static bool take_port(struct str text, struct client_url *url)
{
    uint32_t port = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || i >= 5)
            return false;
        port = port * 10 + (uint32_t)(text.data[i] - '0');
    }
    url->port = (uint16_t)port;
    return port >= 1 && port <= UINT16_MAX;
}

static const char *take_host(struct str authority, struct client_url *url)
{
    if (authority.len > 0 && authority.data[0] == '[') {
        authority = from(authority, 1);
        url->host = cut(&authority, "]");
        if (authority.len == 0)
            return "a URL with a bracket at the end of its IPv6 address";
        authority = from(authority, 1);
    } else {
        url->host = cut(&authority, ":");
    }
    if (url->host.len == 0)
        return "a URL with a host name or address: mqtt://host:port";
    if (authority.len == 0)
        return NULL;
    return authority.data[0] == ':' && take_port(from(authority, 1), url) ? NULL : "a URL with a port from 1 to 65535";
}

/* A path goes into a request line as it is: no blanks, no control characters. */
static bool path_allowed(struct str path)
{
    for (size_t i = 0; i < path.len; i++)
        if ((unsigned char)path.data[i] <= ' ' || (unsigned char)path.data[i] >= 0x7f || path.data[i] == '#')
            return false;
    return true;
}

const char *client_url_parse(struct str text, struct client_url *ret_url)
{
    struct client_url url = {.path = str_of("")};
    struct str authority;
    const char *problem;

    if (!take_scheme(&text, &url))
        return "a URL that begins with mqtt://, mqtts://, ws:// or wss://";
    authority = cut(&text, "/?");
    take_user(&authority, &url);
    problem = take_host(authority, &url);
    if (problem)
        return problem;
    if (!url.websocket && text.len > 0)
        return "a URL without a path: mqtt://host:port";
    if (!path_allowed(text) || (text.len > 0 && text.data[0] != '/'))
        return "a URL with a path such as /mqtt";
    if (url.websocket)
        url.path = text.len > 0 ? text : str_of("/mqtt");
    *ret_url = url;
    return NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int client_url_unescape(struct str escaped, char *to)
{
    for (size_t i = 0; i < escaped.len; i++) {
        int c = (unsigned char)escaped.data[i];

        if (c == '%') {
            int high = i + 2 < escaped.len ? hex_digit(escaped.data[i + 1]) : -1;
            int low = i + 2 < escaped.len ? hex_digit(escaped.data[i + 2]) : -1;

            if (high < 0 || low < 0)
                return -EINVAL;
            c = high * 16 + low;
            i += 2;
        }
        if (c == 0)
            return -EINVAL;
        *to++ = (char)c;
    }
    *to = '\0';
    return 0;
}
