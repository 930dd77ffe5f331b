/*
 * tls_rig_pairs - a group's set-up: the folder of tls_rig.h with ca.crt and two
 * pairs signed by it, a.crt with a.key and b.crt with b.key.
 */
#ifndef WP_TESTS_TLS_RIG_PAIRS_H
#define WP_TESTS_TLS_RIG_PAIRS_H

#include "tls_rig.h"

enum { YEAR_S = 3600 * 24 * 365 };

static int rig_setup_with_pairs(void **state)
{
    struct rig_authority ca;
    int r = rig_setup(state);

    if (r < 0)
        return r;
    ca = rig_authority("plant CA");
    rig_write_cert("ca.crt", ca.cert);
    rig_make("a", "a.test", &ca, -60, YEAR_S);
    rig_make("b", "b.test", &ca, -60, YEAR_S);
    rig_authority_free(&ca);
    return 0;
}

#endif
