/* log - see log.h. Each line is one write(2), so lines of several threads never mix. */
#include "core/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_LEN 1024

static _Atomic int log_level = LOG_LEVEL_INFO;

static const struct {
    const char *journal;
    const char *word;
} prefixes[] = {
    [LOG_LEVEL_ERROR] = {"<3>", "error: "},
    [LOG_LEVEL_WARNING] = {"<4>", "warning: "},
    [LOG_LEVEL_INFO] = {"<6>", "info: "},
    [LOG_LEVEL_DEBUG] = {"<7>", "debug: "},
};

void log_set_level(enum log_level level)
{
    atomic_store(&log_level, (int)level);
}

__attribute__((format(printf, 2, 0))) static void log_line(enum log_level level, const char *fmt, va_list args)
{
    char line[LINE_MAX_LEN];
    const char *prefix;
    int at;
    int len;

    if ((int)level > atomic_load_explicit(&log_level, memory_order_relaxed))
        return;

    prefix = getenv("JOURNAL_STREAM") ? prefixes[level].journal : prefixes[level].word;
    at = snprintf(line, sizeof(line), "%s", prefix);
    len = vsnprintf(line + at, sizeof(line) - (size_t)at - 1, fmt, args);
    if (len < 0)
        return;
    len += at;
    if (len > LINE_MAX_LEN - 2)
        len = LINE_MAX_LEN - 2;
    line[len++] = '\n';

    /* Nowhere to report to when stderr itself fails. */
    if (write(STDERR_FILENO, line, (size_t)len) < 0)
        return;
}

#define DEFINE_LOG(name, level)                                                                                        \
    void name(const char *fmt, ...)                                                                                    \
    {                                                                                                                  \
        va_list args;                                                                                                  \
                                                                                                                       \
        va_start(args, fmt);                                                                                           \
        log_line(level, fmt, args);                                                                                    \
        va_end(args);                                                                                                  \
    }

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
