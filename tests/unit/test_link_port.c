/* Unit tests of drivers/link_port, link_baud and link_users, on pseudo terminals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "drivers/link_impl.h"

struct pty {
    int master;
    char path[64];
};

static int open_pty(void **state)
{
    static struct pty pty;

    pty.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pty.master < 0 || grantpt(pty.master) < 0 || unlockpt(pty.master) < 0 ||
        ptsname_r(pty.master, pty.path, sizeof(pty.path)) != 0)
        return -1;
    *state = &pty;
    return 0;
}

static int close_pty(void **state)
{
    return close(((struct pty *)*state)->master);
}

static struct port_settings settings_of(const struct pty *pty)
{
    return (struct port_settings){.device = pty->path, .baud = 9600, .data_bits = 8, .stop_bits = 1};
}

static void any_rate_is_set_exactly(void **state)
{
    static const int32_t rates[] = {50, 300, 7200, 9600, 10400, 31250, 115200, 250000, 1234567, 4000000};
    struct port_settings s = settings_of(*state);
    char trouble[LINK_TROUBLE_MAX] = "";

    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        int32_t baud = 0;
        int fd;

        s.baud = rates[i];
        fd = link_port_open(&s, trouble);
        assert_true(fd >= 0);
        assert_int_equal(link_baud_get(fd, &baud), 0);
        assert_int_equal(baud, rates[i]);
        close(fd);
    }
    assert_string_equal(trouble, "");
}

static void usual_rates_are_set_by_their_names(void **state)
{
    struct port_settings s = settings_of(*state);
    char trouble[LINK_TROUBLE_MAX] = "";
    struct termios t;
    int fd;

    s.baud = 19200;
    fd = link_port_open(&s, trouble);
    assert_int_equal(tcgetattr(fd, &t), 0);
    assert_int_equal(cfgetospeed(&t), B19200);
    assert_int_equal(t.c_cflag & CBAUD, B19200);
    close(fd);
}

static void port_in_use_by_another_bus_is_refused(void **state)
{
    struct port_settings s = settings_of(*state);
    char trouble[LINK_TROUBLE_MAX] = "";
    int first = link_port_open(&s, trouble);

    assert_true(first >= 0);
    assert_int_equal(link_port_open(&s, trouble), -EBUSY);
    assert_string_equal(trouble, "another bus or program is using it");
    close(first);
    first = link_port_open(&s, trouble);
    assert_true(first >= 0);
    close(first);
}

/* A program that locks nothing, as most do. */
static pid_t use_port(const struct pty *pty)
{
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        close(pty->master);
        if (open(pty->path, O_RDWR | O_NOCTTY) >= 0 && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_true(pid > 0);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void port_in_use_by_another_program_is_refused_by_its_name(void **state)
{
    struct port_settings s = settings_of(*state);
    char trouble[LINK_TROUBLE_MAX] = "";
    char expected[LINK_TROUBLE_MAX];
    pid_t pid = use_port(*state);
    int fd;

    assert_int_equal(link_port_open(&s, trouble), -EBUSY);
    snprintf(expected, sizeof(expected), "test_link_port (process %d) is using it", (int)pid);
    assert_string_equal(trouble, expected);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    fd = link_port_open(&s, trouble);
    assert_true(fd >= 0);
    close(fd);
}

static void port_without_rs485_is_refused(void **state)
{
    struct port_settings s = settings_of(*state);
    char trouble[LINK_TROUBLE_MAX] = "";

    s.rs485 = RS485_KERNEL;
    assert_int_equal(link_port_open(&s, trouble), -EOPNOTSUPP);
    assert_string_equal(trouble, "it cannot do 'rs485: kernel' as it is set");
    s.rs485 = RS485_RTS;
    assert_int_equal(link_port_open(&s, trouble), -EOPNOTSUPP);
    assert_string_equal(trouble, "it cannot do 'rs485: rts' as it is set");
}

static void what_is_no_port_is_refused(void **state)
{
    (void)state;
    char trouble[LINK_TROUBLE_MAX] = "";

    assert_int_equal(link_port_open(&(struct port_settings){.device = "/no/such/port", .baud = 9600}, trouble),
                     -ENOENT);
    assert_int_equal(link_port_open(&(struct port_settings){.device = "/etc/passwd", .baud = 9600}, trouble), -ENOTTY);
    assert_int_equal(link_port_open(&(struct port_settings){.device = "/dev/zero", .baud = 9600}, trouble), -ENOTTY);
}

/* A port of a fixed few rates. */
static bool takes(void *arg, int32_t baud)
{
    for (const int32_t *rate = arg; *rate > 0; rate++)
        if (*rate == baud)
            return true;
    return false;
}

static void the_nearest_rates_are_those_the_port_takes(void **state)
{
    (void)state;
    int32_t some[] = {1200, 9600, 115200, 0};
    int32_t below = -1;
    int32_t above = -1;

    link_baud_neighbours(10400, takes, some, &below, &above);
    assert_int_equal(below, 9600);
    assert_int_equal(above, 115200);
    link_baud_neighbours(57600, takes, some, &below, &above);
    assert_int_equal(above, 115200);
    assert_int_equal(below, 9600);
    link_baud_neighbours(50, takes, some, &below, &above);
    assert_int_equal(below, 0);
    assert_int_equal(above, 1200);
    link_baud_neighbours(4000000, takes, some, &below, &above);
    assert_int_equal(below, 115200);
    assert_int_equal(above, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_rate_is_set_exactly, open_pty, close_pty),
        cmocka_unit_test_setup_teardown(usual_rates_are_set_by_their_names, open_pty, close_pty),
        cmocka_unit_test_setup_teardown(port_in_use_by_another_bus_is_refused, open_pty, close_pty),
        cmocka_unit_test_setup_teardown(port_in_use_by_another_program_is_refused_by_its_name, open_pty, close_pty),
        cmocka_unit_test_setup_teardown(port_without_rs485_is_refused, open_pty, close_pty),
        cmocka_unit_test(what_is_no_port_is_refused),
        cmocka_unit_test(the_nearest_rates_are_those_the_port_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
