/* Unit tests of drivers/link_rs485, with a port whose RTS line and kernel mode are pretended here,
 * and a clock that only goes on while somebody sleeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/serial.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "drivers/link_rs485.h"

/* The pretended port. */
static bool has_rts;
static bool has_kernel_mode;
static unsigned ignored_flags; /* that the driver drops and says nothing */
static struct serial_rs485 mode;
static char happened[16];  /* in order: + and - for RTS, d for tcdrain, e for "is it empty?" */
static int busy_questions; /* that are answered with no */
static int64_t low_at_us;
static struct timespec now = {.tv_sec = 1000};

int clock_gettime(clockid_t id, struct timespec *ret_now)
{
    (void)id;
    *ret_now = now;
    return 0;
}

int clock_nanosleep(clockid_t id, int flags, const struct timespec *until, struct timespec *ret_left)
{
    (void)id;
    (void)ret_left;
    assert_int_equal(flags, TIMER_ABSTIME);
    now = *until;
    return 0;
}

static void note(char what)
{
    size_t len = strlen(happened);

    assert_true(len + 1 < sizeof(happened));
    happened[len] = what;
}

int tcdrain(int fd)
{
    (void)fd;
    note('d');
    return 0;
}

static int refuse(void)
{
    errno = ENOTTY;
    return -1;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    void *argument;

    (void)fd;
    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    switch (request) {
    case TIOCMBIS:
    case TIOCMBIC:
        if (!has_rts)
            return refuse();
        assert_int_equal(*(const int *)argument, TIOCM_RTS);
        low_at_us = clock_mono_us();
        note(request == TIOCMBIS ? '+' : '-');
        return 0;
    case TIOCSERGETLSR:
        note('e');
        *(int *)argument = busy_questions-- > 0 ? 0 : TIOCSER_TEMT;
        return 0;
    case TIOCSRS485:
        if (!has_kernel_mode)
            return refuse();
        mode = *(const struct serial_rs485 *)argument;
        mode.flags &= ~ignored_flags;
        return 0;
    case TIOCGRS485:
        *(struct serial_rs485 *)argument = mode;
        return 0;
    default:
        return refuse();
    }
}

static int reset(void **state)
{
    (void)state;
    has_rts = has_kernel_mode = true;
    ignored_flags = 0;
    busy_questions = 0;
    memset(&mode, 0, sizeof(mode));
    memset(happened, 0, sizeof(happened));
    return 0;
}

static const struct port_settings rts = {.baud = 19200, .rs485 = RS485_RTS, .rts_before_ms = 2, .rts_after_ms = 3};
static const struct port_settings kernel = {
    .baud = 19200, .rs485 = RS485_KERNEL, .rts_before_ms = 1, .rts_after_ms = 2};

static void kernel_is_told_the_level_and_the_pauses(void **state)
{
    (void)state;
    struct port_settings low = kernel;

    assert_int_equal(link_rs485_prepare(1, &kernel), 0);
    assert_int_equal(mode.flags, SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND);
    assert_int_equal(mode.delay_rts_before_send, 1);
    assert_int_equal(mode.delay_rts_after_send, 2);

    low.rts_low = true;
    assert_int_equal(link_rs485_prepare(1, &low), 0);
    assert_int_equal(mode.flags, SER_RS485_ENABLED | SER_RS485_RTS_AFTER_SEND);
    assert_string_equal(happened, "");
}

static void port_that_cannot_is_an_error(void **state)
{
    (void)state;
    has_rts = has_kernel_mode = false;
    assert_int_equal(link_rs485_prepare(1, &kernel), -EOPNOTSUPP);
    assert_int_equal(link_rs485_prepare(1, &rts), -EOPNOTSUPP);
    assert_int_equal(link_rs485_prepare(1, &(struct port_settings){.rs485 = RS485_OFF}), 0);
}

static void driver_that_changes_what_it_was_told_is_an_error(void **state)
{
    (void)state;
    ignored_flags = SER_RS485_RTS_ON_SEND;
    assert_int_equal(link_rs485_prepare(1, &kernel), -EOPNOTSUPP);
    ignored_flags = SER_RS485_ENABLED;
    assert_int_equal(link_rs485_prepare(1, &kernel), -EOPNOTSUPP);
}

static void rts_frames_the_request_until_the_last_bit_is_out(void **state)
{
    (void)state;
    const uint8_t request[8] = {1, 3, 0, 0, 0, 2, 0xc4, 0x0b};
    uint8_t sent[sizeof(request) + 1];
    int64_t began_us = clock_mono_us();
    int pipe_fds[2];

    assert_int_equal(pipe(pipe_fds), 0);
    busy_questions = 1;
    assert_int_equal(link_rs485_prepare(pipe_fds[1], &rts), 0);
    assert_int_equal(link_rs485_send(pipe_fds[1], &rts, request, sizeof(request), 573000), 0);
    assert_string_equal(happened, "-+dee-");
    assert_int_equal(read(pipe_fds[0], sent, sizeof(sent)), sizeof(request));
    assert_memory_equal(sent, request, sizeof(request));
    /* Both pauses, eight characters at 19200 baud, and a quarter of one for the question answered with no. */
    assert_int_equal(low_at_us - began_us, 5000 + 8 * 573 + 573 / 4);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void the_level_that_sends_may_be_low(void **state)
{
    (void)state;
    struct port_settings low = rts;
    int pipe_fds[2];

    low.rts_low = true;
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(link_rs485_prepare(pipe_fds[1], &low), 0);
    assert_int_equal(link_rs485_send(pipe_fds[1], &low, (const uint8_t *)"x", 1, 1000), 0);
    assert_string_equal(happened, "+-de+");
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void rts_is_given_back_when_the_port_is_gone(void **state)
{
    (void)state;
    assert_int_equal(link_rs485_send(-1, &rts, (const uint8_t *)"x", 1, 1000), -ENODEV);
    assert_string_equal(happened, "+-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(kernel_is_told_the_level_and_the_pauses, reset),
        cmocka_unit_test_setup(port_that_cannot_is_an_error, reset),
        cmocka_unit_test_setup(driver_that_changes_what_it_was_told_is_an_error, reset),
        cmocka_unit_test_setup(rts_frames_the_request_until_the_last_bit_is_out, reset),
        cmocka_unit_test_setup(the_level_that_sends_may_be_low, reset),
        cmocka_unit_test_setup(rts_is_given_back_when_the_port_is_gone, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
