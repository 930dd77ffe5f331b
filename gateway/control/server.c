/* server - see server.h. */
#include "control/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/requests.h"
#include "core/buf.h"
#include "core/list.h"
#include "core/log.h"
#include "loop.h"

enum {
    CLIENTS_MAX = 16,
    CLIENT_REQUESTS_MAX = 8,
    LINE_MAX_LEN = 65536,
    OWED_MAX_LEN = 4 * 1024 * 1024, /* answers a client has not taken */
    BACKLOG = 16,
    RETRY_MS = 1000,
};

struct client;

/* A request of a client. */
struct asked {
    struct client *client;
    struct control_request *request; /* NULL: none, or it begins just now */
    bool busy;
};

struct client {
    struct control *control;
    struct list_node node;
    int fd;
    struct loop_watch *watch;
    struct buf in;
    struct buf out;
    bool closing;
    struct asked asked[CLIENT_REQUESTS_MAX];
};

struct control {
    struct loop *loop;
    struct requests *requests;
    char *path;
    int fd;
    struct loop_watch *watch;
    struct timer retry; /* there was no descriptor for a client */
    struct list_node clients;
    size_t client_count;
};

static void free_client(void *arg)
{
    struct client *cl = arg;

    buf_fini(&cl->in);
    buf_fini(&cl->out);
    free(cl);
}

static void drop(struct client *cl)
{
    if (cl->closing)
        return;
    cl->closing = true;
    for (size_t i = 0; i < CLIENT_REQUESTS_MAX; i++)
        if (cl->asked[i].request)
            request_abandon(cl->asked[i].request);
    loop_watch_close(cl->watch);
    close(cl->fd);
    list_remove(&cl->node);
    cl->control->client_count--;
    if (loop_later(cl->control->loop, free_client, cl) < 0)
        log_warning("control: out of memory, a client's is lost");
}

/* Sends what the socket takes; the rest when it takes more. */
static void flush(struct client *cl)
{
    while (buf_len(&cl->out) > 0) {
        ssize_t n = send(cl->fd, buf_data(&cl->out), buf_len(&cl->out), MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN) {
            drop(cl);
            return;
        }
        if (n < 0)
            break;
        buf_consume(&cl->out, (size_t)n);
    }
    loop_watch_set(cl->watch, buf_len(&cl->out) > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

static void send_line(struct client *cl, struct str object)
{
    if (cl->closing || object.len == 0)
        return;
    buf_append(&cl->out, object.data, object.len);
    buf_put_u8(&cl->out, '\n');
    if (buf_failed(&cl->out) || buf_len(&cl->out) > OWED_MAX_LEN)
        drop(cl);
    else
        flush(cl);
}

static void on_answer(void *arg, struct str object, bool last)
{
    struct asked *a = arg;

    if (last)
        *a = (struct asked){.client = a->client};
    send_line(a->client, object);
}

static void cancel(struct client *cl, const cJSON *body)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(body, "id");

    for (size_t i = 0; i < CLIENT_REQUESTS_MAX; i++)
        if (cl->asked[i].request && (!id || request_has_id(cl->asked[i].request, id)))
            request_cancel(cl->asked[i].request);
}

static struct asked *free_place(struct client *cl)
{
    for (size_t i = 0; i < CLIENT_REQUESTS_MAX; i++)
        if (!cl->asked[i].busy)
            return &cl->asked[i];
    return NULL;
}

static void refuse(struct client *cl, const char *code, const char *why)
{
    struct buf line = {0};

    buf_printf(&line, "{\"status\":\"failed\",\"code\":\"%s\",\"error\":\"%s\"}", code, why);
    send_line(cl, buf_str(&line));
    buf_fini(&line);
}

static void begin(struct client *cl, const char *name, const cJSON *body)
{
    struct asked *a = free_place(cl);
    struct control_request *rq;

    if (!a) {
        refuse(cl, "busy", "too many requests at once");
        return;
    }
    *a = (struct asked){.client = cl, .busy = true};
    rq = requests_begin(cl->control->requests, REQUEST_FROM_SOCKET, str_of("control"), name, body, on_answer, a);
    if (!rq)
        return;
    a->request = rq;
    if (cl->closing) /* its first answers could not be sent */
        request_abandon(rq);
}

static void obey(struct client *cl, struct str line)
{
    cJSON *body = cJSON_ParseWithLength(line.data, line.len);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "request"));

    if (!cJSON_IsObject(body))
        refuse(cl, "bad_request", "not a JSON object");
    else if (!name)
        refuse(cl, "bad_request", "'request' is missing");
    else if (strcmp(name, "cancel") == 0)
        cancel(cl, body);
    else
        begin(cl, name, body);
    cJSON_Delete(body);
}

static void obey_lines(struct client *cl)
{
    while (!cl->closing) {
        struct str all = buf_str(&cl->in);
        const char *end = memchr(all.data, '\n', all.len);

        if (!end)
            break;
        if (end > all.data)
            obey(cl, (struct str){.data = all.data, .len = (size_t)(end - all.data)});
        buf_consume(&cl->in, (size_t)(end - all.data) + 1);
    }
    if (!cl->closing && buf_len(&cl->in) > LINE_MAX_LEN) {
        refuse(cl, "too_long", "the line is too long");
        drop(cl);
    }
}

static void on_client(void *arg, int events)
{
    struct client *cl = arg;
    ssize_t n;

    if (events & LOOP_WRITE)
        flush(cl);
    if (cl->closing || !(events & LOOP_READ))
        return;
    n = read(cl->fd, loop_read_buffer(cl->control->loop), LOOP_READ_BUFFER);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(cl);
        return;
    }
    buf_append(&cl->in, loop_read_buffer(cl->control->loop), (size_t)n);
    if (buf_failed(&cl->in))
        drop(cl);
    else
        obey_lines(cl);
}

static int admit(struct control *c, int fd)
{
    struct client *cl = calloc(1, sizeof(*cl));
    int r;

    if (!cl)
        return -ENOMEM;
    cl->control = c;
    cl->fd = fd;
    r = loop_watch_open(c->loop, fd, LOOP_READ, on_client, cl, &cl->watch);
    if (r < 0) {
        free(cl);
        return r;
    }
    list_push_back(&c->clients, &cl->node);
    c->client_count++;
    return 0;
}

static void on_retry(void *arg)
{
    struct control *c = arg;

    loop_watch_set(c->watch, LOOP_READ);
}

static void on_listener(void *arg, int events)
{
    struct control *c = arg;
    int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)events;
    /* Who waits goes on waiting: without a pause the loop would be told of him again and again. */
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
        loop_watch_set(c->watch, 0);
        loop_timer_start(c->loop, &c->retry, RETRY_MS);
    }
    if (fd >= 0 && (c->client_count >= CLIENTS_MAX || admit(c, fd) < 0))
        close(fd);
}

/* Of a daemon that was killed: nobody listens there any more. */
static bool is_abandoned(const struct sockaddr_un *name)
{
    struct stat st;
    bool refused;
    int fd;

    if (lstat(name->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode)) /* somebody's file is not ours to remove */
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    refused = connect(fd, (const struct sockaddr *)name, sizeof(*name)) < 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static int listen_at(int fd, const struct sockaddr_un *name)
{
    if (is_abandoned(name))
        unlink(name->sun_path);
    fchmod(fd, 0600); /* Linux gives this to the file: nobody else's from its first moment */
    if (bind(fd, (const struct sockaddr *)name, sizeof(*name)) < 0 || chmod(name->sun_path, 0660) < 0 ||
        listen(fd, BACKLOG) < 0)
        return -errno;
    return 0;
}

int control_open(struct loop *loop, const char *path, struct requests *requests, struct control **ret_control)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct control *c;
    int r;

    if (strlen(path) >= sizeof(name.sun_path))
        return -ENAMETOOLONG;
    memcpy(name.sun_path, path, strlen(path));
    c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    *c = (struct control){.loop = loop, .requests = requests};
    timer_init(&c->retry, on_retry, c);
    list_init(&c->clients);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    r = c->fd < 0 ? -errno : listen_at(c->fd, &name);
    if (r < 0)
        goto fail;
    c->path = strdup(path); /* ours from here on */
    r = c->path ? loop_watch_open(loop, c->fd, LOOP_READ, on_listener, c, &c->watch) : -ENOMEM;
    if (r < 0)
        goto fail;
    *ret_control = c;
    return 0;

fail:
    control_close(c);
    return r;
}

void control_close(struct control *c)
{
    struct list_node *n;
    struct list_node *after;

    if (!c)
        return;
    loop_timer_stop(c->loop, &c->retry);
    list_for_each_safe (n, after, &c->clients)
        drop(list_entry(n, struct client, node));
    loop_watch_close(c->watch);
    if (c->fd >= 0)
        close(c->fd);
    if (c->path)
        unlink(c->path);
    free(c->path);
    free(c);
}
