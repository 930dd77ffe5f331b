/*
 * resident - gives back the memory that only starting needed.
 *
 * Around each page of code that is touched the kernel maps fifteen more, and
 * start-up touches much of every library once. All that can be read from the
 * file again: what is needed comes back by itself. The program's own code
 * stays, for it is needed at once. Any thread.
 */
#ifndef WP_CORE_RESIDENT_H
#define WP_CORE_RESIDENT_H

void resident_release(void);

#endif
