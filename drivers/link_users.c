/*
 * link_users - who else has a serial port open.
 *
 * Two programs on one line take each other's answers, and most that open a port lock nothing. So
 * the processes are looked through before it is opened. One that has a pty's other end open too
 * stands for the line, and may have both.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/link_impl.h"

struct found {
    bool port;
    bool pty_master;
};

static void look_at(int folder, const char *name, dev_t device, struct found *found)
{
    struct stat st;
    char target[32];
    ssize_t len;

    if (fstatat(folder, name, &st, 0) < 0 || !S_ISCHR(st.st_mode))
        return;
    if (st.st_rdev == device)
        found->port = true;
    len = readlinkat(folder, name, target, sizeof(target) - 1);
    if (len > 0) {
        target[len] = '\0';
        if (strcmp(target, "/dev/ptmx") == 0 || strcmp(target, "/dev/pts/ptmx") == 0)
            found->pty_master = true;
    }
}

/* Its descriptors, as far as they may be seen. */
static bool uses(const char *pid, dev_t device)
{
    struct found found = {0};
    const struct dirent *entry;
    char path[300];
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    dir = opendir(path);
    if (!dir)
        return false;
    while ((entry = readdir(dir)))
        look_at(dirfd(dir), entry->d_name, device, &found);
    closedir(dir);
    return found.port && !found.pty_master;
}

static void name_of(const char *pid, char *ret_name, size_t size)
{
    char path[300];
    char name[32] = "?";
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    f = fopen(path, "re");
    if (f && fgets(name, sizeof(name), f))
        name[strcspn(name, "\n")] = '\0';
    if (f)
        fclose(f);
    snprintf(ret_name, size, "%s (process %s)", name, pid);
}

bool link_find_user(dev_t device, char *ret_name, size_t size)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    bool found = false;

    if (!proc)
        return false;
    while (!found && (entry = readdir(proc))) {
        if (!isdigit((unsigned char)entry->d_name[0]) || strtol(entry->d_name, NULL, 10) == getpid())
            continue;
        found = uses(entry->d_name, device);
        if (found)
            name_of(entry->d_name, ret_name, size);
    }
    closedir(proc);
    return found;
}
