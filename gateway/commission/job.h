/*
 * job - something a person wants from the devices of one line: a scan, a read, a write.
 *
 *   job_next() -> question -> whoever has the line -> answer -> job_answer() -> job_next() ...
 *        `-> tells: JSON objects, each with a "status"; the last one says how it ended
 *
 * No I/O and no clock. The daemon runs a job between the polls of a bus; where no daemon runs,
 * `wirepost scan` runs the same job on a port that it opened itself. One thread.
 */
#ifndef WP_COMMISSION_JOB_H
#define WP_COMMISSION_JOB_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/str.h"

enum { QUESTION_PDU_MAX = 253 };

/* One request to one unit. */
struct question {
    uint8_t unit;
    bool once;   /* nothing else is asked of this unit soon: a late answer cannot be mistaken */
    size_t want; /* bytes of a good answer; 0: not known */
    int64_t timeout_ms;
    const struct port_settings *port; /* other settings of the line, the job's; NULL: its own */
    size_t len;
    uint8_t pdu[QUESTION_PDU_MAX];
};

struct answer {
    int result;        /* bytes at pdu, or an error as in link.h */
    uint8_t exception; /* of -EREMOTEIO */
    const uint8_t *pdu;
    int64_t took_us;
};

/* What jobs are made on. Borrowed until the last of them is freed. */
struct job_site {
    const struct bus_settings *buses;
    size_t bus_count;
    const char *config_path; /* templates are looked for beside it */
    bool polled;             /* by the daemon, meanwhile: a job gets the bus's commands.share_percent */
};

struct job_error {
    char code[24]; /* "bad_request", "no_such_bus", ... */
    char text[256];
};

struct job;

/* One JSON object, borrowed during the call. */
typedef void job_tell_fn(void *arg, struct str object);

/* `kind`: "scan", "read" or "write". `request` is borrowed; an "id" in it is in all that is told. 0; -EINVAL:
 * *ret_error says why; -ENOMEM. */
int job_new(const struct job_site *site, const char *kind, const cJSON *request, job_tell_fn *tell, void *arg,
            struct job **ret_job, struct job_error *ret_error);
void job_free(struct job *j); /* Accepts NULL. */

/* The line it is about: an index into the site's buses. */
size_t job_bus(const struct job *j);

/* True for a scan: one at a time on a line is enough. */
bool job_is_long(const struct job *j);

enum job_step {
    JOB_ASK,   /* *ret_question is to be asked, its answer told, before the next call */
    JOB_AGAIN, /* it worked for a while: call again, after others had their turn */
    JOB_DONE,  /* it has told its end: free it */
};
enum job_step job_next(struct job *j, int64_t now_ms, struct question *ret_question);
void job_answer(struct job *j, const struct answer *a);

/* Ends it: it tells what it knows so far. Not between a question and its answer. */
void job_cancel(struct job *j);

/* Writes {"id":...,"status":"failed","code":...,"error":...} as the last object of a request. */
struct buf;
void job_print_failure(const cJSON *request, const struct job_error *error, struct buf *out);

/* "no answer", "exception 2 (illegal data address)", ... */
enum { JOB_REASON_LEN = 64 };
const char *job_reason(const struct answer *a, char ret_text[JOB_REASON_LEN]);

#endif
