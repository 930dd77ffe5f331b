/*
 * link_internal - what link.c, link_io.c and link_ws.c share. Nobody else includes it.
 */
#ifndef WP_CLIENT_LINK_INTERNAL_H
#define WP_CLIENT_LINK_INTERNAL_H

#include <sys/types.h>

#include "client/link.h"

enum { LINK_WHY_SIZE = 192 };

/* link.c */

/* Closes the link and says so. error: as in client_link_loss; it is put in words with the stage in front. */
void link_lose(struct client_link *l, int error, const char *why);

/* Bytes of the user's stream have come. The link may be closed afterwards. */
void link_deliver(struct client_link *l, const uint8_t *data, size_t len);

/* Every handshake is done. */
void link_go_up(struct client_link *l);

/* link_io.c */

/* Through TLS where there is any. Bytes; 0: the peer has finished; -EAGAIN; -errno. */
ssize_t link_recv(struct client_link *l, uint8_t *data, size_t len);
ssize_t link_send(struct client_link *l, const uint8_t *data, size_t len);

/* What the last error was, in words; 0: the peer has finished. */
const char *link_problem(const struct client_link *l, int error, char text[LINK_WHY_SIZE]);

/* link_ws.c */

int link_ws_new(struct client_link *l); /* 0 or -errno */
void link_ws_free(struct link_ws *ws);  /* Accepts NULL. */

/* What goes to the socket next: the request, then what `out` has, in frames. */
struct buf *link_ws_output(struct client_link *l);

/* Bytes came from the socket. The link may be closed afterwards. */
void link_ws_receive(struct client_link *l, const uint8_t *data, size_t len);

#endif
