/*
 * cli - one function and one file per subcommand of the wirepost binary.
 *
 * Each gets its own argc and argv (argv[0] is the subcommand) and returns the exit
 * status: 0 well, 1 it failed (said why on stderr), 64 wrong usage (EX_USAGE).
 */
#ifndef WP_CLI_H
#define WP_CLI_H

int cli_check(int argc, char **argv);
int cli_passwd(int argc, char **argv);
int cli_pub(int argc, char **argv);
int cli_read(int argc, char **argv);
int cli_rpc(int argc, char **argv);
int cli_run(int argc, char **argv);
int cli_scan(int argc, char **argv);
int cli_simulate(int argc, char **argv);
int cli_status(int argc, char **argv);
int cli_sub(int argc, char **argv);
int cli_templates(int argc, char **argv);
int cli_write(int argc, char **argv);

enum { EXIT_USAGE = 64 };

#endif
