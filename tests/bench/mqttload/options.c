/* options - see options.h. One row of `rows` an option. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basics.h"
#include "stamp.h"

enum {
    MOST_CLIENTS = 100000,
    MOST_PAYLOAD = 512 * 1024,
    MOST_THREADS = 64,
    SUB_QOS_AS_QOS = 9,
};

struct options opt = {
    .sub_qos = SUB_QOS_AS_QOS,
    .messages = 1000,
    .payload = 64,
    .window = 20,
    .credit = 100,
    .batch = 16,
    .conns = 1000,
    .ramp = 64,
    .hold_ms = 1000,
    .threads = 1,
    .mqtt = 4,
    .host = "127.0.0.1",
    .port = 1883,
    .label = "",
    .timeout_s = 60,
};

static const char *const modes[] = {"run", "idle", "storm", "retained", "enqueue", "drain", NULL};
static const char *const layouts[] = {"shared", "pairwise", "wildcard", "fanin", "fanout", NULL};

enum kind { KIND_NUMBER, KIND_RATE, KIND_TEXT, KIND_WORD, KIND_FLAG };

struct row {
    const char *name;
    enum kind kind;
    void *to;
    unsigned least;
    unsigned most;
    const char *const *words; /* KIND_WORD: what may be said */
    const char *help;
};

static const struct row rows[] = {
    {"mode", KIND_WORD, &opt.mode, 0, 0, modes, "run, idle, storm, retained, enqueue or drain"},
    {"layout", KIND_WORD, &opt.layout, 0, 0, layouts, "shared, fanin, fanout, pairwise or wildcard"},
    {"pubs", KIND_NUMBER, &opt.publishers, 1, MOST_CLIENTS, NULL, "publishers"},
    {"subs", KIND_NUMBER, &opt.subscribers, 1, MOST_CLIENTS, NULL, "subscribers"},
    {"messages", KIND_NUMBER, &opt.messages, 1, 100000000, NULL, "per publisher"},
    {"qos", KIND_NUMBER, &opt.qos, 0, 2, NULL, "of the publishers"},
    {"sub-qos", KIND_NUMBER, &opt.sub_qos, 0, 2, NULL, "asked for in SUBSCRIBE; default: --qos"},
    {"payload", KIND_NUMBER, &opt.payload, STAMP_BYTES, MOST_PAYLOAD, NULL, "bytes"},
    {"rate", KIND_RATE, &opt.rate, 0, 0, NULL, "messages per second and publisher; default: as fast as it goes"},
    {"window", KIND_NUMBER, &opt.window, 1, 60000, NULL, "unacknowledged messages per publisher"},
    {"credit", KIND_NUMBER, &opt.credit, 0, 100000000, NULL, "messages a publisher may be ahead of delivery, 0: any"},
    {"batch", KIND_NUMBER, &opt.batch, 1, 100000, NULL, "PUBLISH packets in one write"},
    {"topics", KIND_NUMBER, &opt.topics, 1, 99999999, NULL, "each publisher cycles through"},
    {"retain", KIND_FLAG, &opt.retain, 0, 0, NULL, "set the retain flag"},
    {"ballast", KIND_NUMBER, &opt.ballast, 1, 1000000, NULL, "further filters, that match nothing"},
    {"conns", KIND_NUMBER, &opt.conns, 1, 1000000, NULL, "connections of idle and storm"},
    {"ramp", KIND_NUMBER, &opt.ramp, 1, 100000, NULL, "connections under way at once"},
    {"hold", KIND_NUMBER, &opt.hold_ms, 0, 600000, NULL, "ms that idle waits before it reads the memory"},
    {"threads", KIND_NUMBER, &opt.threads, 1, MOST_THREADS, NULL, "event loops"},
    {"keepalive", KIND_NUMBER, &opt.keep_alive_s, 0, 65535, NULL, "s, in CONNECT"},
    {"mqtt", KIND_NUMBER, &opt.mqtt, 4, 5, NULL, "4 (3.1.1) or 5"},
    {"host", KIND_TEXT, &opt.host, 0, 0, NULL, "IPv4 address"},
    {"port", KIND_NUMBER, &opt.port, 1, 65535, NULL, "of the broker"},
    {"tag", KIND_TEXT, &opt.tag, 0, 32, NULL, "word in topic names; default: the process id"},
    {"id", KIND_TEXT, &opt.id, 0, 64, NULL, "prefix of client ids; default: ml and the tag"},
    {"label", KIND_TEXT, &opt.label, 0, 0, NULL, "copied to the output"},
    {"pid", KIND_NUMBER, &opt.pid, 1, 1u << 30, NULL, "the broker's process, for its CPU and memory"},
    {"timeout", KIND_NUMBER, &opt.timeout_s, 1, 86400, NULL, "s, bound of the whole run"},
    {"quiet", KIND_NUMBER, &opt.quiet_ms, 1, 600000, NULL,
     "ms of silence that end a run in which something is missing"},
    {"spin", KIND_FLAG, &opt.spin, 0, 0, NULL, "never sleep; needs a core of its own"},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), HELP = ROWS };

const char *mode_name(void)
{
    return modes[opt.mode];
}

const char *layout_name(void)
{
    return layouts[opt.layout];
}

static void print_usage(FILE *f)
{
    fputs("usage: mqttload [options]        (tests/bench/README.md says more)\n", f);
    for (unsigned i = 0; i < ROWS; i++)
        fprintf(f, "  --%-10s %s\n", rows[i].name, rows[i].help);
}

static void set_number(const struct row *row, const char *text)
{
    char *end;
    unsigned *to = row->to;
    unsigned long v;

    errno = 0;
    v = strtoul(text, &end, 10);
    if (errno || *end || end == text || v < row->least || v > row->most)
        die(STATUS_USAGE, "--%s wants %u..%u", row->name, row->least, row->most);
    *to = (unsigned)v;
}

static void set_rate(const struct row *row, const char *text)
{
    char *end;
    double *to = row->to;

    *to = strtod(text, &end);
    if (*end || *to <= 0)
        die(STATUS_USAGE, "--%s wants > 0", row->name);
}

static void set_text(const struct row *row, const char *text)
{
    const char **to = row->to;

    if (row->most && strlen(text) > row->most)
        die(STATUS_USAGE, "--%s is longer than %u", row->name, row->most);
    *to = text;
}

static void set_word(const struct row *row, const char *text)
{
    unsigned *to = row->to;
    unsigned i = 0;

    while (row->words[i] && strcmp(row->words[i], text) != 0)
        i++;
    if (!row->words[i])
        die(STATUS_USAGE, "unknown %s %s", row->name, text);
    *to = i;
}

static void set(const struct row *row, const char *text)
{
    switch (row->kind) {
    case KIND_NUMBER:
        set_number(row, text);
        break;
    case KIND_RATE:
        set_rate(row, text);
        break;
    case KIND_TEXT:
        set_text(row, text);
        break;
    case KIND_WORD:
        set_word(row, text);
        break;
    case KIND_FLAG:
        *(bool *)row->to = true;
        break;
    }
}

static void read_command_line(int argc, char **argv)
{
    struct option longs[ROWS + 2] = {[HELP] = {.name = "help"}};
    int at;
    int r;

    for (int i = 0; i < ROWS; i++)
        longs[i] = (struct option){.name = rows[i].name, .has_arg = rows[i].kind != KIND_FLAG};
    while ((r = getopt_long(argc, argv, "", longs, &at)) == 0) {
        if (at == HELP) {
            print_usage(stdout);
            exit(STATUS_WELL);
        }
        set(&rows[at], optarg);
    }
    if (r != -1 || optind != argc) {
        print_usage(stderr);
        exit(STATUS_USAGE);
    }
}

/* The defaults that depend on other options. */
static void name_clients(void)
{
    static char tag[16];
    static char id[32];

    if (!opt.tag) {
        snprintf(tag, sizeof(tag), "%d", (int)getpid());
        opt.tag = tag;
    }
    if (!opt.id) {
        snprintf(id, sizeof(id), "ml%.16s", opt.tag);
        opt.id = id;
    }
}

static void count_clients(void)
{
    bool pairs = opt.layout == LAYOUT_PAIRWISE;
    bool one_in = opt.layout == LAYOUT_FANOUT;
    bool one_out = opt.layout == LAYOUT_FANIN;

    if (one_in || one_out)
        opt.layout = LAYOUT_SHARED;
    if (opt.mode == MODE_RETAINED) { /* as many topics as messages, a message each */
        opt.layout = LAYOUT_SHARED;
        opt.topics = opt.messages;
        opt.retain = true;
        opt.publishers = opt.subscribers = 1;
        return;
    }
    if (!opt.publishers)
        opt.publishers = pairs && opt.subscribers ? opt.subscribers : 1;
    if (!opt.subscribers)
        opt.subscribers = pairs ? opt.publishers : 1;
    if (one_out)
        opt.subscribers = 1;
    if (one_in)
        opt.publishers = 1;
    if (pairs && opt.publishers != opt.subscribers)
        die(STATUS_USAGE, "pairwise wants as many pubs as subs");
}

void options_read(int argc, char **argv)
{
    read_command_line(argc, argv);
    name_clients();
    count_clients();
    if (opt.sub_qos == SUB_QOS_AS_QOS)
        opt.sub_qos = opt.qos;
    if (!opt.quiet_ms)
        opt.quiet_ms = opt.qos ? 5000 : 1000;
    if (opt.credit && opt.batch > opt.credit)
        opt.batch = opt.credit;
    if (opt.qos && opt.batch > opt.window)
        opt.batch = opt.window;
}
