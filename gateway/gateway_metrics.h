/* gateway_metrics - everything that is counted, as Prometheus reads it. Loop thread only. */
#ifndef WP_GATEWAY_METRICS_H
#define WP_GATEWAY_METRICS_H

struct buf;

/* Appends all of it; the buffer is marked failed when out of memory. `gateway` is a struct gateway. */
void gateway_write_metrics(void *gateway, struct buf *out);

#endif
