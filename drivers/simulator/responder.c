/* responder - see responder.h. */
#include "drivers/simulator/responder.h"

#include <errno.h>
#include <modbus.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RTU_HEADER = 1, TCP_HEADER = 7, IDENTIFY = 0x2B, IDENTIFY_MEI = 0x0E };

struct answer {
    int64_t due_us;
    int peer;
    size_t len; /* 0 = free */
    uint8_t frame[RESPONDER_ANSWER_MAX];
};

struct responder {
    enum bus_type type;
    struct sim_device *const *devices;
    size_t count;
    modbus_t *modbus;
    int fds[2]; /* ours, libmodbus' */
    uint32_t random;
    struct answer queue[RESPONDER_QUEUE];
};

static bool is_rtu(const struct responder *r)
{
    return r->type != BUS_MODBUS_TCP;
}

int responder_new(enum bus_type type, struct sim_device *const *devices, size_t count, struct responder **ret_responder)
{
    struct responder *r = calloc(1, sizeof(*r));
    int error;

    if (!r)
        return -ENOMEM;
    *r = (struct responder){.type = type, .devices = devices, .count = count, .fds = {-1, -1}, .random = 1};
    /* Neither the port nor the address is ever used. */
    r->modbus = is_rtu(r) ? modbus_new_rtu("simulated", 9600, 'N', 8, 1) : modbus_new_tcp("127.0.0.1", 0);
    if (!r->modbus || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, r->fds) < 0) {
        error = -errno;
        responder_free(r);
        return error;
    }
    modbus_set_socket(r->modbus, r->fds[1]);
    modbus_set_response_timeout(r->modbus, 0, 1000); /* it sleeps so long before refusing a bad request */
    modbus_set_indication_timeout(r->modbus, 0, 1000);
    *ret_responder = r;
    return 0;
}

void responder_free(struct responder *r)
{
    if (!r)
        return;
    if (r->modbus)
        modbus_free(r->modbus);
    for (int i = 0; i < 2; i++)
        if (r->fds[i] >= 0)
            close(r->fds[i]);
    free(r);
}

static size_t header_len(const struct responder *r)
{
    return is_rtu(r) ? RTU_HEADER : TCP_HEADER;
}

static struct sim_device *find_device(struct responder *r, uint8_t unit)
{
    for (size_t i = 0; i < r->count; i++)
        if (sim_device_settings(r->devices[i])->unit == unit)
            return r->devices[i];
    return NULL;
}

static struct answer *free_place(struct responder *r)
{
    for (size_t i = 0; i < RESPONDER_QUEUE; i++)
        if (r->queue[i].len == 0)
            return &r->queue[i];
    return NULL;
}

/* Read device identification (1.1b3, 6.21): who made it and what it is. libmodbus does not know the function. */
static int reply_identity(struct responder *r, const struct sim_device *d, const uint8_t *request)
{
    const struct device_settings *s = sim_device_settings(d);
    const char *const objects[] = {"wirepost", s->template_name ? s->template_name : s->name, WIREPOST_VERSION};
    uint8_t pdu[RESPONDER_FRAME_MAX] = {request[header_len(r) - 1], IDENTIFY, IDENTIFY_MEI, 1, 1, 0, 0,
                                        ARRAY_LEN(objects)};
    size_t at = 8;

    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        size_t len = strlen(objects[i]);

        pdu[at++] = (uint8_t)i;
        pdu[at++] = (uint8_t)len;
        memcpy(pdu + at, objects[i], len); /* names have at most 64 bytes */
        at += len;
    }
    return modbus_send_raw_request(r->modbus, pdu, (int)at);
}

/* As libmodbus would receive it; what it cannot receive is handed on as it is. */
static int receive(struct responder *r, const uint8_t *frame, size_t len, uint8_t *ret_request)
{
    if (frame[header_len(r)] == IDENTIFY) {
        memcpy(ret_request, frame, len);
        return (int)len;
    }
    while (recv(r->fds[1], ret_request, RESPONDER_FRAME_MAX, MSG_DONTWAIT) > 0)
        ; /* what it left of a request that it refused */
    if (write(r->fds[0], frame, len) != (ssize_t)len)
        return -1;
    return modbus_receive(r->modbus, ret_request);
}

/* Puts the frame through libmodbus; bytes of the answer, 0 when it gave none. */
static size_t exchange(struct responder *r, struct sim_device *d, struct sim_fault fault, const uint8_t *frame,
                       size_t len, uint8_t *ret_frame)
{
    uint8_t request[RESPONDER_FRAME_MAX];
    int got;
    int sent;
    ssize_t n;

    modbus_set_slave(r->modbus, sim_device_settings(d)->unit);
    got = receive(r, frame, len, request);
    if (got <= 0)
        return 0;
    if (fault.kind == FAULT_UNIT)
        request[header_len(r) - 1] = (uint8_t)fault.value;
    if (fault.kind == FAULT_EXCEPTION)
        sent = modbus_reply_exception(r->modbus, request, (unsigned int)fault.value);
    else if (request[header_len(r)] == IDENTIFY)
        sent = reply_identity(r, d, request);
    else
        sent = sim_device_reply(d, r->modbus, request, got, request + header_len(r));
    if (sent <= 0)
        return 0;
    n = read(r->fds[0], ret_frame, RESPONDER_FRAME_MAX);
    if (n > 0 && !is_rtu(r))
        memcpy(ret_frame, frame, 2); /* the number of the transaction */
    return n > 0 ? (size_t)n : 0;
}

/* On a serial line the checksum is wrong; TCP has none, so there it is the function. */
static void damage(const struct responder *r, uint8_t *frame, size_t len)
{
    frame[is_rtu(r) ? len - 1 : TCP_HEADER] ^= 0x20;
}

static void spoil(struct responder *r, struct sim_fault fault, struct answer *a)
{
    if (a->len == 0)
        return;
    if (fault.kind == FAULT_DELAY || fault.kind == FAULT_LATE)
        a->due_us += fault.value * 1000;
    else if (fault.kind == FAULT_CRC)
        damage(r, a->frame, a->len);
    else if (fault.kind == FAULT_TRUNCATED)
        a->len -= a->len / 2;
    else if (fault.kind == FAULT_NOISE && is_rtu(r))
        a->len = sim_fault_add_noise(&r->random, a->frame, a->len);
}

static void echo(struct responder *r, int peer, const uint8_t *frame, size_t len, int64_t now_us)
{
    struct answer *a = free_place(r);

    if (!a)
        return;
    *a = (struct answer){.due_us = now_us, .peer = peer, .len = len};
    memcpy(a->frame, frame, len);
}

void responder_take(struct responder *r, int peer, const uint8_t *frame, size_t len, int64_t now_us)
{
    struct sim_device *d;
    struct sim_fault fault;
    struct answer *a;

    if (len < header_len(r) + 1 || len > RESPONDER_FRAME_MAX)
        return;
    d = find_device(r, frame[header_len(r) - 1]);
    if (!d)
        return;
    fault = sim_device_suffer(d);
    if (fault.kind == FAULT_SILENT)
        return;
    if (fault.kind == FAULT_ECHO)
        echo(r, peer, frame, len, now_us);
    a = free_place(r);
    if (!a)
        return;
    a->len = exchange(r, d, fault, frame, len, a->frame);
    a->peer = peer;
    a->due_us = now_us + 1; /* behind its echo */
    spoil(r, fault, a);
}

static struct answer *first_due(struct responder *r)
{
    struct answer *first = NULL;

    for (size_t i = 0; i < RESPONDER_QUEUE; i++)
        if (r->queue[i].len > 0 && (!first || r->queue[i].due_us < first->due_us))
            first = &r->queue[i];
    return first;
}

int64_t responder_next(struct responder *r)
{
    struct answer *first = first_due(r);

    return first ? first->due_us : INT64_MAX;
}

size_t responder_give(struct responder *r, int64_t now_us, int *ret_peer, uint8_t ret_frame[RESPONDER_ANSWER_MAX])
{
    struct answer *first = first_due(r);
    size_t len;

    if (!first || first->due_us > now_us)
        return 0;
    len = first->len;
    memcpy(ret_frame, first->frame, len);
    *ret_peer = first->peer;
    first->len = 0;
    return len;
}

void responder_forget(struct responder *r, int peer)
{
    for (size_t i = 0; i < RESPONDER_QUEUE; i++)
        if (r->queue[i].peer == peer)
            r->queue[i].len = 0;
}
