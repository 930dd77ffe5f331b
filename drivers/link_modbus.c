/* link_modbus - what libmodbus' errors mean to a link. */
#include <errno.h>
#include <modbus.h>

#include "drivers/link_impl.h"

int link_error(int modbus_errno)
{
    switch (modbus_errno) {
    case EMBBADCRC:
    case ETIMEDOUT: /* begun, but never finished */
        return -EBADMSG;
    case EMBBADDATA:
    case EMBBADEXC:
    case EMBUNKEXC:
    case EMBMDATA:
    case EMBBADSLAVE:
        return -EPROTO;
    default: /* EIO, ENXIO, ECONNRESET, ...: of a port or connection that is no more */
        return -ENODEV;
    }
}
