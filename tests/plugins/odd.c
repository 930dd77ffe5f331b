/* odd - plugins that must be refused, one for each definition that it is built with. */
#include <wirepost/plugin.h>

#if defined(ODD_ABI)
WIREPOST_PLUGIN = {.abi = WIREPOST_PLUGIN_ABI + 1, .size = sizeof(struct wirepost_plugin), .name = "odd"};
#elif defined(ODD_SIZE)
WIREPOST_PLUGIN = {.abi = WIREPOST_PLUGIN_ABI, .size = 3, .name = "odd"};
#elif defined(ODD_NEWER)
/* Built with a header that has one event more. */
struct newer {
    struct wirepost_plugin known;
    void (*unknown)(void *self);
};

static void unknown(void *self)
{
    (void)self;
}

extern __attribute__((visibility("default"))) const struct newer wirepost_newer __asm__("wirepost_plugin");
const struct newer wirepost_newer = {
    .known = {.abi = WIREPOST_PLUGIN_ABI, .size = sizeof(struct newer), .name = "odd"},
    .unknown = unknown,
};
#else
extern const int wirepost_something_else;
const int wirepost_something_else = 1;
#endif
