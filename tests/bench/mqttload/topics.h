/*
 * topics - which topic a publisher uses, which filter a subscriber, and who therefore hears whom.
 */
#ifndef MQTTLOAD_TOPICS_H
#define MQTTLOAD_TOPICS_H

#include <stdbool.h>
#include <stdint.h>

struct topic {
    char text[160];
};

struct topic topic_of_publisher(unsigned publisher);
struct topic filter_of_subscriber(unsigned subscriber);
struct topic filter_of_ballast(unsigned i);

bool hears(unsigned subscriber, unsigned publisher);

/* How many subscribers hear the publisher. */
unsigned listeners_of(unsigned publisher);

/* Deliveries owed in all. */
uint64_t expected_deliveries(void);

#endif
