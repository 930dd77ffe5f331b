/*
 * link_answer - finds the answer among what a serial line delivers after a request. Pure.
 *
 *   noise | copy of the request | frames of other units, late ones | answer
 *
 * A frame is what has the length its function says, and a right checksum. It is the answer when unit, function and
 * length are as asked, or an exception to it. An adapter that hears itself returns
 * the request (echo): it is passed over. To a write of one value echo and answer are the same bytes, so then what was
 * seen of earlier requests decides.
 */
#ifndef WP_LINK_ANSWER_H
#define WP_LINK_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/link_frame.h"
#include "drivers/link_trace.h"

enum { ANSWER_ROOM = 2 * RTU_FRAME_MAX };

struct answer {
    uint8_t request[RTU_FRAME_MAX];
    size_t request_len;
    size_t want;    /* bytes of a good answer's frame; 0: any */
    bool echoes;    /* the line returns what is sent: learnt, kept from one request to the next */
    bool echoed;    /* this request was returned */
    bool damaged;   /* something was the answer but for its checksum */
    bool owed[256]; /* by unit: the last request was not answered in time; kept, and set by the caller */
    const struct link_trace *trace; /* sees what is passed over; NULL: nobody does */
    size_t others;                  /* whole frames that are not the answer */
    size_t skipped;                 /* bytes that are no frame */
    uint8_t bytes[ANSWER_ROOM];
    size_t len;
};

/* Forgets the last one. `request`: the whole frame. */
void answer_begin(struct answer *a, const uint8_t *request, size_t len, size_t want);

/* Looks after bytes[len] was filled up and len raised. The length of the answer, which then is at bytes[0]; 0: not
 * there yet, and *ret_missing is what is missing of a frame that may be the answer (0: there is none). Other frames of
 * units that owe one count in `late`. */
size_t answer_look(struct answer *a, uint32_t late[256], size_t *ret_missing);

/* For functions whose answers have any length: takes the request away that a line known to echo has returned. */
void answer_drop_echo(struct answer *a);

/* Counts the whole frames among bytes[0] to bytes[len - 1]: nobody was waiting, so all are late
 * (late: NULL to count none). Forgets the bytes. */
void answer_count(struct answer *a, uint32_t late[256]);

#endif
