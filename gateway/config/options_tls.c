/* options_tls - the tables of TLS, for whoever listens. */
#include "config/draft.h"
#include "config/options.h"

static const struct schema_choice versions[] = {{"1.2", TLS_VERSION_1_2}, {"1.3", TLS_VERSION_1_3}, {0}};
static const struct schema_choice user_names[] = {{"cn", TLS_USER_NAME_CN}, {"subject", TLS_USER_NAME_SUBJECT}, {0}};

static const struct schema_option identity_options[] = {
    {.name = "name",
     .type = OPT_STRING,
     .required = true,
     .min = 1,
     .max = 253,
     INTO(struct tls_identity, name),
     .help = "The host name that clients ask for; *.plant.example stands for any one name before .plant.example."},
    {.name = "cert",
     .type = OPT_PATH,
     .required = true,
     INTO(struct tls_identity, cert),
     .help = "The certificate shown to them, in PEM form, followed by those between it and its root."},
    {.name = "key",
     .type = OPT_PATH,
     .required = true,
     INTO(struct tls_identity, key),
     .help = "Its private key, in PEM form, without a passphrase."},
    {0},
};
const struct schema_section tls_identity_section = {"an item of sni", identity_options};

static const struct schema_option tls_options[] = {
    {.name = "cert",
     .type = OPT_PATH,
     .required = true,
     INTO(struct tls_draft, settings.cert),
     .help =
         "The certificate, in PEM form, followed by those between it and its root. A reload takes a new one without "
         "dropping connections."},
    {.name = "key",
     .type = OPT_PATH,
     .required = true,
     INTO(struct tls_draft, settings.key),
     .help = "Its private key, in PEM form, without a passphrase."},
    {.name = "min_version",
     .type = OPT_ENUM,
     .choices = versions,
     INTO(struct tls_draft, settings.min_version),
     .preset = "1.2",
     .help = "The oldest version of TLS spoken, 1.2 or 1.3."},
    {.name = "client_ca",
     .type = OPT_PATH,
     INTO(struct tls_draft, settings.client_ca),
     .help = "Certificates of those who may sign clients' certificates. With it clients are asked for theirs."},
    {.name = "require_client_cert",
     .type = OPT_BOOL,
     INTO(struct tls_draft, settings.require_client_cert),
     .preset = "false",
     .help = "Whether clients without a certificate are refused."},
    {.name = "crl",
     .type = OPT_PATH,
     INTO(struct tls_draft, settings.crl),
     .help =
         "Revocation lists, one of each CA that signs clients' certificates, in PEM form. A reload reads them again; "
         "who is connected stays until it comes again."},
    {.name = "username_from",
     .type = OPT_ENUM,
     .choices = user_names,
     INTO(struct tls_draft, settings.username_from),
     .help = "What of a client's certificate is its user name: its common name (cn) or the whole subject, such as "
             "CN=pump,O=plant. Such a client needs no password; what its CONNECT says does not count."},
    {.name = "sni",
     .type = OPT_LIST,
     .section = &tls_identity_section,
     INTO(struct tls_draft, sni_list),
     .help = "Other certificates, for clients that ask for other host names."},
    {0},
};
const struct schema_section tls_section = {"tls", tls_options};
