/*
 * requests - what people and programs ask of the running gateway, by name.
 *
 *   control.sock, MQTT -> requests_begin() -> the handler of that name -> request_tell() ... request_end()
 *
 * A request is a JSON object; so is each answer, with a "status". The last one's is "done", "failed" or
 * "cancelled". A handler answers at once or later. Loop thread only.
 */
#ifndef WP_CONTROL_REQUESTS_H
#define WP_CONTROL_REQUESTS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/json.h"
#include "core/str.h"

struct control_request;
struct requests;

enum request_from {
    REQUEST_FROM_SOCKET, /* somebody with the rights to the socket file */
    REQUEST_FROM_MQTT,   /* whoever the broker lets publish there */
};

/* `body` is a JSON object, borrowed during the call. Must lead to exactly one request_end(), _fail(), _done() or
 * _finish(). */
typedef void request_fn(void *arg, struct control_request *rq, const cJSON *body);

struct request_kind {
    const char *name; /* NULL ends a table */
    request_fn *begin;
};

/* Kinds are borrowed. `max`: most requests at once. NULL when out of memory. */
struct requests *requests_new(const struct request_kind *kinds, size_t max, void *arg);
void requests_free(struct requests *rs); /* All have ended. Accepts NULL. */

/* For handlers. Each of those that end it frees the request. */
enum request_from request_from(const struct control_request *rq);
const char *request_who(const struct control_request *rq);        /* for the audit */
void request_tell(struct control_request *rq, struct str object); /* more follow */
void request_end(struct control_request *rq, struct str object);  /* the last */
void request_done(struct control_request *rq);                    /* {"id":...,"status":"done"} */
void request_finish(struct control_request *rq);                  /* the last has been told already */
void request_fail(struct control_request *rq, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Begins an answer in `out`, with its "id" and "status"; the handler goes on and closes the object. */
struct json request_object(const struct control_request *rq, const char *status, struct buf *out);

/* Called once when nobody wants to know any more; the handler ends the request then, or soon. */
typedef void request_cancel_fn(void *arg);
void request_on_cancel(struct control_request *rq, request_cancel_fn *fn, void *arg);

/* For those who bring requests. `answer` is called for each object, with an empty one if the last has been told. */
typedef void request_answer_fn(void *arg, struct str object, bool last);

/* Runs the handler; `who` is copied. The request, or NULL when it has ended already: it has been answered. */
struct control_request *requests_begin(struct requests *rs, enum request_from from, struct str who, const char *name,
                                       const cJSON *body, request_answer_fn *answer, void *arg);

/* Nobody listens any more: no answer is called from now on. */
void request_abandon(struct control_request *rq);

/* Asks for its end; the answers go on until then. */
void request_cancel(struct control_request *rq);

/* Whether its "id" is this one; NULL: it has none. */
bool request_has_id(const struct control_request *rq, const cJSON *id);

#endif
