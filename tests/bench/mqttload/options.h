/*
 * options - what the command line asks for.
 */
#ifndef MQTTLOAD_OPTIONS_H
#define MQTTLOAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum mode { MODE_RUN, MODE_IDLE, MODE_STORM, MODE_RETAINED, MODE_ENQUEUE, MODE_DRAIN };
enum layout { LAYOUT_SHARED, LAYOUT_PAIRWISE, LAYOUT_WILDCARD, LAYOUT_FANIN, LAYOUT_FANOUT };

struct options {
    unsigned mode;   /* enum mode */
    unsigned layout; /* enum layout; the last two are LAYOUT_SHARED once they are read */
    unsigned publishers;
    unsigned subscribers;
    unsigned messages; /* per publisher */
    unsigned qos;
    unsigned sub_qos;
    unsigned payload; /* bytes */
    double rate;      /* messages per second and publisher; 0: as fast as it goes */
    unsigned window;  /* unacknowledged messages per publisher */
    unsigned credit;  /* messages a publisher may be ahead of delivery; 0: any */
    unsigned batch;   /* PUBLISH packets in one write */
    unsigned topics;  /* each publisher cycles through; 0: one, without a number */
    bool retain;
    unsigned ballast; /* filters that match nothing */
    unsigned conns;
    unsigned ramp; /* connections under way at once */
    unsigned hold_ms;
    unsigned threads;
    bool spin;
    unsigned keep_alive_s;
    unsigned mqtt; /* 4 or 5 */
    const char *host;
    unsigned port;
    const char *tag;
    const char *id;
    const char *label;
    unsigned pid; /* of the broker; 0: not named */
    unsigned timeout_s;
    unsigned quiet_ms;
};

/* Read once, then only looked at; but for batch, which the broker's Receive Maximum may lower. */
extern struct options opt;

/* Ends the program when something is wrong, or help was asked for. */
void options_read(int argc, char **argv);

const char *mode_name(void);
const char *layout_name(void);

#endif
