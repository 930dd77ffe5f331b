/*
 * modes - what --mode names: each sets its clients up, runs, and reports.
 */
#ifndef MQTTLOAD_MODES_H
#define MQTTLOAD_MODES_H

#include "basics.h"

enum status mode_run(void); /* run and enqueue */
enum status mode_retained(void);
enum status mode_drain(void);
enum status mode_idle(void);
enum status mode_storm(void);

#endif
