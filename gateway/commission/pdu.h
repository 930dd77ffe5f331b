/*
 * pdu - Modbus requests as bytes, and what their answers hold. Pure.
 */
#ifndef WP_COMMISSION_PDU_H
#define WP_COMMISSION_PDU_H

#include "commission/job.h"

/* The most one request carries (application protocol 1.1b3, 6.1 to 6.12). */
enum { PDU_READ_REGISTERS = 125, PDU_READ_BITS = 2000, PDU_WRITE_REGISTERS = 123, PDU_WRITE_BITS = 1968 };

/* Fills in what is asked; the rest of *q is left alone. */
void pdu_ask_values(struct question *q, enum modbus_table table, uint16_t address, uint16_t count);
void pdu_ask_write(struct question *q, int function, uint16_t address, const uint16_t *values, uint16_t count);
void pdu_ask_identity(struct question *q);

/* The registers, or bits as 0 and 1, of a good answer. 0 or -EPROTO. */
int pdu_take_values(const struct answer *a, enum modbus_table table, uint16_t *ret_values, uint16_t count);

/* True when the answer says that this was written. */
bool pdu_confirms_write(const struct answer *a, const struct question *q);

/* What a device says it is (6.21): texts as the device gives them, cut short. */
enum { IDENTITY_LEN = 64 };
struct identity {
    char vendor[IDENTITY_LEN];
    char product[IDENTITY_LEN];
    char revision[IDENTITY_LEN];
};

/* 0 or -EPROTO. Objects that are not there are "". */
int pdu_take_identity(const struct answer *a, struct identity *ret_identity);

#endif
