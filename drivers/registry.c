/* registry - every driver there is; a new one is one more line. */
#include <string.h>

#include "core/str.h"
#include "drivers/driver.h"
#include "drivers/modbus.h"

static const struct driver *const drivers[] = {
    &modbus_driver,
};

const struct driver *driver_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
    return NULL;
}
