/*
 * decode - what the files of the decoder share; inside the codec only.
 *
 * Each function reads what follows the fixed header of one packet. What cannot
 * be read (1.2: malformed) gives -EBADMSG, or just leaves the reader bad; what
 * can be read but is not allowed (1.2: protocol error) gives -EPROTO. The
 * caller asks at the end whether the reader is bad or something is left over.
 */
#ifndef WP_MQTT_DECODE_H
#define WP_MQTT_DECODE_H

#include "mqtt/wire.h"

struct decoder {
    struct reader in; /* what follows the fixed header */
    uint8_t flags;
    uint8_t version;
    uint8_t sender;
};

/* The properties of a packet; none before MQTT 5. p->type is known. */
int decode_props(struct decoder *d, struct mqtt_packet *p);

int decode_connect(struct decoder *d, struct mqtt_packet *p);
int decode_connack(struct decoder *d, struct mqtt_packet *p);
int decode_subscribe(struct decoder *d, struct mqtt_packet *p); /* and UNSUBSCRIBE */
int decode_suback(struct decoder *d, struct mqtt_packet *p);    /* and UNSUBACK */

#endif
