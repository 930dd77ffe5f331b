/*
 * log - one line per event, to stderr. Any thread.
 *
 * A line says: subject, what happened (reason), what we do next; on change
 * only. With the journal at the other end (JOURNAL_STREAM is set) lines carry
 * the sd-daemon(3) priority prefix "<3>".."<7>"; elsewhere the word
 * "error:", "warning:", "info:", "debug:".
 */
#ifndef WP_CORE_LOG_H
#define WP_CORE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are dropped. Default: info. */
void log_set_level(enum log_level level);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
