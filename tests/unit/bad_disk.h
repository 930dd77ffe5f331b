/*
 * bad_disk - makes every write of SQLite fail with an error of the test's
 * choice, as a full or dying disk would. Any thread.
 */
#ifndef WP_TESTS_BAD_DISK_H
#define WP_TESTS_BAD_DISK_H

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/str.h"

/* 0, or what every write of SQLite fails with. */
static _Atomic int bad_disk_errno;

static inline ssize_t bad_disk_pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (atomic_load(&bad_disk_errno)) {
        errno = atomic_load(&bad_disk_errno);
        return -1;
    }
    return pwrite(fd, data, len, at);
}

/* Before the first store is opened. */
static inline void bad_disk_install(void)
{
    static const char *const calls[] = {"pwrite", "pwrite64"};
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        vfs->xSetSystemCall(vfs, calls[i], (sqlite3_syscall_ptr)bad_disk_pwrite);
}

#endif
