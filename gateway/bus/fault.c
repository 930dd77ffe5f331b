/* fault - see fault.h. */
#include "bus/fault.h"

#include <stdio.h>

#include "bus/poller.h"

void fault_print(enum bus_type type, size_t count, bool heard, bool damaged, char *ret_text, size_t size)
{
    bool serial = type != BUS_MODBUS_TCP;

    if (count == 1)
        snprintf(ret_text, size, "its only device does not answer: the device, its settings or the line");
    else if (damaged)
        snprintf(ret_text, size, "only damaged answers of %zu devices: check %s", count,
                 serial ? "baud rate, parity, termination and bias" : "the gateway");
    else if (heard)
        snprintf(ret_text, size, "all %zu devices fell silent: check %s", count,
                 serial ? "cable, wires A and B, termination and power" : "the gateway's serial side");
    else
        snprintf(ret_text, size, "none of %zu devices answers: check %s", count,
                 serial ? "wires A and B, power, baud rate, parity and unit ids"
                        : "unit ids and the gateway's serial side");
}

static bool is_damage(struct reason reason)
{
    return reason.kind == REASON_CRC || reason.kind == REASON_BAD_REPLY;
}

void fault_look(struct poller *p, int64_t now_ms)
{
    size_t count = 0;
    size_t damaged = 0;
    size_t quarantined = 0;
    char reason[REPORT_REASON_LEN];

    for (size_t i = 0; i < p->settings->device_count; i++) {
        const struct device_health *h = &p->devices[i].health;

        if (h->settings->broadcast)
            continue;
        count++;
        quarantined += health_is_quarantined(h);
        if (h->failures == 0 && !health_is_quarantined(h))
            return;
        damaged += is_damage(h->shown.reason);
    }
    if (count == 1 ? quarantined == 0 : now_ms < p->answered_ms + FAULT_AFTER_MS)
        return;
    fault_print(p->settings->type, count, p->heard, damaged * 2 > count, reason, sizeof(reason));
    report_state(p, count == 1 ? p->status.state : BUS_FAULT, reason);
}

void fault_is_over(struct poller *p, int64_t now_ms)
{
    p->answered_ms = now_ms;
    p->heard = true;
    if (p->status.state == BUS_FAULT) {
        for (size_t i = 0; i < p->settings->device_count; i++)
            p->devices[i].health.probe_due_ms = now_ms;
        p->probe_not_before_ms = 0;
    }
    report_state(p, BUS_UP, "");
}
