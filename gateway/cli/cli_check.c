/* check - reads a configuration as `run` would, and says everything that is wrong with it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cli_plan.h"
#include "config/config.h"

static int usage(FILE *to, int status)
{
    fprintf(to, "Usage: wirepost check [-c FILE] [--plan]\n"
                "       wirepost check --template FILE...\n\n"
                "Checks a configuration, its conf.d/ and the templates it uses, and starts nothing.\n"
                "Prints FILE:LINE:COLUMN: error: ... for everything that is wrong, and how much of\n"
                "each line the polls will take.\n\n"
                "  -c, --config FILE  the configuration (default " CONFIG_DEFAULT_PATH ")\n"
                "  -p, --plan         the requests too: what each reads, how often, how long it takes\n"
                "  -t, --template     device templates instead: warns also of the mistakes that are\n"
                "                     usual when register maps are copied\n"
                "  -h, --help         this text\n\n"
                "Exit status: 0 no errors, 1 errors, 64 wrong usage.\n");
    return status;
}

static void print_count(size_t count, const char *what, const char *plural, const char *end)
{
    printf("%zu %s%s%s", count, what, count == 1 ? "" : plural, end);
}

static void print_summary(const char *path, const struct settings *s)
{
    size_t devices = 0;
    size_t tags = 0;

    for (size_t i = 0; i < s->bus_count; i++) {
        devices += s->buses[i].device_count;
        for (size_t j = 0; j < s->buses[i].device_count; j++)
            tags += s->buses[i].devices[j].tag_count;
    }
    printf("%s: ", path);
    print_count(s->bus_count, "bus", "es", ", ");
    print_count(devices, "device", "s", ", ");
    print_count(tags, "tag", "s", ", ");
    print_count(s->bridge_count, "bridge", "s", "\n");
}

static int check(const char *path, bool with_requests)
{
    struct settings *settings = NULL;
    struct buf report = {0};
    int r = config_load(path, &report, &settings);

    if (buf_len(&report) > 0)
        fwrite(buf_data(&report), 1, buf_len(&report), stdout);
    buf_fini(&report);
    if (r == 0) {
        print_summary(path, settings);
        r = cli_plan_print(settings, with_requests);
    }
    if (r == -ENOMEM)
        fprintf(stderr, "wirepost: out of memory\n");
    settings_free(settings);
    return r == 0 ? 0 : 1;
}

static int check_template(const char *path)
{
    struct buf report = {0};
    int r = config_check_template(path, &report);

    if (buf_len(&report) > 0)
        fwrite(buf_data(&report), 1, buf_len(&report), stdout);
    else if (r == 0)
        printf("%s: no findings\n", path);
    if (r == -ENOMEM)
        fprintf(stderr, "wirepost: out of memory\n");
    buf_fini(&report);
    return r == 0 ? 0 : 1;
}

static int check_templates(int count, char **paths)
{
    int status = 0;

    if (count == 0)
        return usage(stderr, EXIT_USAGE);
    for (int i = 0; i < count; i++)
        status |= check_template(paths[i]);
    return status;
}

int cli_check(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"plan", no_argument, NULL, 'p'},
        {"template", no_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *path = CONFIG_DEFAULT_PATH;
    bool with_requests = false;
    bool templates = false;
    int c;

    while ((c = getopt_long(argc, argv, "c:pth", options, NULL)) != -1) {
        if (c == 'h')
            return usage(stdout, 0);
        if (c == 'p')
            with_requests = true;
        else if (c == 't')
            templates = true;
        else if (c == 'c')
            path = optarg;
        else
            return usage(stderr, EXIT_USAGE);
    }
    if (templates)
        return check_templates(argc - optind, argv + optind);
    if (optind < argc)
        return usage(stderr, EXIT_USAGE);
    return check(path, with_requests);
}
