/*
 * write_job - one request under way, with copies of all that its results need: its device may be gone before them.
 * Private to write/.
 */
#ifndef WP_WRITE_WRITE_JOB_H
#define WP_WRITE_WRITE_JOB_H

#include "bus/command.h"
#include "core/str.h"
#include "write/request.h"

struct arena;
struct writer;

struct job_entry {
    const char *name;
    struct str text;      /* the value that was asked for */
    struct str json;      /* as a reading will show it; before it was checked: as it was given */
    struct str before;    /* the value it replaces, "" if not known */
    const char *failsafe; /* of the tag; NULL: none */
    int64_t failsafe_after_ms;
};

struct write_job {
    struct list_node node; /* in the writer's jobs, once it was submitted */
    struct command command;
    struct writer *writer;
    struct arena *arena; /* holds this too */
    const char *device;
    struct str who;
    struct str id; /* as JSON */
    struct str response_topic;
    struct str correlation;
    struct job_entry *entries; /* one for each item of the command */
    size_t count;
};

/* A copy of a request with room for its command. NULL when out of memory. */
struct write_job *write_job_new(const struct write_request *req, struct arena *arena);

/* Accepts NULL. */
void write_job_free(struct write_job *job);

/* NULL when out of memory. */
struct write_job *write_job_new_single(const char *device, const char *tag, struct str value);

/* A copy in the job's arena; "" when out of memory. */
struct str write_job_keep(struct write_job *job, struct str text);

#endif
