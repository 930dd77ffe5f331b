/* cli_mqtt_options - see cli_mqtt_options.h. */
#include "cli/cli_mqtt_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "mqtt/packet.h"
#include "mqtt/topic.h"

enum row_kind { ROW_HEADING, ROW_FLAG, ROW_TEXT, ROW_NUMBER, ROW_CALL };

enum { PUBLISHES = MQTT_PUB | MQTT_RPC, RECEIVES = MQTT_SUB | MQTT_RPC, HELP_COLUMN = 30, LONG_BASE = 256 };

struct row {
    const char *name;
    const char *value; /* what stands for it in the help; NULL: none */
    const char *help;  /* "\n" goes on in the next line */
    size_t at;         /* in struct mqtt_options: bool, const char * or uint64_t */
    uint64_t min;
    uint64_t max;
    int (*take)(struct mqtt_options *o, const char *arg);
    uint8_t kind;     /* enum row_kind */
    uint8_t commands; /* enum mqtt_command */
    char letter;      /* 0: none */
};

static int add_topic(struct mqtt_options *o, const char *arg);
static int add_property(struct mqtt_options *o, const char *arg);

#define AT(field)                   .at = offsetof(struct mqtt_options, field)
#define HEADING(who, text)          .kind = ROW_HEADING, .commands = (who), .name = (text)
#define FLAG(who, option, text)     .kind = ROW_FLAG, .commands = (who), .name = (option), .help = (text)
#define TEXT(who, option, is, text) .kind = ROW_TEXT, .commands = (who), .name = (option), .value = (is), .help = (text)
#define NUMBER(who, option, is, low, high, text)                                                                       \
    .kind = ROW_NUMBER, .commands = (who), .name = (option), .value = (is), .min = (low), .max = (high), .help = (text)
#define CALL(who, option, is, fn, text)                                                                                \
    .kind = ROW_CALL, .commands = (who), .name = (option), .value = (is), .take = (fn), .help = (text)

/* -h is the host, as with other MQTT clients. */
static const struct row rows[] = {
    {HEADING(PUBLISHES, "Message")},
    {HEADING(MQTT_SUB, "Subscriptions")},
    {CALL(MQTT_PUB, "topic", "TOPIC", add_topic, "where to publish"), .letter = 't'},
    {CALL(MQTT_SUB, "topic", "FILTER", add_topic, "what to subscribe to; may be given several times"), .letter = 't'},
    {TEXT(MQTT_PUB, "message", "TEXT", "one message"), .letter = 'm', AT(text)},
    {TEXT(PUBLISHES, "file", "FILE", "the content of the file, byte by byte; -: of standard input"), .letter = 'f',
     AT(file)},
    {FLAG(MQTT_PUB, "lines", "one message per line of standard input"), .letter = 'l', AT(lines)},
    {FLAG(MQTT_PUB, "empty", "no content; with -r it removes the retained message"), .letter = 'n', AT(empty)},
    {NUMBER(MQTT_PUB | MQTT_SUB, "qos", "0|1|2", 0, 2, "quality of service (default 0)"), .letter = 'q', AT(qos)},
    {NUMBER(MQTT_RPC, "qos", "0|1|2", 0, 2, "quality of service (default 1)"), .letter = 'q', AT(qos)},
    {FLAG(MQTT_PUB, "retain", "the broker keeps the last message for later subscribers"), .letter = 'r', AT(retain)},
    {CALL(PUBLISHES, "property", "NAME=VALUE", add_property, "user property; may be given several times"),
     .letter = 'D'},
    {NUMBER(PUBLISHES, "expiry", "SECONDS", 1, UINT32_MAX, "who has not got the message by then does not get it"),
     .letter = 'e', AT(expiry)},
    {TEXT(PUBLISHES, "content-type", "TYPE", "what the message is: application/json"), AT(content_type)},
    {TEXT(MQTT_PUB, "response-topic", "TOPIC", "where answers are to go"), AT(response_topic)},
    {TEXT(MQTT_RPC, "response-topic", "TOPIC",
          "where the answer is to go (default: below what the broker\n"
          "offers, else response/ID; with MQTT 3.1.1 it has to be given)"),
     AT(response_topic)},
    {TEXT(MQTT_PUB, "correlation", "TEXT", "what answers are to repeat"), AT(correlation)},
    {FLAG(PUBLISHES, "utf8", "say that the message is text in UTF-8"), AT(is_text)},
    {FLAG(MQTT_SUB, "no-local", "not what this client itself has published"), AT(no_local)},
    {FLAG(MQTT_SUB, "retain-as-published", "messages published as retained are shown as such"),
     AT(retain_as_published)},
    {NUMBER(MQTT_SUB, "retain-handling", "0|1|2", 0, 2,
            "retained messages: 0 at each subscription (default),\n1 at a new one only, 2 never"),
     AT(retain_handling)},

    {HEADING(MQTT_ALL, "\nOutput")},
    {FLAG(MQTT_PUB, "verbose", "tell of each acknowledgement"), .letter = 'v', AT(verbose)},
    {FLAG(RECEIVES, "verbose", "the topic and a blank before each payload"), .letter = 'v', AT(verbose)},
    {FLAG(RECEIVES, "json", "a line of JSON for each message, with all its properties"), .letter = 'j', AT(json)},
    {FLAG(RECEIVES, "hex", "payloads as hexadecimal digits"), .letter = 'x', AT(hex)},
    {FLAG(RECEIVES, "no-newline", "no line feed after a payload"), .letter = 'N', AT(no_newline)},
    {NUMBER(MQTT_SUB, "count", "COUNT", 1, UINT64_MAX, "exit after so many messages"), .letter = 'C', AT(count)},
    {NUMBER(MQTT_RPC, "count", "COUNT", 1, UINT64_MAX, "so many answers are waited for (default 1)"), .letter = 'C',
     AT(count)},

    {HEADING(MQTT_ALL, "\nTime")},
    {NUMBER(MQTT_PUB, "wait", "SECONDS", 1, UINT32_MAX, "give up after so long (default: never); also --timeout"),
     .letter = 'W', AT(wait)},
    {NUMBER(MQTT_PUB, "timeout", NULL, 1, UINT32_MAX, NULL), AT(wait)},
    {NUMBER(MQTT_SUB, "wait", "SECONDS", 1, UINT32_MAX, "exit after so long; with -C and fewer messages: status 5"),
     .letter = 'W', AT(wait)},
    {NUMBER(MQTT_RPC, "wait", "SECONDS", 1, UINT32_MAX, "give up after so long (default 10)"), .letter = 'W', AT(wait)},
    {NUMBER(MQTT_ALL, "tries", "COUNT", 1, UINT32_MAX,
            "give up after so many attempts to connect in a row\n(default: never; it is tried again ever more slowly)"),
     AT(tries)},
    {NUMBER(MQTT_PUB, "queue", "COUNT", 1, 10000000,
            "with -l: go on reading while there is no connection, and\n"
            "keep so many messages; further ones are dropped and counted\n"
            "(default: the input waits)"),
     AT(queue)},

    {HEADING(MQTT_ALL, "\nBroker")},
    {TEXT(MQTT_ALL, "url", "URL", "mqtt://, mqtts://, ws:// or wss://[USER[:PASSWORD]@]HOST[:PORT][/PATH]"),
     .letter = 'L', AT(url)},
    {TEXT(MQTT_ALL, "host", "HOST", "its host instead (default localhost)"), .letter = 'h', AT(host)},
    {NUMBER(MQTT_ALL, "port", "PORT", 1, 65535, "its port (default 1883, with TLS 8883)"), .letter = 'p', AT(port)},
    {TEXT(MQTT_ALL, "username", "NAME", "user name"), .letter = 'u', AT(username)},
    {TEXT(MQTT_ALL, "password", "TEXT", "password; other users of this machine may see it in the\nprocess list"),
     .letter = 'P', AT(password)},
    {TEXT(MQTT_ALL, "password-file", "FILE", "password; the line feed at its end does not count"), AT(password_file)},
    {TEXT(MQTT_ALL, "id", "ID", "client id (default: made up)"), .letter = 'i', AT(id)},
    {TEXT(MQTT_ALL, "mqtt", "5|311", "protocol version (default 5)"), .letter = 'V', AT(version)},
    {NUMBER(MQTT_ALL, "keepalive", "SECONDS", 0, 65535,
            "longest silence before the connection is checked\n(default 60; 0: never)"),
     .letter = 'k', AT(keepalive)},
    {FLAG(MQTT_ALL, "keep-session", "go on with the session of this client id (-i), and leave it\nthere at the end"),
     .letter = 'c', AT(keep_session)},
    {NUMBER(MQTT_ALL, "session-expiry", "SECONDS", 0, UINT32_MAX,
            "how long the broker keeps it (default with -c: for ever)"),
     AT(session_expiry)},
    {TEXT(MQTT_ALL, "will-topic", "TOPIC", "where the broker publishes if this program vanishes"), AT(will_topic)},
    {TEXT(MQTT_ALL, "will-payload", "TEXT", "what"), AT(will_payload)},
    {NUMBER(MQTT_ALL, "will-qos", "0|1|2", 0, 2, "with which QoS"), AT(will_qos)},
    {FLAG(MQTT_ALL, "will-retain", "as retained"), AT(will_retain)},
    {NUMBER(MQTT_ALL, "will-delay", "SECONDS", 0, UINT32_MAX, "how long after that (MQTT 5)"), AT(will_delay)},

    {HEADING(MQTT_ALL, "\nTLS (any of these asks for it, and so do mqtts:// and wss://)")},
    {FLAG(MQTT_ALL, "tls", "with the system's certificate authorities"), AT(tls)},
    {TEXT(MQTT_ALL, "cafile", "FILE", "who may have signed the broker's certificate (PEM)"), AT(cafile)},
    {TEXT(MQTT_ALL, "capath", "FOLDER", "the same, a file each"), AT(capath)},
    {TEXT(MQTT_ALL, "cert", "FILE", "our own certificate (PEM)"), AT(cert)},
    {TEXT(MQTT_ALL, "key", "FILE", "its key (PEM; default: in the same file)"), AT(key)},
    {TEXT(MQTT_ALL, "tls-version", "1.2|1.3", "lowest version taken (default 1.2)"), AT(tls_version)},
    {TEXT(MQTT_ALL, "tls-alpn", "NAME", "application protocol to name"), AT(alpn)},
    {FLAG(MQTT_ALL, "insecure", "take any certificate: anybody may be at the other end"), AT(insecure)},
};

/* Help */

static const char *const usages[] = {
    [MQTT_PUB] = "Usage: wirepost pub -t TOPIC (-m TEXT | -f FILE | -l | -n) [OPTION]...\n\n"
                 "Publishes, waits for the broker's acknowledgements, and exits with status 0 when it has\n"
                 "all of them. Waits for the broker and reconnects to it by itself.\n\n",
    [MQTT_SUB] = "Usage: wirepost sub -t FILTER [OPTION]...\n\n"
                 "Prints each message's payload and a line feed. Reconnects and subscribes again by itself.\n\n",
    [MQTT_RPC] = "Usage: wirepost rpc TOPIC [PAYLOAD | -f FILE] [OPTION]...\n\n"
                 "Publishes a request, waits for its answer and prints the answer's payload. The request says\n"
                 "where the answer is to go and what it is to repeat (MQTT 5: response topic, correlation data).\n"
                 "    wirepost rpc wp/plant7/request/check\n\n",
};

static const char exits[] = "\n"
                            "Exit status: 0 done; 1 something failed here, such as a file or the output;\n"
                            "2 the broker was not reached; 3 it refused the connection, or a certificate was\n"
                            "not accepted; 4 it refused a message or a subscription; 5 time over; 64 wrong use.\n";

static void print_row(const struct row *r)
{
    const char *help = r->help;
    char left[64];
    int n;

    if (r->kind == ROW_HEADING) {
        printf("%s\n", r->name);
        return;
    }
    if (!help)
        return;
    n = r->letter ? snprintf(left, sizeof(left), "  -%c, --%s", r->letter, r->name)
                  : snprintf(left, sizeof(left), "      --%s", r->name);
    if (r->value)
        n += snprintf(left + n, sizeof(left) - (size_t)n, " %s", r->value);
    printf("%-*s%s", HELP_COLUMN, left, n >= HELP_COLUMN ? "\n" : "");
    if (n >= HELP_COLUMN)
        printf("%*s", HELP_COLUMN, "");
    for (; *help; help++)
        *help == '\n' ? printf("\n%*s", HELP_COLUMN, "") : putchar(*help);
    putchar('\n');
}

static void print_help(enum mqtt_command command)
{
    fputs(usages[command], stdout);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].commands & command)
            print_row(&rows[i]);
    printf("\n%-*s%s\n", HELP_COLUMN, "      --help", "this text");
    fputs(exits, stdout);
}

/* Taking one */

int mqtt_usage_error(const struct mqtt_options *o, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "wirepost %s: ", o->name);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "; see wirepost %s --help\n", o->name);
    return -EINVAL;
}

static int add_topic(struct mqtt_options *o, const char *arg)
{
    bool sub = o->command == MQTT_SUB;

    if (sub ? !topic_filter_valid(str_of(arg)) : !topic_name_valid(str_of(arg)))
        return mqtt_usage_error(o, "'%s' is no topic %s", arg, sub ? "filter" : "to publish to");
    if (!sub && o->topic_count > 0)
        return mqtt_usage_error(o, "more than one topic");
    if (o->topic_count == MQTT_TOPICS_MAX)
        return mqtt_usage_error(o, "more than %d topics", MQTT_TOPICS_MAX);
    o->topics[o->topic_count++] = arg;
    return 0;
}

static int add_property(struct mqtt_options *o, const char *arg)
{
    const char *equals = strchr(arg, '=');
    struct str name = {.data = arg, .len = equals ? (size_t)(equals - arg) : 0};

    if (!equals)
        return mqtt_usage_error(o, "a property is NAME=VALUE, not '%s'", arg);
    if (name.len > UINT16_MAX || strlen(equals + 1) > UINT16_MAX)
        return mqtt_usage_error(o, "a property is longer than MQTT allows");
    mqtt_list_add_user(&o->users, name, str_of(equals + 1));
    return 0;
}

static int take_number(struct mqtt_options *o, const struct row *r, const char *arg)
{
    uint64_t *to = (void *)((char *)o + r->at);
    unsigned long long n;
    char *end;

    errno = 0;
    n = strtoull(arg, &end, 10);
    if (!errno && *end == '\0' && *arg >= '0' && *arg <= '9' && n >= r->min && n <= r->max) {
        *to = n;
        return 0;
    }
    if (r->max > UINT32_MAX)
        return mqtt_usage_error(o, "--%s has to be a number from %llu on, not '%s'", r->name,
                                (unsigned long long)r->min, arg);
    return mqtt_usage_error(o, "--%s has to be %llu to %llu, not '%s'", r->name, (unsigned long long)r->min,
                            (unsigned long long)r->max, arg);
}

static int take_row(struct mqtt_options *o, const struct row *r, const char *arg)
{
    switch ((enum row_kind)r->kind) {
    case ROW_FLAG:
        *(bool *)((char *)o + r->at) = true;
        return 0;
    case ROW_TEXT:
        *(const char **)(void *)((char *)o + r->at) = arg;
        return 0;
    case ROW_NUMBER:
        return take_number(o, r, arg);
    case ROW_CALL:
        return r->take(o, arg);
    case ROW_HEADING:
        break;
    }
    return 0;
}

/* Taking all: getopt_long(3) is given the rows of this command; a long option's number is that of its row. */

struct getopt_tables {
    char letters[2 * ARRAY_LEN(rows) + 1];
    struct option names[ARRAY_LEN(rows) + 2];
};

enum { OPTION_HELP = LONG_BASE + ARRAY_LEN(rows) };

static void make_tables(struct getopt_tables *t, enum mqtt_command command)
{
    size_t letters = 0;
    size_t names = 0;

    *t = (struct getopt_tables){.letters = ""};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        bool valued = r->kind != ROW_FLAG;

        if (!(r->commands & command) || r->kind == ROW_HEADING)
            continue;
        t->names[names++] =
            (struct option){r->name, valued ? required_argument : no_argument, NULL, LONG_BASE + (int)i};
        if (r->letter)
            t->letters[letters++] = r->letter;
        if (r->letter && valued)
            t->letters[letters++] = ':';
    }
    t->names[names] = (struct option){"help", no_argument, NULL, OPTION_HELP};
}

static const struct row *row_of(int opt, enum mqtt_command command)
{
    if (opt >= LONG_BASE)
        return &rows[opt - LONG_BASE];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].letter == opt && (rows[i].commands & command))
            return &rows[i];
    return NULL; /* '?': getopt_long() has said why */
}

static int take_all(struct mqtt_options *o, int argc, char **argv)
{
    struct getopt_tables tables;
    int opt;

    make_tables(&tables, o->command);
    while ((opt = getopt_long(argc, argv, tables.letters, tables.names, NULL)) != -1) {
        const struct row *r = opt == OPTION_HELP ? NULL : row_of(opt, o->command);
        int result;

        if (opt == OPTION_HELP) {
            print_help(o->command);
            return 1;
        }
        result = r ? take_row(o, r, optarg) : -EINVAL;
        if (result < 0)
            return result;
    }
    for (; optind < argc; optind++) {
        if (o->word_count == (o->command == MQTT_RPC ? MQTT_WORDS_MAX : 0))
            return mqtt_usage_error(o, "'%s' is one word too many", argv[optind]);
        o->words[o->word_count++] = argv[optind];
    }
    return 0;
}

/* Looking at the whole */

static int check_publish(struct mqtt_options *o)
{
    int sources = (o->text != NULL) + (o->file != NULL) + o->lines + o->empty;

    if (o->topic_count == 0)
        return mqtt_usage_error(o, o->command == MQTT_RPC ? "no topic given" : "no topic given (-t)");
    if (sources != 1)
        return mqtt_usage_error(o, "one of -m, -f, -l and -n has to say what to publish");
    if (o->queue && !o->lines)
        return mqtt_usage_error(o, "--queue is for --lines");
    if ((o->content_type && strlen(o->content_type) > UINT16_MAX) ||
        (o->correlation && strlen(o->correlation) > UINT16_MAX))
        return mqtt_usage_error(o, "a property is longer than MQTT allows");
    if (o->response_topic && !topic_name_valid(str_of(o->response_topic)))
        return mqtt_usage_error(o, "'%s' is no topic for answers", o->response_topic);
    if (o->client.version == MQTT_V5)
        return 0;
    if (buf_len(&o->users) || o->expiry || o->content_type || o->correlation || o->is_text)
        return mqtt_usage_error(o, "MQTT 3.1.1 messages have no properties");
    if (o->command == MQTT_PUB && o->response_topic)
        return mqtt_usage_error(o, "MQTT 3.1.1 messages have no properties");
    if (o->command == MQTT_RPC && !o->response_topic)
        return mqtt_usage_error(o, "MQTT 3.1.1 cannot say where the answer is to go: --response-topic has to");
    return 0;
}

/* The words of rpc are its topic and what others have -m for. */
static int take_words(struct mqtt_options *o)
{
    int r = o->word_count > 0 ? add_topic(o, o->words[0]) : 0;

    if (r < 0)
        return r;
    o->text = o->word_count > 1 ? o->words[1] : NULL;
    /* A request may well be all in its topic. */
    if (!o->text && !o->file)
        o->empty = true;
    return 0;
}

static int check_subscribe(struct mqtt_options *o)
{
    if (o->topic_count == 0)
        return mqtt_usage_error(o, "no topic given (-t)");
    if (o->client.version != MQTT_V5 && (o->no_local || o->retain_as_published || o->retain_handling))
        return mqtt_usage_error(o, "MQTT 3.1.1 has no such options of subscriptions");
    return 0;
}

static int check(struct mqtt_options *o)
{
    int r = mqtt_options_connect(o);

    if (r == 0 && o->command == MQTT_RPC)
        r = take_words(o);
    if (r < 0)
        return r;
    if (o->json && (o->hex || o->no_newline || o->verbose))
        return mqtt_usage_error(o, "--json says everything in its own way: not with --hex, -v or -N");
    return o->command == MQTT_SUB ? check_subscribe(o) : check_publish(o);
}

int mqtt_options_parse(struct mqtt_options *o, enum mqtt_command command, int argc, char **argv)
{
    static const char *const names[] = {[MQTT_PUB] = "pub", [MQTT_SUB] = "sub", [MQTT_RPC] = "rpc"};
    int r;

    *o = (struct mqtt_options){
        .command = command, .name = names[command], .keepalive = 60, .session_expiry = UINT64_MAX};
    if (command == MQTT_RPC) {
        o->qos = 1;
        o->count = 1;
        o->wait = 10;
    }
    o->arena = arena_new();
    r = o->arena ? take_all(o, argc, argv) : -ENOMEM;
    if (r == 0)
        r = check(o);
    if (r == -ENOMEM || buf_failed(&o->users)) {
        fprintf(stderr, "wirepost %s: %s\n", o->name, strerror(ENOMEM));
        return -ENOMEM;
    }
    return r;
}

void mqtt_options_fini(struct mqtt_options *o)
{
    buf_fini(&o->users);
    arena_free(o->arena);
}
