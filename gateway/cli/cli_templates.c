/* templates - which device templates there are: what to write behind `template:`. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "config/config.h"
#include "config/library.h"

static int usage(FILE *to, int status)
{
    fprintf(to, "Usage: wirepost templates [-c FILE] [--long] [WORD]\n\n"
                "Lists the device templates a configuration can use: those in templates/ beside it, in\n"
                "/etc/wirepost/templates and in /usr/share/wirepost/templates. Of several with one name\n"
                "the first counts.\n\n"
                "  -c, --config FILE  the configuration (default " CONFIG_DEFAULT_PATH ")\n"
                "  -l, --long         its file, where its registers are documented, against what it was\n"
                "                     checked, and how the device is delivered\n"
                "  WORD               only those with WORD in their name, summary, maker or model\n"
                "  -h, --help         this text\n\n"
                "Exit status: 0 some are listed, 1 none, 64 wrong usage.\n");
    return status;
}

static bool is_about(const struct template_about *t, const char *word)
{
    return !word || strcasestr(t->name, word) || strcasestr(t->summary, word) || strcasestr(t->manufacturer, word) ||
           strcasestr(t->model, word);
}

static void print_more(const char *what, const char *text)
{
    if (*text)
        printf("    %-10s %s\n", what, text);
}

static void print_template(const struct template_about *t, int problem, bool more)
{
    printf("%-24s %s\n", t->name, problem == 0 ? t->summary : "cannot be read: wirepost check --template says why");
    if (!more)
        return;
    print_more("file", t->path);
    print_more("maker", t->manufacturer);
    print_more("model", t->model);
    print_more("delivered", t->delivered);
    print_more("source", t->source);
    print_more("verified", t->verified);
    printf("    %-10s %zu\n", "tags", t->tag_count);
}

static int list(const char *config, const char *word, bool more)
{
    struct library *lib;
    struct template_about t;
    size_t listed = 0;
    int r = library_open(config, &lib);

    if (r < 0) {
        fprintf(stderr, "wirepost: cannot list the templates: %s\n", strerror(-r));
        return 1;
    }
    for (size_t i = 0; i < library_count(lib) && r != -ENOMEM; i++) {
        r = library_about(lib, i, &t);
        if (r == -ENOMEM || !is_about(&t, word))
            continue;
        print_template(&t, r, more);
        listed++;
    }
    library_free(lib);
    if (r == -ENOMEM)
        fprintf(stderr, "wirepost: out of memory\n");
    else if (listed == 0)
        fprintf(stderr, "wirepost: there is no %stemplate%s%s\n", word ? "such " : "", word ? ": " : "",
                word ? word : "");
    return r != -ENOMEM && listed > 0 ? 0 : 1;
}

int cli_templates(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"long", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *config = CONFIG_DEFAULT_PATH;
    bool more = false;
    int c;

    while ((c = getopt_long(argc, argv, "c:lh", options, NULL)) != -1) {
        if (c == 'h')
            return usage(stdout, 0);
        if (c == 'l')
            more = true;
        else if (c == 'c')
            config = optarg;
        else
            return usage(stderr, EXIT_USAGE);
    }
    if (argc - optind > 1)
        return usage(stderr, EXIT_USAGE);
    return list(config, argv[optind], more);
}
