/*
 * config - from a YAML file to checked settings, or to a list of everything
 * that is wrong with it.
 *
 *   file -> tree (every node knows its place) -> schema table -> settings -> whole-file rules
 */
#ifndef WP_CONFIG_H
#define WP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "config/settings.h"
#include "core/buf.h"

#define CONFIG_DEFAULT_PATH "/etc/wirepost/wirepost.yaml"

/*
 * Reads `path` and its conf.d, templates included. Every finding is appended to
 * `report` as one line "file:line:column: error: ..." or "...: warning: ..."
 * (without line and column when a file cannot be read), and after them "N errors, N warnings".
 * 0 and the settings (settings_free() them), or -EINVAL when there was an
 * error, -ENOENT, -EACCES, ... when the file itself cannot be read (reported too), -ENOMEM.
 */
int config_load(const char *path, struct buf *report, struct settings **ret_settings);

/* The same for a text that was never a file, with `name` for its place in the report; it has no conf.d.
 * Templates are looked for in template_dir first (NULL: only where they always are). */
int config_load_text(const char *name, struct str text, const char *template_dir, struct buf *report,
                     struct settings **ret_settings);

/* Checks one template, and looks for the mistakes that are made when register maps are copied: those are warnings.
 * Findings go to `report` as above. 0, -EINVAL when there was an error, or why it cannot be read (reported too). */
int config_check_template(const char *path, struct buf *report);

/* Whether the file describes a kind of device, and not a whole configuration. Any doubt: false. */
bool config_is_template(const char *path);

#endif
