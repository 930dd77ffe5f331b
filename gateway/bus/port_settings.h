/*
 * port_settings - how a serial line is set, and what that makes of its time.
 * A part of bus_settings.h, which is what others include.
 */
#ifndef WP_PORT_SETTINGS_H
#define WP_PORT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

enum parity { PARITY_NONE, PARITY_EVEN, PARITY_ODD, PARITY_MARK, PARITY_SPACE };

/* Who turns an RS-485 transmitter on: the adapter itself, the kernel's driver, or we by RTS. */
enum rs485 { RS485_OFF, RS485_KERNEL, RS485_RTS };

struct port_settings {
    const char *device; /* path, made absolute */
    int32_t baud;
    enum parity parity;
    int32_t data_bits; /* always 8 for Modbus RTU */
    int32_t stop_bits;
    enum rs485 rs485;
    bool rts_low;          /* the level of RTS that sends */
    int64_t rts_before_ms; /* from it to the first character */
    int64_t rts_after_ms;  /* from the last character to the other level */
};

/* Bits of one character on the line, from its start bit to its stop bits. */
static inline int64_t port_char_bits(const struct port_settings *port)
{
    return 1 + port->data_bits + (port->parity == PARITY_NONE ? 0 : 1) + port->stop_bits;
}

static inline int64_t port_char_ns(const struct port_settings *port)
{
    return port_char_bits(port) * 1000000000 / port->baud;
}

/* T3.5, the silence between two frames; above 19200 baud it is fixed (Modbus over serial line 1.02, 2.5.1.1). */
static inline int64_t port_silence_us(const struct port_settings *port)
{
    return port->baud > 19200 ? 1750 : (int64_t)35 * 11 * 100000 / port->baud;
}

#endif
