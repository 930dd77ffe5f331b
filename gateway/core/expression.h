/*
 * expression - arithmetic on named values, as a configuration writes it: "voltage * current / 1000".
 *
 * Understands + - * / ^, comparisons, && || !, c ? a : b and if(c, a, b), min, max, sum, avg, abs, rint, sqrt,
 * exp, ln, log10 and the trigonometric functions; numbers are doubles, true is 1. What is behind it
 * is the library muParser. Pure; one thread at a time.
 */
#ifndef WP_CORE_EXPRESSION_H
#define WP_CORE_EXPRESSION_H

#include <stddef.h>

enum { EXPRESSION_INPUTS_MAX = 32, EXPRESSION_NAME_MAX = 64, EXPRESSION_PROBLEM_MAX = 160 };

struct expression;

/* Parses it. 0, -ENOMEM, or -EINVAL with what is wrong and where in ret_problem. */
int expression_new(const char *text, char ret_problem[EXPRESSION_PROBLEM_MAX], struct expression **ret_expression);
void expression_free(struct expression *e); /* Accepts NULL. */

/* The names it uses, in the order it uses them first; each once. They live as long as the expression. */
size_t expression_input_count(const struct expression *e);
const char *expression_input(const struct expression *e, size_t i);

/* Its value with these inputs; not finite where it has none: 1 / 0. */
double expression_eval(struct expression *e, const double *inputs);

#endif
