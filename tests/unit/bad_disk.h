/*
 * bad_disk - makes the writes of SQLite fail as a full or dying disk would, and
 * damages files. Any thread.
 */
#ifndef WP_TESTS_BAD_DISK_H
#define WP_TESTS_BAD_DISK_H

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/str.h"

/* 0, or what every write of SQLite fails with. */
static _Atomic int bad_disk_errno;

/* 0, or how large the file at bad_disk_path and its log may become together. */
static _Atomic uint64_t bad_disk_quota;
static const char *bad_disk_path;

static inline uint64_t bad_disk_used(void)
{
    char log[128];
    struct stat file = {0};
    struct stat wal = {0};

    snprintf(log, sizeof(log), "%s-wal", bad_disk_path);
    stat(bad_disk_path, &file);
    stat(log, &wal);
    return (uint64_t)file.st_size + (uint64_t)wal.st_size;
}

static inline bool bad_disk_is_full(int fd, off_t end)
{
    const uint64_t quota = atomic_load(&bad_disk_quota);
    struct stat st;

    if (!quota || fstat(fd, &st) < 0 || end <= st.st_size)
        return false;
    return bad_disk_used() + (uint64_t)(end - st.st_size) > quota;
}

static inline ssize_t bad_disk_pwrite(int fd, const void *data, size_t len, off_t at)
{
    int error = atomic_load(&bad_disk_errno);

    if (!error && bad_disk_is_full(fd, at + (off_t)len))
        error = ENOSPC;
    if (error) {
        errno = error;
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

static inline void bad_disk_write(const char *path, off_t at, const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    close(fd);
}

/* Fills the file behind its header page with something else. */
static inline void bad_disk_spoil(const char *path)
{
    struct stat st;
    char junk[4096];

    memset(junk, 0x5a, sizeof(junk));
    assert_int_equal(stat(path, &st), 0);
    for (off_t at = 4096; at < st.st_size; at += 4096)
        bad_disk_write(path, at, junk, sizeof(junk));
}

#endif
