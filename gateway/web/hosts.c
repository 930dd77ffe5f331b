/* hosts - see hosts.h. */
#include "web/hosts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

static bool equal_ignoring_case(struct str a, struct str b)
{
    return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

static bool all_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    return true;
}

/* The name of "name", "name:port", "[v6]" or "[v6]:port", without brackets; empty when it is none of these. */
static struct str name_of(struct str host)
{
    const struct str none = {.data = "", .len = 0};
    struct str name = host;
    struct str rest = none;
    const char *end;

    if (host.len > 0 && host.data[0] == '[') {
        end = memchr(host.data, ']', host.len);
        if (!end)
            return none;
        name = (struct str){.data = host.data + 1, .len = (size_t)(end - host.data) - 1};
        rest = (struct str){.data = end + 1, .len = host.len - name.len - 2};
        if (!memchr(name.data, ':', name.len))
            return none;
    } else {
        end = memchr(host.data, ':', host.len);
        if (end) {
            name.len = (size_t)(end - host.data);
            rest = (struct str){.data = end, .len = host.len - name.len};
        }
    }
    if (rest.len > 0 && (rest.data[0] != ':' || !all_digits((struct str){rest.data + 1, rest.len - 1})))
        return none;
    return name;
}

static bool is_address(struct str name)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (name.len >= sizeof(text))
        return false;
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_configured(const struct web_hosts *allowed, struct str name)
{
    for (size_t i = 0; i < allowed->count; i++)
        if (equal_ignoring_case(name, str_of(allowed->names[i])))
            return true;
    return false;
}

bool web_host_allowed(const struct web_hosts *allowed, struct str host)
{
    struct str name = name_of(host);

    if (name.len == 0)
        return false;
    /* No name was looked up for a plain address, so nobody can have rebound it. */
    return is_address(name) || equal_ignoring_case(name, str_of("localhost")) || is_configured(allowed, name);
}

bool web_origin_allowed(const struct web_hosts *allowed, struct str origin, struct str host)
{
    const struct str schemes[] = {str_of("http://"), str_of("https://")};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        struct str authority = origin;

        if (!str_starts_with(origin, schemes[i]))
            continue;
        authority.data += schemes[i].len;
        authority.len -= schemes[i].len;
        return authority.len > 0 &&
               (equal_ignoring_case(authority, host) || is_configured(allowed, name_of(authority)));
    }
    return false;
}
