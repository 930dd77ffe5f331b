/* options_access - who may come in and what they may do: keys of the broker and its listeners, and the file of rules.
 */
#include "config/draft.h"
#include "config/draft_access.h"
#include "config/options.h"

static const struct schema_option access_options[] = {
    {.name = "allow_anonymous",
     .type = OPT_BOOL,
     INTO(struct entrance_settings, allow_anonymous),
     .preset = "false",
     .help = "Serve clients that prove no user name, wherever they are. While there are no 'users', those on this "
             "machine are served in any case."},
    {.name = "users",
     .type = OPT_PATH,
     INTO(struct entrance_settings, users_file),
     .help = "File of users and the hashes of their passwords, as wirepost passwd and mosquitto_passwd write it."},
    {.name = "acl",
     .type = OPT_PATH,
     INTO(struct entrance_settings, acl_file),
     .help = "File of rules that say who may publish what, be given what and subscribe to what: YAML, or mosquitto's. "
             "What no rule allows is then denied."},
    {0},
};
const struct schema_section access_section = {"broker", access_options};

static const struct schema_option login_options[] = {
    {.name = "waiting",
     .type = OPT_INT,
     .min = 1,
     .max = 100000,
     INTO(struct login_limits, waiting),
     .preset = "1000",
     .help = "Clients that may wait for their password to be checked; more are refused, to try again later."},
    {.name = "waiting_per_address",
     .type = OPT_INT,
     .min = 1,
     .max = 100000,
     INTO(struct login_limits, waiting_per_address),
     .preset = "100",
     .help = "Of them, those of one address. Addresses take turns."},
    {.name = "failed_delay",
     .type = OPT_DURATION,
     .min = 0,
     .max = MINUTE,
     INTO(struct login_limits, failed_delay_ms),
     .preset = "1s",
     .help = "After a wrong password its refusal, and the next password of that address, wait for so long."},
    {0},
};
const struct schema_section login_section = {"logins", login_options};

/* ---- the file of rules ---- */

static const struct schema_option rule_options[] = {
    {.name = "read", .type = OPT_TEXTS, INTO(struct acl_rules_draft, read), .help = "Topics that may be received."},
    {.name = "write", .type = OPT_TEXTS, INTO(struct acl_rules_draft, write), .help = "Topics that may be published."},
    {.name = "readwrite", .type = OPT_TEXTS, INTO(struct acl_rules_draft, readwrite), .help = "Both."},
    {.name = "subscribe",
     .type = OPT_TEXTS,
     INTO(struct acl_rules_draft, subscribe),
     .help = "Where it is given, only filters within these may be subscribed."},
    {.name = "deny",
     .type = OPT_TEXTS,
     INTO(struct acl_rules_draft, deny),
     .help = "Topics that may be neither received nor published nor subscribed, whatever else allows it."},
    {.name = "deny_read", .type = OPT_TEXTS, INTO(struct acl_rules_draft, deny_read), .help = "Not received."},
    {.name = "deny_write", .type = OPT_TEXTS, INTO(struct acl_rules_draft, deny_write), .help = "Not published."},
    {0},
};
static const struct schema_section rule_section = {"a set of rules", rule_options};

static const struct schema_option acl_user_options[] = {
    {.name = "name",
     .type = OPT_STRING,
     .required = true,
     .min = 1,
     .max = UINT16_MAX,
     INTO(struct acl_party_draft, name),
     .help = "The user's name."},
    {.type = OPT_SHARED, .section = &rule_section, INTO(struct acl_party_draft, rules)},
    {0},
};
const struct schema_section acl_user_section = {"a user", acl_user_options};

static const struct schema_option acl_group_options[] = {
    {.name = "name",
     .type = OPT_STRING,
     .required = true,
     .min = 1,
     .max = UINT16_MAX,
     INTO(struct acl_party_draft, name),
     .help = "The group's name, for people."},
    {.name = "users",
     .type = OPT_TEXTS,
     .required = true,
     INTO(struct acl_party_draft, members),
     .help = "The names of its users."},
    {.type = OPT_SHARED, .section = &rule_section, INTO(struct acl_party_draft, rules)},
    {0},
};
const struct schema_section acl_group_section = {"a group", acl_group_options};

static const struct schema_option acl_options[] = {
    {.name = "everyone",
     .type = OPT_SECTION,
     .section = &rule_section,
     INTO(struct acl_draft, everyone),
     .help = "What holds for each client, with a user name or without."},
    {.name = "anonymous",
     .type = OPT_SECTION,
     .section = &rule_section,
     INTO(struct acl_draft, anonymous),
     .help = "What holds for clients without a user name."},
    {.name = "groups",
     .type = OPT_LIST,
     .section = &acl_group_section,
     INTO(struct acl_draft, groups),
     .help = "What holds for several users."},
    {.name = "users",
     .type = OPT_LIST,
     .section = &acl_user_section,
     INTO(struct acl_draft, users),
     .help = "What holds for one user."},
    {0},
};
const struct schema_section acl_section = {"a file of rules", acl_options};
