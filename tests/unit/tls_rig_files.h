/*
 * tls_rig_files - the temporary folder of tls_rig.h: rig_teardown() removes
 * it with all that was written there.
 */
#ifndef WP_TESTS_TLS_RIG_FILES_H
#define WP_TESTS_TLS_RIG_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RIG_PATH = 64, RIG_FILES = 40 };

static char rig_folder[] = "/tmp/wirepost-tls-XXXXXX";
static char rig_paths[RIG_FILES][RIG_PATH];
static size_t rig_count;

/* What follows is written into the current folder instead. */
static inline void rig_here(void)
{
    snprintf(rig_folder, sizeof(rig_folder), ".");
}

/* The path of a file in the folder, which goes with it. */
static const char *rig_path(const char *name)
{
    for (size_t i = 0; i < rig_count; i++)
        if (strcmp(strrchr(rig_paths[i], '/') + 1, name) == 0)
            return rig_paths[i];
    assert_true(rig_count < RIG_FILES);
    snprintf(rig_paths[rig_count], RIG_PATH, "%s/%s", rig_folder, name);
    return rig_paths[rig_count++];
}

static FILE *rig_open(const char *name)
{
    FILE *f = fopen(rig_path(name), "w");

    assert_non_null(f);
    return f;
}

static inline const char *rig_write(const char *name, const char *text)
{
    FILE *f = rig_open(name);

    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    return rig_path(name);
}

static inline int rig_setup(void **state)
{
    (void)state;
    return mkdtemp(rig_folder) ? 0 : -1;
}

static void rig_remove_files(void)
{
    while (rig_count > 0)
        unlink(rig_paths[--rig_count]);
}

static inline int rig_teardown(void **state)
{
    (void)state;
    rig_remove_files();
    return rmdir(rig_folder);
}

#endif
