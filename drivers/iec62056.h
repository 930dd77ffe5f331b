/*
 * iec62056 - how a meter with an optical head is woken: IEC 62056-21, mode C (and A, which has no choice of speed).
 *
 *   300 baud    /?!                  ->   request, to any meter
 *               /ISK5...             <-   its name; the fourth character behind the slash is the speed it offers
 *               ACK 0 5 0            ->   "send what you have at that speed"
 *   9600 baud   STX ... ! ETX BCC    <-   a frame like any other
 */
#ifndef WP_DRIVERS_IEC62056_H
#define WP_DRIVERS_IEC62056_H

#include <stdint.h>

#include "core/str.h"

struct link;

enum { IEC62056_BASE_BAUD = 300, IEC62056_NAME_MS = 4000 };

/* What an identification says: the baud rate of the telegram, and the character for it; 0 baud: the base rate, without
 * an acknowledgement. -EBADMSG: it is none. */
int iec62056_read_name(struct str line, int32_t *ret_baud, char *ret_letter);

/* Sends `request` and all that follows, until the telegram is to come. 0, -ETIMEDOUT: no name within
 * IEC62056_NAME_MS, -EBADMSG, -ENODEV, -ECANCELED. */
int iec62056_sign_on(struct link *l, struct str request);

#endif
