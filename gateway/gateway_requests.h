/*
 * gateway_requests - what people ask of the running gateway. Nobody but the gateway includes it.
 *
 *   gateway_requests.c  the names there are, and the socket
 *   gateway_jobs.c      scan, read and write, carried out between the polls of a bus
 *   gateway_sets.c      set: tags, as by their set topics
 *   gateway_status.c    status
 *   gateway_queries.c   check, reload, log, frames, audit
 *   gateway_answers.c   wp/<id>/request/<name> -> wp/<id>/response/<name>
 *
 * A new request is a handler and a row in gateway_requests.c.
 */
#ifndef WP_GATEWAY_REQUESTS_H
#define WP_GATEWAY_REQUESTS_H

#include "control/requests.h"
#include "core/list.h"

struct gateway;
struct gateway_requests;

/* A socket that cannot be made is logged, and no reason not to start. 0 or -ENOMEM. */
int gateway_start_requests(struct gateway *gw);

/* Nobody is answered any more. Jobs end as their buses do. */
void gateway_stop_requests(struct gateway *gw);

/* When buses and store have ended. Accepts a gateway without. */
void gateway_free_requests(struct gateway *gw);

/* gateway_jobs.c */
void gateway_request_scan(void *gateway, struct control_request *rq, const cJSON *body);
void gateway_request_read(void *gateway, struct control_request *rq, const cJSON *body);
void gateway_request_write(void *gateway, struct control_request *rq, const cJSON *body);
void gateway_end_jobs(struct gateway *gw); /* when the buses have ended */

/* gateway_sets.c. 0 or -errno. */
void gateway_request_set(void *gateway, struct control_request *rq, const cJSON *body);
int gateway_start_sets(struct gateway *gw);
void gateway_stop_sets(struct gateway *gw); /* Accepts a gateway without. */

/* gateway_status.c */
void gateway_request_status(void *gateway, struct control_request *rq, const cJSON *body);

/* gateway_queries.c */
void gateway_request_audit(void *gateway, struct control_request *rq, const cJSON *body);
void gateway_request_check(void *gateway, struct control_request *rq, const cJSON *body);
void gateway_request_frames(void *gateway, struct control_request *rq, const cJSON *body);
void gateway_request_log(void *gateway, struct control_request *rq, const cJSON *body);
void gateway_request_reload(void *gateway, struct control_request *rq, const cJSON *body);

/* gateway_answers.c: requests by MQTT. 0 or -errno. */
struct gateway_answers;
int gateway_start_answers(struct gateway *gw, struct requests *requests, struct gateway_answers **ret_answers);
void gateway_stop_answers(struct gateway_answers *all); /* Accepts NULL. */

#endif
