/* test_resident - giving memory back takes nothing away. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/resident.h"

/* Code and constants of this program that are in memory. */
static uint64_t file_pages_kib(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    uint64_t kib = 0;
    char line[256];

    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        sscanf(line, "RssFile: %" SCNu64, &kib);
    fclose(f);
    return kib;
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int (*const relocated[])(const void *, const void *) = {compare};
static int written = 1;

static void what_is_needed_comes_back_by_itself(void **state)
{
    static const char text[] = "constant";
    int numbers[] = {3, 1, 2};
    char *allocated = strdup(text);
    uint64_t before;
    uint64_t after;

    (void)state;
    assert_non_null(allocated);
    qsort(numbers, 3, sizeof(numbers[0]), compare);
    written = 7;
    before = file_pages_kib();
    resident_release();
    after = file_pages_kib();
    print_message("%" PRIu64 " KiB, then %" PRIu64 " KiB\n", before, after);
    assert_true(after < before);
    assert_string_equal(allocated, text);
    assert_int_equal(written, 7);
    assert_int_equal(relocated[0](&numbers[0], &numbers[2]), -2);
    free(allocated);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_needed_comes_back_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
