/*
 * plugin_file - a shared object and the plugin in it, or why it is none, in words that say what to do. Loop thread
 * only.
 */
#ifndef WP_BROKER_PLUGIN_FILE_H
#define WP_BROKER_PLUGIN_FILE_H

#include "include/wirepost/plugin.h"

enum { PLUGIN_WHY = 256 };

struct plugin_file {
    void *library;
    const char *name;          /* the plugin's */
    struct wirepost_plugin is; /* as this version knows it: what it does not have is NULL */
    char why[PLUGIN_WHY];      /* after a failure */
};

/* 0 or -errno. */
int plugin_file_open(const char *path, struct plugin_file *ret_file);
void plugin_file_close(struct plugin_file *f);

#endif
