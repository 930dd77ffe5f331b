/* cli_write - `wirepost write`: registers or coils to given values. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cli_session.h"
#include "cli/cli_write_tag.h"
#include "config/text.h"
#include "core/buf.h"
#include "core/reading.h"
#include "drivers/modbus.h"

enum { OPTION_TYPE = 256, OPTION_ORDER, OPTION_FC, OPTION_VERIFY, OPTION_TIMEOUT };

enum { WRITE_MAX = 123 };

struct writer_options {
    struct session_options session;
    const char *tag;   /* NULL: by address */
    const char *place; /* bus or device; NULL: the only bus */
    int64_t unit;      /* -1: not said */
    bool coils;
    int64_t address;
    char **words; /* the values */
    int word_count;
    const char *type_name; /* NULL: plain 16 bits */
    enum tag_type type;
    enum byte_order order;
    int64_t fc;         /* 0: by table and number */
    int64_t timeout_ms; /* 0: as configured */
    bool verify;
    bool json;
    bool yes;
};

struct written {
    uint16_t values[WRITE_MAX];
    size_t count;
    uint16_t old[WRITE_MAX];
    bool known[WRITE_MAX];
};

static const char *const types[] = {
    [TYPE_BOOL] = "bool", [TYPE_U8] = "u8",       [TYPE_S8] = "s8",      [TYPE_U16] = "u16", [TYPE_S16] = "s16",
    [TYPE_U32] = "u32",   [TYPE_S32] = "s32",     [TYPE_U64] = "u64",    [TYPE_S64] = "s64", [TYPE_F32] = "f32",
    [TYPE_F64] = "f64",   [TYPE_BCD16] = "bcd16", [TYPE_BCD32] = "bcd32"};
static const char *const orders[] = {
    [ORDER_ABCD] = "ABCD", [ORDER_CDAB] = "CDAB", [ORDER_BADC] = "BADC", [ORDER_DCBA] = "DCBA"};

static int usage(FILE *to, int status)
{
    fputs("Usage: wirepost write DEVICE TAG VALUE [OPTION]...\n"
          "       wirepost write BUS|DEVICE [-u UNIT] holding|coil ADDRESS VALUE... [OPTION]...\n"
          "       wirepost write --port DEVICE | --host HOST[:PORT] -u UNIT holding|coil ADDRESS VALUE...\n\n"
          "Writes a tag, under the rules the configuration has for it, through the gateway that runs.\n\n"
          "Or writes registers or coils as they are: no scaling, no limits. Shows what they hold, asks,\n"
          "and writes. Unit 0 of a serial line is all devices at once. Negative values go after --.\n\n"
          "  -c, --config FILE    the configuration (default " CONFIG_DEFAULT_PATH ")\n"
          "      --port DEVICE    a serial port, without a configuration; with --baud, --parity, --stop-bits\n"
          "      --host HOST      a Modbus TCP device or gateway, without a configuration\n"
          "  -u, --unit UNIT      the device's number; of a device it is known\n"
          "      --type TYPE      of each value: u16, s16, u32, s32, f32, u64, s64, f64, bcd16, bcd32\n"
          "                       (default: 16 bits, -32768 to 65535, or hexadecimal)\n"
          "      --order ORDER    of its bytes: ABCD (default), CDAB, BADC, DCBA\n"
          "      --fc N           function 5, 6, 15 or 16 (default: 5 and 6 for one, else 15 and 16)\n"
          "      --verify         read it back\n"
          "      --timeout TIME   how long to wait for an answer\n"
          "  -y, --yes            do not ask\n"
          "  -j, --json           JSON, one object a line\n"
          "  -h, --help           this text\n\n"
          "Exit status: 0 written, 1 not, 64 wrong usage.\n",
          to);
    return status;
}

/* Values. */

static int take_plain(const struct writer_options *o, const char *word, struct written *w)
{
    int64_t number;

    if (text_read_int(str_of(word), &number) < 0)
        return -EINVAL;
    if (number < (o->coils ? 0 : -32768) || number > (o->coils ? 1 : 65535))
        return -ERANGE;
    w->values[w->count++] = (uint16_t)number;
    return 0;
}

static double number_of(const struct value *v)
{
    return v->type == VALUE_UINT ? (double)v->u : v->type == VALUE_INT ? (double)v->i : v->d;
}

/* What does not fit would be limited: read back it is another number. */
static bool fits(const struct tag_settings *tag, const uint16_t *regs, const char *word)
{
    char text[VALUE_TEXT_MAX];
    struct reading r = modbus_decode(tag, 0, regs, text);
    double wanted = strtod(word, NULL);

    if (r.reason.kind != REASON_NONE)
        return false;
    return fabs(number_of(&r.value) - wanted) <= fabs(wanted) * 1e-6;
}

static int take_typed(const struct writer_options *o, const char *word, struct written *w)
{
    const struct tag_settings tag = {.table = TABLE_HOLDING, .type = o->type, .order = o->order, .scale = 1};
    size_t width = tag_width(&tag);

    if (w->count + width > WRITE_MAX)
        return -E2BIG;
    if (modbus_encode_text(&tag, str_of(word), w->values + w->count) < 0)
        return -EINVAL;
    if (!fits(&tag, w->values + w->count, word))
        return -ERANGE;
    w->count += width;
    return 0;
}

static bool take_values(const struct session *s, const struct writer_options *o, struct written *w)
{
    for (int i = 0; i < o->word_count; i++) {
        const char *word = o->words[i];
        int r = w->count >= WRITE_MAX ? -E2BIG : o->type_name ? take_typed(o, word, w) : take_plain(o, word, w);

        if (r == 0)
            continue;
        if (r == -E2BIG)
            session_complain(s, "more than %d registers at once", WRITE_MAX);
        else if (o->type_name)
            session_complain(s, "'%s' is no %s", word, o->type_name);
        else
            session_complain(s, "'%s' is not %s", word, o->coils ? "0 or 1" : "-32768 to 65535; --type takes others");
        return false;
    }
    return true;
}

/* Requests. */

static cJSON *make_request(const struct writer_options *o)
{
    cJSON *request = cJSON_CreateObject();

    if (!request)
        return NULL;
    if (o->unit >= 0)
        cJSON_AddNumberToObject(request, "unit", (double)o->unit);
    cJSON_AddStringToObject(request, "table", o->coils ? "coil" : "holding");
    cJSON_AddNumberToObject(request, "address", (double)o->address);
    if (o->timeout_ms > 0)
        cJSON_AddNumberToObject(request, "timeout_ms", (double)o->timeout_ms);
    return request;
}

static void on_old(void *arg, const cJSON *object, struct str text)
{
    struct written *w = arg;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "values");
    const cJSON *item;
    size_t i = 0;

    (void)text;
    cJSON_ArrayForEach(item, list)
    {
        if (i == w->count)
            break;
        w->known[i] = cJSON_IsNumber(item);
        w->old[i++] = cJSON_IsNumber(item) ? (uint16_t)item->valueint : 0;
    }
}

static void show_plan(const struct writer_options *o, const struct written *w)
{
    for (size_t i = 0; i < w->count; i++) {
        printf("%s %lld: ", o->coils ? "coil" : "holding", (long long)o->address + (long long)i);
        if (!w->known[i])
            printf("unknown");
        else if (o->coils)
            printf("%u", w->old[i]);
        else
            printf("%u (0x%04x)", w->old[i], w->old[i]);
        if (o->coils)
            printf(" -> %u\n", w->values[i]);
        else
            printf(" -> %u (0x%04x)\n", w->values[i], w->values[i]);
    }
    fflush(stdout);
}

static void on_written(void *arg, const cJSON *object, struct str text)
{
    const struct writer_options *o = arg;
    const char *result = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "result"));

    if (o->json)
        printf(STR_FMT "\n", STR_ARG(text));
    else if (session_result_of(object) == SESSION_DONE && result)
        puts(result);
}

/* Adds the place; NULL when there is no such, which has been said. */
static cJSON *placed_request(struct session *s, const struct writer_options *o)
{
    const struct device_settings *device;
    const struct bus_settings *bus;
    cJSON *request = make_request(o);

    if (request && session_place(s, o->place, request, &bus, &device) == 0) {
        if (device || o->unit >= 0)
            return request;
        session_complain(s, "which unit? --unit says it");
    }
    cJSON_Delete(request);
    return NULL;
}

static int show_old(struct session *s, const struct writer_options *o, struct written *w)
{
    cJSON *request = placed_request(s, o);

    if (!request)
        return -1;
    cJSON_AddNumberToObject(request, "count", (double)w->count);
    if (o->unit == 0) /* everybody: nobody answers */
        cJSON_Delete(request);
    else if (session_run(s, "read", request, on_old, w) == SESSION_CANCELLED)
        return -1;
    show_plan(o, w);
    return 0;
}

static int write_values(struct session *s, struct writer_options *o, const struct written *w)
{
    cJSON *request = placed_request(s, o);
    cJSON *list = request ? cJSON_AddArrayToObject(request, "values") : NULL;

    if (!list) {
        cJSON_Delete(request);
        return 1;
    }
    for (size_t i = 0; i < w->count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber(w->values[i]));
    if (o->fc > 0)
        cJSON_AddNumberToObject(request, "fc", (double)o->fc);
    cJSON_AddBoolToObject(request, "verify", o->verify);
    return session_run(s, "write", request, on_written, o) == SESSION_DONE ? 0 : 1;
}

static int run_tag(struct session *s, const struct writer_options *o)
{
    const struct tag_write w = {
        .device = o->place, .tag = o->tag, .value = o->words[0], .verify = o->verify, .json = o->json, .yes = o->yes};

    return cli_write_tag(s, &w);
}

static int run(struct writer_options *o)
{
    struct written w = {0};
    struct session s;
    int status = 1;

    if (session_open(&s, &o->session) < 0)
        return 1;
    if (o->tag)
        status = run_tag(&s, o);
    else if (take_values(&s, o, &w) && (o->json || show_old(&s, o, &w) == 0)) {
        if (o->yes || o->json || session_confirm(&s, "Write?"))
            status = write_values(&s, o, &w);
    }
    session_close(&s);
    return status;
}

/* Options. */

static int find_word(const char *const *words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (words[i] && strcmp(words[i], word) == 0)
            return (int)i;
    return -1;
}

static bool take_type(struct writer_options *o, const char *value)
{
    int type = find_word(types, ARRAY_LEN(types), value);

    o->type_name = value;
    o->type = type < 0 ? TYPE_U16 : (enum tag_type)type;
    return type >= 0 && type != TYPE_BOOL;
}

static bool take_order(struct writer_options *o, const char *value)
{
    int order = find_word(orders, ARRAY_LEN(orders), value);

    o->order = order < 0 ? ORDER_ABCD : (enum byte_order)order;
    return order >= 0;
}

static bool take_option(struct writer_options *o, int c, const char *value)
{
    switch (c) {
    case 'u':
        return text_read_int(str_of(value), &o->unit) == 0 && o->unit >= 0 && o->unit <= 255;
    case 'j':
        o->json = true;
        return true;
    case 'y':
        o->yes = true;
        return true;
    case OPTION_TYPE:
        return take_type(o, value);
    case OPTION_ORDER:
        return take_order(o, value);
    case OPTION_FC:
        return text_read_int(str_of(value), &o->fc) == 0;
    case OPTION_VERIFY:
        o->verify = true;
        return true;
    case OPTION_TIMEOUT:
        return text_read_duration(str_of(value), &o->timeout_ms) == 0;
    default:
        return session_take_option(&o->session, c, value) == 0;
    }
}

static bool is_table(const char *word)
{
    return strcmp(word, "holding") == 0 || strcmp(word, "coil") == 0;
}

/* [BUS|DEVICE] TABLE ADDRESS VALUE..., or DEVICE TAG VALUE */
static bool take_words(struct writer_options *o, int count, char **words)
{
    int at = 0;

    if (count == 3 && !is_table(words[0])) {
        o->place = words[0];
        o->tag = words[1];
        o->words = words + 2;
        return !is_table(words[1]) && !o->session.port && !o->session.host;
    }
    if (count > 0 && !is_table(words[0]))
        o->place = words[at++];
    if (count - at < 3 || !is_table(words[at]) || text_read_int(str_of(words[at + 1]), &o->address) < 0)
        return false;
    o->coils = words[at][0] == 'c';
    o->words = words + at + 2;
    o->word_count = count - at - 2;
    return o->address >= 0 && o->address <= 65535 && !(o->coils && o->type_name);
}

int cli_write(int argc, char **argv)
{
    static const struct option names[] = {
        SESSION_OPTIONS,
        {"unit", required_argument, NULL, 'u'},
        {"type", required_argument, NULL, OPTION_TYPE},
        {"order", required_argument, NULL, OPTION_ORDER},
        {"fc", required_argument, NULL, OPTION_FC},
        {"verify", no_argument, NULL, OPTION_VERIFY},
        {"timeout", required_argument, NULL, OPTION_TIMEOUT},
        {"yes", no_argument, NULL, 'y'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct writer_options o = {.session = SESSION_DEFAULTS("write"), .unit = -1};
    int c;

    while ((c = getopt_long(argc, argv, "c:u:yjh", names, NULL)) != -1) {
        if (c == 'h')
            return usage(stdout, 0);
        if (!take_option(&o, c, optarg))
            return usage(stderr, EXIT_USAGE);
    }
    if (!take_words(&o, argc - optind, argv + optind))
        return usage(stderr, EXIT_USAGE);
    return run(&o);
}
