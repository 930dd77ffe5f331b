/*
 * page - the files of page/, embedded by embed.cmake. Constant.
 */
#ifndef WP_WEB_PAGE_H
#define WP_WEB_PAGE_H

#include <stddef.h>
#include <stdint.h>

struct page_file {
    const char *path; /* "/app.js" */
    const char *type;
    const char *etag; /* with its quotes */
    const uint8_t *data;
    size_t len;
};

extern const struct page_file page_files[];
extern const size_t page_file_count;

#endif
