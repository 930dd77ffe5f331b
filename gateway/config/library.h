/*
 * library - every device template there is, for those who look for the one that fits a device.
 *
 * A user's own template hides the shipped one of the same name. Names are listed
 * at once; a template is read when it is first asked for. One thread.
 */
#ifndef WP_CONFIG_LIBRARY_H
#define WP_CONFIG_LIBRARY_H

#include <stddef.h>

#include "bus/bus_settings.h"

struct library;

/* Templates are looked for beside `config_path` too, whether there is such a file or not. 0 or -errno. */
int library_open(const char *config_path, struct library **ret_library);
void library_free(struct library *lib); /* Accepts NULL. */

size_t library_count(const struct library *lib);

/* What a template says of itself; "" for what it does not say. */
struct template_about {
    const char *name; /* of its file, which is what devices say */
    const char *path;
    const char *summary;
    const char *manufacturer;
    const char *model;
    const char *source;
    const char *verified;
    const char *delivered;
    size_t tag_count;
};

/* The texts are the library's. 0, -EINVAL when it is no YAML, or why it cannot be read; name and path are filled then
 * too. */
int library_about(struct library *lib, size_t index, struct template_about *ret_about);

/* A device made of the template alone, with its defaults; the library's. NULL when the template has errors. */
const struct device_settings *library_device(struct library *lib, size_t index);

#endif
