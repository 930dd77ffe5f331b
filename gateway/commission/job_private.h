/*
 * job_private - what the kinds of jobs share. Included by commission/ only.
 *
 *   job.c      what they have in common        scan.c    scan, the order of its questions
 *   fields.c   the keys of a request           found.c   what a scan knows of a unit that answered
 *   pdu.c      requests and answers as bytes   match.c   which template a unit looks like
 *   read.c     read                            identity.c  what a device says it is
 *   write.c    write
 */
#ifndef WP_COMMISSION_JOB_PRIVATE_H
#define WP_COMMISSION_JOB_PRIVATE_H

#include "commission/job.h"
#include "core/buf.h"
#include "core/json.h"

struct job_ops {
    enum job_step (*next)(struct job *j, int64_t now_ms, struct question *ret_question);
    void (*answer)(struct job *j, const struct answer *a);
    /* Tells the last object. */
    void (*end)(struct job *j, const char *status);
    void (*free)(struct job *j);
};

struct job {
    const struct job_ops *ops;
    const struct job_site *site;
    const struct bus_settings *bus;
    job_tell_fn *tell;
    void *arg;
    char *id; /* as JSON; NULL if there is none */
    bool is_long;
    bool ended;
    struct job_error error; /* code "": none */
    struct buf out;
};

/* Each reads its request; a job that was begun is in *ret_job even then. */
struct fields;
int scan_new(const struct job_site *site, struct fields *f, struct job **ret_job);
int read_new(const struct job_site *site, struct fields *f, struct job **ret_job);
int write_new(const struct job_site *site, struct fields *f, struct job **ret_job);

/* Begins an object with "id" and "status"; the caller goes on and ends with job_send(). */
struct json job_begin(struct job *j, const char *status);
void job_send(struct job *j, struct json *out);

/* The job ends with this error. */
void job_fail(struct job *j, const char *code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* An answer that ends any job: the line is gone, or too busy. */
bool job_line_failed(struct job *j, const struct answer *a);

#endif
