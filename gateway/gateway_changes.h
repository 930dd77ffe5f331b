/*
 * gateway_changes - in what two configurations differ, for people.
 */
#ifndef WP_GATEWAY_CHANGES_H
#define WP_GATEWAY_CHANGES_H

struct buf;
struct settings;

/* Appends "1 bus restarted (rs485-1), 1 bus added (plc), 3 buses unchanged", or "nothing has changed". */
void changes_print(const struct settings *before, const struct settings *now, struct buf *out);

/* Warns of each key that is different and that a reload does not apply. */
void changes_warn(const struct settings *before, const struct settings *now);

#endif
