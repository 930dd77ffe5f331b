/*
 * server - control.sock: requests as lines of JSON, from the programs of this machine.
 *
 *   {"request":"read","id":1,...}\n  ->  {"id":1,"status":"done",...}\n
 *   {"request":"cancel"}\n               ends what this client has asked for; with "id" that one alone
 *
 * Whoever may open the socket file may ask anything: mode 0660. Bounded in clients, requests of each, length of a
 * line, and answers that a client does not take: such a client is let go. Loop thread only.
 */
#ifndef WP_CONTROL_SERVER_H
#define WP_CONTROL_SERVER_H

struct control;
struct loop;
struct requests;

/* Listens at `path`. The file of a daemon that is no more is replaced; -EADDRINUSE: one listens there.
 * -ENAMETOOLONG, or another -errno. */
int control_open(struct loop *loop, const char *path, struct requests *requests, struct control **ret_control);

/* Lets all clients go, whose requests are cancelled, and removes the file. Accepts NULL. */
void control_close(struct control *c);

#endif
