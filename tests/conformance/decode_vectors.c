/*
 * decode-vectors - holds the packet codec against packets of other projects' tests.
 *
 * Reads JSON lines of the form
 *   {"name": "...", "ver": 4|5|null, "hex": "1012...", "valid": true|false|null}
 * with each key at most once and no escapes in "hex". Without a version it is read as
 * MQTT 3.1.1 (a CONNECT brings its own). A packet that either side may send counts as
 * accepted when it is from one of them. Accepted means: decoded whole, topics and filters follow the
 * grammar, and what is encoded from it decodes again. Prints each disagreement; those
 * that argued.h explains are no failures.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqtt/packet.h"
#include "mqtt/topic.h"
#include "tests/conformance/argued.h"

enum { MAX_LINE = 1 << 20 };

struct vector {
    char name[160];
    uint8_t *bytes;
    size_t len;
    enum mqtt_version version;
    bool valid;
    bool undecided; /* the source does not say whether it is valid */
};

struct score {
    unsigned agreed;
    unsigned argued; /* disagreements with a reason */
    unsigned failed;
};

/* The text after "key": or NULL. */
static const char *value_of(const char *line, const char *key)
{
    char quoted[32];
    const char *at;

    snprintf(quoted, sizeof(quoted), "\"%s\":", key);
    at = strstr(line, quoted);
    if (!at)
        return NULL;
    at += strlen(quoted);
    return at + strspn(at, " ");
}

static unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* False when the line is no vector; else the caller frees bytes. */
static bool read_vector(const char *line, struct vector *ret)
{
    const char *name = value_of(line, "name");
    const char *hex = value_of(line, "hex");
    const char *version = value_of(line, "ver");
    const char *valid = value_of(line, "valid");
    size_t digits;

    if (!hex || *hex != '"')
        return false;
    hex++;
    digits = strspn(hex, "0123456789abcdef");
    if (hex[digits] != '"')
        return false;
    snprintf(ret->name, sizeof(ret->name), "%.*s", name ? (int)strcspn(name + 1, "\"") : 0, name ? name + 1 : "");
    ret->version = version && *version == '5' ? MQTT_V5 : version && *version == '3' ? MQTT_V31 : MQTT_V311;
    ret->valid = valid && strncmp(valid, "true", 4) == 0;
    ret->undecided = !valid || strncmp(valid, "null", 4) == 0;
    ret->len = digits / 2;
    ret->bytes = malloc(ret->len + 1); /* exactly the packet for a sanitizer to watch, but never NULL */
    if (!ret->bytes)
        return false;
    for (size_t i = 0; i < ret->len; i++)
        ret->bytes[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    return true;
}

static bool filters_valid(const struct mqtt_packet *p)
{
    struct reader walk = reader_of(p->subscribe.filters.data, p->subscribe.filters.len);
    struct mqtt_filter f;
    struct str name;
    struct str rest;

    while (mqtt_next_filter(&walk, p->type, &f)) {
        if (!topic_filter_valid(f.filter))
            return false;
        if (f.no_local && topic_filter_shared(f.filter, &name, &rest)) /* [MQTT-3.8.3-4] */
            return false;
    }
    return true;
}

static bool grammar_valid(const struct mqtt_packet *p)
{
    if (p->type == MQTT_PUBLISH)
        return p->publish.topic.len == 0 || topic_name_valid(p->publish.topic);
    if (p->type == MQTT_CONNECT)
        return !p->connect.has_will || topic_name_valid(p->connect.will.topic);
    if (p->type == MQTT_SUBSCRIBE || p->type == MQTT_UNSUBSCRIBE)
        return filters_valid(p);
    return true;
}

static bool encodes_again(const struct mqtt_packet *p, enum mqtt_version version, enum mqtt_sender sender)
{
    struct buf out = {0};
    struct mqtt_packet again;
    bool same = mqtt_encode(&out, version, p) == 0 &&
                mqtt_decode(buf_data(&out), buf_len(&out), version, sender, &again) == (int)buf_len(&out) &&
                again.type == p->type && again.props.present == p->props.present;

    buf_fini(&out);
    return same;
}

/* NULL when accepted, else why not. */
static const char *refusal(const struct vector *v, enum mqtt_sender sender)
{
    struct mqtt_packet p;
    int r = mqtt_decode(v->bytes, v->len, v->version, sender, &p);

    if (r == 0)
        return "waits for more";
    if (r < 0)
        return mqtt_reason_name(mqtt_reason_of_error(r));
    if ((size_t)r < v->len)
        return "bytes left over";
    if (!grammar_valid(&p))
        return "topic grammar";
    return encodes_again(&p, v->version, sender) ? NULL : "does not encode again";
}

/* The same from either side; of two refusals the one that is not about the direction. */
static const char *best_refusal(const struct vector *v)
{
    const char *from_client = refusal(v, MQTT_FROM_CLIENT);
    const char *from_server = refusal(v, MQTT_FROM_SERVER);

    if (!from_client || !from_server)
        return NULL;
    return strcmp(from_client, "protocol error") == 0 ? from_server : from_client;
}

/* NULL when nobody has argued. A vector's name ends before the first colon. */
static const char *argument_for(const struct vector *v)
{
    for (size_t i = 0; i < ARRAY_LEN(argued); i++)
        if (strlen(argued[i].name) == strcspn(v->name, ":") &&
            strncmp(argued[i].name, v->name, strlen(argued[i].name)) == 0)
            return argued[i].why;
    return NULL;
}

static void judge(const struct vector *v, bool tell_all, struct score *score)
{
    const char *why = best_refusal(v);
    bool agrees = v->undecided || v->valid == !why;
    const char *argument = agrees ? NULL : argument_for(v);

    *(agrees ? &score->agreed : argument ? &score->argued : &score->failed) += 1;
    if (agrees && !tell_all)
        return;

    printf("%s: %s (version %u, %s):", agrees ? "agrees" : "disagrees", v->name, (unsigned)v->version,
           v->undecided ? "undecided"
           : v->valid   ? "valid"
                        : "invalid");
    printf(" %s%s\n   ", why ? "refused: " : "accepted", why ? why : "");
    for (size_t i = 0; i < v->len && i < 64; i++)
        printf(" %02x", v->bytes[i]);
    printf("%s\n", v->len > 64 ? " ..." : "");
    if (argument)
        printf("    %s\n", argument);
}

static int judge_file(const char *path, bool tell_all, struct score *score)
{
    FILE *f = fopen(path, "r");
    char *line = malloc(MAX_LINE);
    struct vector v;

    if (!f || !line) {
        perror(path);
        free(line);
        if (f)
            fclose(f);
        return -1;
    }
    while (fgets(line, MAX_LINE, f)) {
        if (!read_vector(line, &v))
            continue;
        judge(&v, tell_all, score);
        free(v.bytes);
    }
    free(line);
    fclose(f);
    return 0;
}

int main(int argc, char **argv)
{
    bool tell_all = argc > 1 && strcmp(argv[1], "-v") == 0;
    struct score score = {0};

    if (argc < 2 + tell_all) {
        fprintf(stderr, "usage: decode-vectors [-v] FILE.jsonl...\n");
        return 2;
    }
    for (int i = 1 + tell_all; i < argc; i++)
        if (judge_file(argv[i], tell_all, &score) < 0)
            return 2;
    printf("%u agree, %u argued\n", score.agreed, score.argued);
    printf("%u passed, %u failed\n", score.agreed + score.argued, score.failed);
    return score.failed > 0;
}
