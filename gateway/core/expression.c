/* expression - see expression.h. */
#include "core/expression.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <muParserDLL.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
    char name[EXPRESSION_NAME_MAX + 1];
    double value; /* muParser holds its address */
};

struct expression {
    muParserHandle_t parser;
    struct input inputs[EXPRESSION_INPUTS_MAX];
    size_t count;
    bool too_many;
    double spare; /* for a name there is no room for */
};

static double choose(double condition, double yes, double no)
{
    return condition != 0.0 ? yes : no;
}

/* muParser asks here for each name that it meets first. */
static double *add_input(const char *name, void *arg)
{
    struct expression *e = arg;

    if (e->count == EXPRESSION_INPUTS_MAX || strlen(name) > EXPRESSION_NAME_MAX) {
        e->too_many = true;
        return &e->spare;
    }
    snprintf(e->inputs[e->count].name, sizeof(e->inputs[e->count].name), "%s", name);
    return &e->inputs[e->count++].value;
}

/* muParser would assign: where an equals sign stands alone, a comparison was meant. */
static const char *lone_equals(const char *text)
{
    for (const char *at = strchr(text, '='); at; at = strchr(at + 1, '=')) {
        if (at > text && strchr("=<>!", at[-1]))
            continue;
        if (at[1] != '=')
            return at;
    }
    return NULL;
}

static int refuse(char ret_problem[EXPRESSION_PROBLEM_MAX], const char *what, int position)
{
    int len = snprintf(ret_problem, EXPRESSION_PROBLEM_MAX, "%s", what);

    /* muParser's sentences end in a full stop and have line ends in them. */
    while (len > 0 && len < EXPRESSION_PROBLEM_MAX && strchr(". \n", ret_problem[len - 1]))
        ret_problem[--len] = '\0';
    if (len > 0 && islower((unsigned char)ret_problem[1]))
        ret_problem[0] = (char)tolower((unsigned char)ret_problem[0]);
    if (position >= 0 && len > 0 && len < EXPRESSION_PROBLEM_MAX && !strstr(ret_problem, "position"))
        snprintf(ret_problem + len, EXPRESSION_PROBLEM_MAX - (size_t)len, " at position %d", position);
    return -EINVAL;
}

static int parse(struct expression *e, const char *text, char ret_problem[EXPRESSION_PROBLEM_MAX])
{
    const char *equals = lone_equals(text);
    int results = 0;

    if (equals)
        return refuse(ret_problem, "'=' does not compare, '==' does", (int)(equals - text));
    mupDefineFun3(e->parser, "if", choose, 1);
    mupSetVarFactory(e->parser, add_input, e);
    mupSetExpr(e->parser, text);
    if (!mupError(e->parser))
        mupEvalMulti(e->parser, &results);
    if (mupError(e->parser))
        return refuse(ret_problem, mupGetErrorMsg(e->parser), mupGetErrorPos(e->parser));
    if (results != 1)
        return refuse(ret_problem, "it has more than one value: a comma stands outside of a function", -1);
    if (e->too_many)
        return refuse(ret_problem, "it uses more than 32 names, or one that is too long", -1);
    return 0;
}

int expression_new(const char *text, char ret_problem[EXPRESSION_PROBLEM_MAX], struct expression **ret_expression)
{
    struct expression *e = calloc(1, sizeof(*e));
    int r;

    if (!e)
        return -ENOMEM;
    e->parser = mupCreate(muBASETYPE_FLOAT);
    r = e->parser ? parse(e, text, ret_problem) : -ENOMEM;
    if (r < 0) {
        expression_free(e);
        return r;
    }
    *ret_expression = e;
    return 0;
}

void expression_free(struct expression *e)
{
    if (!e)
        return;
    if (e->parser)
        mupRelease(e->parser);
    free(e);
}

size_t expression_input_count(const struct expression *e)
{
    return e->count;
}

const char *expression_input(const struct expression *e, size_t i)
{
    return e->inputs[i].name;
}

double expression_eval(struct expression *e, const double *inputs)
{
    double value;

    for (size_t i = 0; i < e->count; i++)
        e->inputs[i].value = inputs[i];
    value = mupEval(e->parser);
    return mupError(e->parser) ? NAN : value;
}
