/*
 * link_rs485 - turning the transmitter of an RS-485 port on and off.
 *
 *   RTS   ____/~~~~~~~~~~~~~~~~~~~~~\____     rts_on_send: high
 *   line  ------| before | frame | after |    answers come when it is off again
 *
 * By the kernel's driver, which does it by itself once it is told; or by us: then a request keeps the
 * thread until its last bit has left.
 */
#ifndef WP_LINK_RS485_H
#define WP_LINK_RS485_H

#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"

/* Prepares an open port. 0, or -EOPNOTSUPP: it cannot do what its settings say. Nothing to do for RS485_OFF. */
int link_rs485_prepare(int fd, const struct port_settings *port);

/* For RS485_RTS: sends and returns when the transmitter is off. 0 or -ENODEV. */
int link_rs485_send(int fd, const struct port_settings *port, const uint8_t *bytes, size_t len, int64_t char_ns);

#endif
