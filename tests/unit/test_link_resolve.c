/* Unit tests of drivers/link_resolve, with a name server that answers when it is told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "drivers/link_impl.h"

static sem_t asked;  /* the thread waits for the name server */
static sem_t answer; /* it may answer */
static sem_t freed;  /* an answer was freed */
static int result;

static struct addrinfo *new_address(void)
{
    struct addrinfo *ai = calloc(1, sizeof(*ai));

    assert_non_null(ai);
    ai->ai_family = AF_INET;
    return ai;
}

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **ret_addresses)
{
    (void)port;
    if (hints->ai_flags & AI_NUMERICHOST) {
        if (strcmp(host, "192.0.2.1") != 0)
            return EAI_NONAME;
    } else {
        sem_post(&asked);
        sem_wait(&answer);
        if (result != 0)
            return result;
    }
    *ret_addresses = new_address();
    return 0;
}

void freeaddrinfo(struct addrinfo *ai)
{
    free(ai);
    sem_post(&freed);
}

struct rig {
    struct link link;
    int stop_fd;
};

static int set_up(void **state)
{
    static struct rig rig;

    rig.stop_fd = eventfd(0, EFD_NONBLOCK);
    rig.link = (struct link){.stop_fd = rig.stop_fd};
    result = 0;
    sem_init(&asked, 0, 0);
    sem_init(&answer, 0, 0);
    sem_init(&freed, 0, 0);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    return close(((struct rig *)*state)->stop_fd);
}

static void an_address_asks_nobody(void **state)
{
    struct rig *rig = *state;
    struct addrinfo *found = NULL;

    assert_int_equal(link_resolve(&rig->link, "192.0.2.1", 502, &found), 0);
    assert_int_equal(sem_trywait(&asked), -1);
    freeaddrinfo(found);
}

static void a_name_is_looked_up(void **state)
{
    struct rig *rig = *state;
    struct addrinfo *found = NULL;

    sem_post(&answer);
    assert_int_equal(link_resolve(&rig->link, "plc.example", 502, &found), 0);
    assert_int_equal(found->ai_family, AF_INET);
    freeaddrinfo(found);
}

static void a_name_that_nobody_has_is_no_host(void **state)
{
    struct rig *rig = *state;
    struct addrinfo *found = NULL;

    result = EAI_NONAME;
    sem_post(&answer);
    assert_int_equal(link_resolve(&rig->link, "nobody.example", 502, &found), -EHOSTUNREACH);
    assert_null(found);
}

static void a_bus_that_stops_does_not_wait_for_the_name_server(void **state)
{
    struct rig *rig = *state;
    struct addrinfo *found = NULL;

    eventfd_write(rig->stop_fd, 1);
    assert_int_equal(link_resolve(&rig->link, "slow.example", 502, &found), -ECANCELED);
    assert_null(found);
    sem_wait(&asked);
    /* The answer that nobody waits for is freed by the thread. */
    sem_post(&answer);
    sem_wait(&freed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_address_asks_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_is_looked_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_nobody_has_is_no_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bus_that_stops_does_not_wait_for_the_name_server, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
