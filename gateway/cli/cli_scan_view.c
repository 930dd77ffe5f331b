/* cli_scan_view - see cli_scan.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli_scan.h"
#include "cli/cli_session.h"

enum { BAR_LEN = 24, PLAIN_EVERY_MS = 10000, WORTH_ADDING = 60 };

static int64_t number(const cJSON *object, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsNumber(v) ? (int64_t)v->valuedouble : 0;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text ? text : "";
}

static const char *print_line(const cJSON *unit, char ret_text[LINE_LEN])
{
    return session_line(&(struct line_words){.baud = number(unit, "baud"),
                                             .data_bits = number(unit, "data_bits"),
                                             .parity = text_of(unit, "parity"),
                                             .stop_bits = number(unit, "stop_bits")},
                        ret_text);
}

static bool on_terminal(void)
{
    return isatty(STDERR_FILENO);
}

static void clear_bar(struct scan_view *v)
{
    if (v->bar)
        fputs("\r\033[K", stderr);
    v->bar = false;
}

static void show_accepted(const struct scan_view *v, const cJSON *o)
{
    char span[SPAN_LEN];

    fprintf(stderr, "scanning %s%s: %lld units", v->bus->name, v->daemon ? " between the polls" : "",
            (long long)number(o, "units"));
    if (number(o, "settings") > 1)
        fprintf(stderr, ", %lld settings of the line", (long long)number(o, "settings"));
    fprintf(stderr, ", %s at most; Ctrl-C ends it and keeps what was found\n",
            session_span(number(o, "estimate_ms"), span));
}

static void show_bar(struct scan_view *v, const cJSON *o, int64_t percent, int64_t left_ms)
{
    char line[LINE_LEN] = "";
    char span[SPAN_LEN];
    char bar[BAR_LEN + 1];

    memset(bar, '.', BAR_LEN);
    memset(bar, '#', (size_t)(percent * BAR_LEN / 100));
    bar[BAR_LEN] = '\0';
    if (number(o, "baud") > 0)
        snprintf(line, sizeof(line), "  %lld %s", (long long)number(o, "baud"), text_of(o, "parity"));
    fprintf(stderr, "\r\033[K[%s] %3lld %%  unit %lld%s%s  found %lld  %s left", bar, (long long)percent,
            (long long)number(o, "unit"), line, strcmp(text_of(o, "stage"), "match") == 0 ? ": what is it?" : "",
            (long long)number(o, "found"), session_span(left_ms, span));
    fflush(stderr);
    v->bar = true;
}

static void show_progress(struct scan_view *v, const cJSON *o)
{
    int64_t asked = number(o, "asked");
    int64_t questions = number(o, "questions");
    int64_t elapsed_ms = number(o, "elapsed_ms");
    int64_t percent = questions > 0 ? asked * 100 / questions : 0;
    int64_t left_ms = asked > 0 && questions > asked ? elapsed_ms * (questions - asked) / asked : 0;
    char span[SPAN_LEN];

    if (percent < 0 || percent > 100)
        return;
    if (on_terminal()) {
        show_bar(v, o, percent, left_ms);
    } else if (elapsed_ms - v->told_ms >= PLAIN_EVERY_MS) {
        v->told_ms = elapsed_ms;
        fprintf(stderr, "%lld %%, %lld found, %s left\n", (long long)percent, (long long)number(o, "found"),
                session_span(left_ms, span));
    }
}

static void show_identity(const cJSON *o)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(o, "identity");

    if (id)
        printf("           says it is %s %s, revision %s\n", text_of(id, "vendor"), text_of(id, "product"),
               text_of(id, "revision"));
}

static void show_matches(const cJSON *o)
{
    const cJSON *matches = cJSON_GetObjectItemCaseSensitive(o, "matches");
    const cJSON *m;

    cJSON_ArrayForEach(m, matches)
    {
        printf("    %3lld %%  %s\n", (long long)number(m, "score"), text_of(m, "template"));
        if (text_of(m, "sample")[0])
            printf("           %.68s\n", text_of(m, "sample"));
    }
}

static void show_unit(struct scan_view *v, const cJSON *o)
{
    const char *device = text_of(o, "device");
    const char *answer = text_of(o, "answer");
    char line[LINE_LEN] = "";

    clear_bar(v);
    if (number(o, "baud") > 0)
        print_line(o, line);
    printf("unit %3lld   %-10s %4lld ms   ", (long long)number(o, "unit"), line, (long long)number(o, "latency_ms"));
    if (device[0])
        printf("%s%s%s\n", device, text_of(o, "template")[0] ? ", " : "", text_of(o, "template"));
    else if (strcmp(answer, "damaged") == 0)
        printf("answers are damaged: two units of this number?\n");
    else
        printf("not in the configuration\n");
    show_identity(o);
    show_matches(o);
    fflush(stdout);
}

static const cJSON *best_match(const cJSON *unit)
{
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(unit, "matches"), 0);

    return first && number(first, "score") >= WORTH_ADDING ? first : NULL;
}

static bool is_as_configured(const struct bus_settings *bus, const cJSON *unit)
{
    static const char letters[] = {
        [PARITY_NONE] = 'n', [PARITY_EVEN] = 'e', [PARITY_ODD] = 'o', [PARITY_MARK] = 'm', [PARITY_SPACE] = 's'};

    return number(unit, "baud") == 0 ||
           (number(unit, "baud") == bus->port.baud && text_of(unit, "parity")[0] == letters[bus->port.parity] &&
            number(unit, "stop_bits") == bus->port.stop_bits);
}

static void show_stanza(const struct scan_view *v, const cJSON *unit)
{
    const cJSON *match = best_match(unit);
    char line[LINE_LEN];

    if (!is_as_configured(v->bus, unit))
        printf("      # this one answers at %s, the line is set otherwise\n", print_line(unit, line));
    printf("      - name: unit-%lld\n        unit: %lld\n", (long long)number(unit, "unit"),
           (long long)number(unit, "unit"));
    if (match)
        printf("        template: %s\n", text_of(match, "template"));
    else
        printf("        tags: []  # no template fits; wirepost read shows what it holds\n");
}

static bool is_new(const cJSON *unit)
{
    return !text_of(unit, "device")[0] && strcmp(text_of(unit, "answer"), "damaged") != 0;
}

/* The one that was being looked at when the scan was cancelled has not been told by itself. */
static void show_untold(struct scan_view *v, const cJSON *units)
{
    while (v->found < cJSON_GetArraySize(units))
        show_unit(v, cJSON_GetArrayItem(units, v->found++));
}

static void show_end(struct scan_view *v, const cJSON *o, bool cancelled)
{
    const cJSON *units = cJSON_GetObjectItemCaseSensitive(o, "units");
    const cJSON *unit;
    bool begun = false;
    char span[SPAN_LEN];

    show_untold(v, units);
    printf("%d unit%s answered, %lld questions in %s%s\n", v->found, v->found == 1 ? "" : "s",
           (long long)number(o, "asked"), session_span(number(o, "elapsed_ms"), span),
           cancelled ? ", ended before all were asked" : "");
    cJSON_ArrayForEach(unit, units)
    {
        if (!is_new(unit))
            continue;
        if (!begun)
            printf("\nto poll %s, below `devices:` of the bus:\n\n", v->found == 1 ? "it" : "them");
        begun = true;
        show_stanza(v, unit);
    }
}

void scan_view_tell(void *arg, const cJSON *object, struct str text)
{
    struct scan_view *v = arg;
    const char *status = text_of(object, "status");

    if (strcmp(status, "unit") == 0)
        v->found++;
    if (v->json) {
        printf(STR_FMT "\n", STR_ARG(text));
        fflush(stdout);
        return;
    }
    if (strcmp(status, "accepted") == 0) {
        show_accepted(v, object);
    } else if (strcmp(status, "progress") == 0) {
        show_progress(v, object);
    } else if (strcmp(status, "unit") == 0) {
        show_unit(v, object);
    } else if (strcmp(status, "done") == 0 || strcmp(status, "cancelled") == 0) {
        clear_bar(v);
        show_end(v, object, status[0] == 'c');
    }
}

void scan_view_end(struct scan_view *v)
{
    clear_bar(v);
}
