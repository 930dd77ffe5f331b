/* findings - see findings.h. */
#include "access/findings.h"

#include <stdarg.h>
#include <stdio.h>

void findings_error(struct findings *f, uint32_t line, uint32_t column, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    f->errors++;
    f->add(f->arg, line, column, text);
}
