/*
 * wire - the data representations of MQTT (1.5), read and written; inside the codec only.
 *
 * Reading marks the reader bad, as core/reader.h does. A writer runs twice over
 * the same fields: first without a place to put them, which gives the length,
 * then with one, which cannot go wrong any more. Any thread.
 */
#ifndef WP_MQTT_WIRE_H
#define WP_MQTT_WIRE_H

#include "core/reader.h"
#include "mqtt/packet.h"

/* 1.5.4: well-formed UTF-8 without U+0000. */
bool mqtt_text_valid(struct str text);

struct str mqtt_read_text(struct reader *r);       /* 1.5.4 */
struct str mqtt_read_binary(struct reader *r);     /* 1.5.6 */
uint32_t mqtt_read_varint(struct reader *r);       /* 1.5.5, in the fewest bytes only */
struct mqtt_pair mqtt_read_pair(struct reader *r); /* 1.5.7 */

struct writer {
    uint8_t *to;   /* NULL: only count */
    size_t len;    /* bytes so far */
    bool too_long; /* a field does not fit its length prefix */
};

void wire_put_u8(struct writer *w, uint8_t v);
void wire_put_u16(struct writer *w, uint16_t v);
void wire_put_u32(struct writer *w, uint32_t v);
void wire_put_varint(struct writer *w, uint32_t v);
void wire_put_bytes(struct writer *w, struct str bytes);  /* as they are */
void wire_put_binary(struct writer *w, struct str bytes); /* 1.5.4 and 1.5.6: after a 16 bit length */

/*
 * Properties (2.2.2) of a packet of type `where`, or of a will.
 * Decoding gives 0, -EBADMSG, -EPROTO or -ERANGE as mqtt_decode() does, and marks nothing.
 */
enum { MQTT_WILL_PROPS = 0 }; /* no packet has type 0 */

int mqtt_props_read(struct reader *r, unsigned where, struct mqtt_props *ret_props);
void mqtt_props_put(struct writer *w, const struct mqtt_props *props);

#endif
