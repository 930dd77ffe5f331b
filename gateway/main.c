/* wirepost - the subcommands of the one binary, nothing else. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "core/str.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"check", cli_check, "check a configuration and say everything that is wrong with it"},
    {"passwd", cli_passwd, "give a user of the broker a password"},
    {"pub", cli_pub, "publish to an MQTT broker"},
    {"read", cli_read, "read registers or bits, as everything they may mean"},
    {"rpc", cli_rpc, "send a request to an MQTT broker and print the answer"},
    {"run", cli_run, "the gateway, in the foreground"},
    {"scan", cli_scan, "find the devices on a line"},
    {"simulate", cli_simulate, "serve the devices of a configuration, with values that move"},
    {"status", cli_status, "how the gateway that runs stands"},
    {"sub", cli_sub, "subscribe to an MQTT broker and print what comes"},
    {"templates", cli_templates, "list the device templates there are"},
    {"write", cli_write, "write registers or coils"},
};

static int usage(FILE *to, int status)
{
    fprintf(to, "Usage: wirepost COMMAND [OPTION]...\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fprintf(to, "\nwirepost COMMAND --help tells more; wirepost --version tells the version.\n");
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr, EXIT_USAGE);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return usage(stdout, 0);
    if (strcmp(argv[1], "--version") == 0) {
        printf("wirepost %s\n", WIREPOST_VERSION);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);

    fprintf(stderr, "wirepost: unknown command '%s'\n", argv[1]);
    return usage(stderr, EXIT_USAGE);
}
