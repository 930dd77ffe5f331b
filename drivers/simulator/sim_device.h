/*
 * sim_device - one simulated Modbus device: its registers, the tags that move
 * them, and the fault it suffers from.
 *
 * Registers that no tag describes can be read only where they fill a gap that the device's
 * max_gap allows; elsewhere the device refuses them (exception 2), as real ones do.
 * Any thread.
 */
#ifndef WP_SIMULATOR_SIM_DEVICE_H
#define WP_SIMULATOR_SIM_DEVICE_H

#include <modbus.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus_settings.h"
#include "core/buf.h"
#include "core/str.h"
#include "drivers/simulator/sim_fault.h"
#include "drivers/simulator/sim_play.h"

struct sim_device;

/* Borrows the settings. 0 or -ENOMEM. */
int sim_device_new(const struct device_settings *settings, uint64_t seed, struct sim_device **ret_device);
void sim_device_free(struct sim_device *d); /* Accepts NULL. */

const struct device_settings *sim_device_settings(const struct sim_device *d);

/* Moves every tag that is not frozen to its value at t_ms. */
void sim_device_move(struct sim_device *d, int64_t t_ms);

/* Freezes a tag at a value; -ENOENT no such tag, -EINVAL no such value. */
int sim_device_set(struct sim_device *d, struct str tag, struct str value);

/* Appends what the registers hold for a tag, as a reading would show it, or "!reason". -ENOENT. */
int sim_device_get(struct sim_device *d, struct str tag, struct buf *out);

/* Moves a tag as `play` says. -ENOENT. */
int sim_device_play(struct sim_device *d, struct str tag, const struct sim_play *play);

/* All tags stay where they are, or move again. */
void sim_device_freeze(struct sim_device *d, bool frozen);

void sim_device_set_fault(struct sim_device *d, struct sim_fault fault);

/* What the next answer suffers from. */
struct sim_fault sim_device_suffer(struct sim_device *d);

/* Addresses from..to of a table are refused from now on. -EINVAL: the device has no such addresses. */
int sim_device_make_hole(struct sim_device *d, enum modbus_table table, uint32_t from, uint32_t to);
void sim_device_fill_holes(struct sim_device *d);

/* Has libmodbus answer a request, `pdu` being its part after the header. Its result. */
int sim_device_reply(struct sim_device *d, modbus_t *modbus, const uint8_t *request, int len, const uint8_t *pdu);

#endif
