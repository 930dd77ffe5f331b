/* passwd - adds, changes and removes users of a users file. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "access/file_lines.h"
#include "access/password.h"
#include "access/users.h"
#include "cli/cli.h"
#include "core/buf.h"

struct passwd_options {
    const char *path;
    const char *user;
    bool remove;
    bool from_stdin;
    const char *given; /* -b; NULL: asked for */
};

static int usage(FILE *to, int status)
{
    fprintf(to, "Usage: wirepost passwd [OPTION]... FILE USER\n"
                "       wirepost passwd -b FILE USER PASSWORD\n"
                "       wirepost passwd -D FILE USER\n\n"
                "Gives a user of the file that broker.users names a password, adding him if he is not\n"
                "there. The file is made if there is none, for its owner alone; it is replaced as a\n"
                "whole, and keeps its owner and mode. A running gateway reads it again on SIGHUP.\n\n"
                "The password is asked for twice on the terminal; without one it is read from standard input.\n\n"
                "  -s, --stdin        read the password from standard input, up to the end of its line\n"
                "  -b, --batch        the password is the last argument: others on this machine may see it\n"
                "  -D, --delete       remove the user\n"
                "  -h, --help         this text\n\n"
                "Hashes are yescrypt's, by crypt(3). Lines that mosquitto_passwd has made may be in the\n"
                "same file, and keep working.\n\n"
                "Exit status: 0 done, 1 it failed, 64 wrong usage.\n");
    return status;
}

static int complain(const char *path, const char *what, int error)
{
    fprintf(stderr, "wirepost: %s: %s (%s)\n", path, what, strerror(error));
    return -error;
}

/* ---- the password ---- */

/* A line without its end. False: nothing came, or too much. */
static bool read_line(FILE *from, char *text, size_t size)
{
    size_t len;

    if (!fgets(text, (int)size, from))
        return false;
    len = strcspn(text, "\r\n");
    if (text[len] == '\0' && len + 1 == size)
        return false;
    text[len] = '\0';
    return true;
}

/* Signals that end the program must not leave the terminal without echo: they wait. */
static bool ask(FILE *terminal, const char *prompt, char *text, size_t size)
{
    struct termios before;
    struct termios quiet;
    sigset_t ending;
    sigset_t mask;
    bool done;

    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGTSTP);
    if (tcgetattr(fileno(terminal), &before) < 0)
        return false;
    quiet = before;
    quiet.c_lflag &= (tcflag_t) ~(unsigned)ECHO;
    sigprocmask(SIG_BLOCK, &ending, &mask);
    tcsetattr(fileno(terminal), TCSAFLUSH, &quiet);
    dprintf(fileno(terminal), "%s", prompt);
    done = read_line(terminal, text, size);
    tcsetattr(fileno(terminal), TCSAFLUSH, &before);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    dprintf(fileno(terminal), "\n");
    return done;
}

static int ask_twice(FILE *terminal, char *text, size_t size)
{
    char again[PASSWORD_MAX + 2];
    bool same = ask(terminal, "Password: ", text, size) && ask(terminal, "Password again: ", again, sizeof(again)) &&
                strcmp(text, again) == 0;

    explicit_bzero(again, sizeof(again));
    if (!same)
        fprintf(stderr, "wirepost: the two are not the same\n");
    return same ? 0 : -EINVAL;
}

static int read_password(const struct passwd_options *o, char *text, size_t size)
{
    FILE *terminal = o->from_stdin ? NULL : fopen("/dev/tty", "r+e");
    int r = 0;

    if (terminal) {
        r = ask_twice(terminal, text, size);
        fclose(terminal);
    } else if (!read_line(stdin, text, size)) {
        fprintf(stderr, "wirepost: no password of 1 to %d bytes on standard input\n", PASSWORD_MAX);
        r = -EINVAL;
    }
    return r;
}

static int make_hash(const struct passwd_options *o, char ret_hash[PASSWORD_HASH_SIZE])
{
    char text[PASSWORD_MAX + 2] = "";
    int r = o->given ? 0 : read_password(o, text, sizeof(text));

    if (r < 0)
        return r;
    r = password_hash(str_of(o->given ? o->given : text), ret_hash);
    explicit_bzero(text, sizeof(text));
    if (r == -EINVAL)
        fprintf(stderr, "wirepost: a password has 1 to %d bytes\n", PASSWORD_MAX);
    else if (r < 0)
        fprintf(stderr, "wirepost: cannot hash the password (%s)\n", strerror(-r));
    return r;
}

/* ---- the file ---- */

/* -ENOENT when there is none. */
static int read_file(const char *path, struct buf *out, struct stat *ret_st)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 || fstat(fd, ret_st) < 0 ? -errno : 0;

    if (r == 0 && !S_ISREG(ret_st->st_mode))
        r = -EINVAL;
    while (r == 0 && buf_len(out) <= USERS_MAX_BYTES) {
        uint8_t *room = buf_reserve(out, 65536);
        ssize_t n = room ? read(fd, room, 65536) : 0;

        if (!room)
            r = -ENOMEM;
        else if (n < 0)
            r = errno == EINTR ? 0 : -errno;
        else if (n == 0)
            break;
        else
            buf_commit(out, (size_t)n);
    }
    if (r == 0 && buf_len(out) > USERS_MAX_BYTES)
        r = -EFBIG;
    if (fd >= 0)
        close(fd);
    return r;
}

static bool is_of(struct str line, struct str user)
{
    return line.len > user.len && line.data[user.len] == ':' && str_starts_with(line, user);
}

/* Everything else stays as it stands. hash: NULL to remove the user. True when he was there. */
static bool change_lines(struct str text, struct str user, const char *hash, struct buf *out)
{
    bool found = false;

    while (text.len > 0) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        bool his = is_of(text_trim((struct str){.data = text.data, .len = len}), user);

        if (his && hash && !found)
            buf_printf(out, STR_FMT ":%s\n", STR_ARG(user), hash);
        if (!his) {
            buf_append(out, text.data, len);
            buf_put_u8(out, '\n');
        }
        found |= his;
        len += end ? 1 : 0;
        text.data += len;
        text.len -= len;
    }
    if (!found && hash)
        buf_printf(out, STR_FMT ":%s\n", STR_ARG(user), hash);
    return found;
}

static int write_all(int fd, struct str text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.data, text.len);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            text.data += n;
            text.len -= (size_t)n;
        }
    }
    return 0;
}

/* Owner and mode of the file that is replaced; one's own when there is none. */
static int give_owner(int fd, const struct stat *before)
{
    if (!before)
        return fchmod(fd, 0600) < 0 ? -errno : 0;
    if ((before->st_uid != geteuid() || before->st_gid != getegid()) && fchown(fd, before->st_uid, before->st_gid) < 0)
        return -errno;
    return fchmod(fd, before->st_mode & 07777) < 0 ? -errno : 0;
}

/* The directory of the file. While it is open others of this program wait: what they change would be lost. -1: errno.
 */
static int open_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    free(dir);
    if (fd >= 0)
        flock(fd, LOCK_EX); /* some file systems have no locks */
    return fd;
}

/* The rename is on disk when this returns. */
static int replace_file(const char *path, int directory, struct str text, const struct stat *before)
{
    char *temporary = NULL;
    int fd;
    int r;

    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return -ENOMEM;
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        r = -errno;
        free(temporary);
        return r;
    }
    r = write_all(fd, text);
    if (r == 0)
        r = give_owner(fd, before);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    close(fd);
    if (r == 0 && rename(temporary, path) < 0)
        r = -errno;
    if (r < 0)
        unlink(temporary);
    else if (fsync(directory) < 0)
        r = -errno;
    free(temporary);
    return r;
}

/* A link is followed: what it names is replaced. */
static int change_file(const struct passwd_options *o, const char *hash)
{
    char *real = realpath(o->path, NULL);
    const char *path = real ? real : o->path;
    int directory = open_directory(path);
    struct buf text = {0};
    struct buf out = {0};
    struct stat st;
    int r = directory < 0 ? -errno : read_file(path, &text, &st);
    bool is_new = directory >= 0 && r == -ENOENT;
    bool found;

    if (r < 0 && !(is_new && hash)) {
        complain(o->path, "cannot read it", -r);
        goto done;
    }
    found = change_lines(buf_str(&text), str_of(o->user), hash, &out);
    r = buf_failed(&out) ? -ENOMEM : 0;
    if (!hash && !found) {
        fprintf(stderr, "wirepost: %s: there is no user '%s'\n", o->path, o->user);
        r = -ENOENT;
        goto done;
    }
    if (r == 0)
        r = replace_file(path, directory, buf_str(&out), is_new ? NULL : &st);
    if (r < 0)
        complain(o->path, "cannot write it", -r);

done:
    buf_fini(&text);
    buf_fini(&out);
    if (directory >= 0)
        close(directory);
    free(real);
    return r;
}

static int run(const struct passwd_options *o)
{
    const char *problem = user_name_problem(str_of(o->user));
    char hash[PASSWORD_HASH_SIZE];

    if (problem && !o->remove) {
        fprintf(stderr, "wirepost: nobody can have this user name: %s\n", problem);
        return 1;
    }
    if (!o->remove && make_hash(o, hash) < 0)
        return 1;
    return change_file(o, o->remove ? NULL : hash) < 0 ? 1 : 0;
}

int cli_passwd(int argc, char **argv)
{
    static const struct option options[] = {
        {"batch", no_argument, NULL, 'b'},
        {"delete", no_argument, NULL, 'D'},
        {"stdin", no_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct passwd_options o = {0};
    bool batch = false;
    int c;

    while ((c = getopt_long(argc, argv, "bDsh", options, NULL)) != -1) {
        if (c == 'h')
            return usage(stdout, 0);
        if (c == 'b')
            batch = true;
        else if (c == 'D')
            o.remove = true;
        else if (c == 's')
            o.from_stdin = true;
        else
            return usage(stderr, EXIT_USAGE);
    }
    if (batch + o.remove + o.from_stdin > 1 || argc - optind != (batch ? 3 : 2))
        return usage(stderr, EXIT_USAGE);
    o.path = argv[optind];
    o.user = argv[optind + 1];
    if (batch)
        o.given = argv[optind + 2];
    return run(&o);
}
