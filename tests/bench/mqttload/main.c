/*
 * mqttload - a neutral MQTT 3.1.1 / 5.0 load generator.
 *
 * One process drives publishers and subscribers against a broker over TCP,
 * checks every payload it gets back, and prints one line of JSON.
 *
 * Rules it keeps so that its numbers can be trusted:
 *   - a payload carries publisher, sequence number, time and a checksum over
 *     all of its bytes, and each subscriber has a bitmap of the sequence
 *     numbers seen of each publisher: lost, duplicated and corrupt are counted,
 *     never estimated;
 *   - at full speed a publisher is held to --credit undelivered messages, so a
 *     broker is measured working, not dropping or queueing without end;
 *   - at a fixed rate latency counts from when a message was due, not from
 *     when it was written;
 *   - the broker's CPU is read from the kernel's clock for that process.
 */
#include <signal.h>
#include <sys/resource.h>

#include "modes.h"
#include "options.h"
#include "turns.h"

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    options_read(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    loops_init();
    switch ((enum mode)opt.mode) {
    case MODE_RUN:
    case MODE_ENQUEUE:
        return (int)mode_run();
    case MODE_RETAINED:
        return (int)mode_retained();
    case MODE_DRAIN:
        return (int)mode_drain();
    case MODE_IDLE:
        return (int)mode_idle();
    case MODE_STORM:
        return (int)mode_storm();
    }
    return (int)STATUS_USAGE;
}
