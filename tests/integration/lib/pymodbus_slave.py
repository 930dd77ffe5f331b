"""A foreign Modbus slave: python3 pymodbus_slave.py rtu DEVICE | ascii DEVICE | tcp PORT. Prints "ready"; runs until it is ended.

Units 1 and 7. Holding registers 0-99 hold 1000 + n, input registers 2000 + n,
coils are set where n is odd, discrete inputs where it is even. At 60 and up
both register tables hold SPECIAL.
"""
import sys

SPECIAL = [0xFFFE, 0x8000, 0x4366, 0x3333, 0xFFFF, 0xFFFE, 0x0001, 0x0002]


def holding(n):
    return SPECIAL[n - 60] if 60 <= n < 60 + len(SPECIAL) else 1000 + n


def main():
    from pymodbus.datastore import ModbusSequentialDataBlock as Block
    from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext
    from pymodbus.server import StartSerialServer, StartTcpServer
    try:
        from pymodbus.framer import FramerType
        framers = {"rtu": FramerType.RTU, "ascii": FramerType.ASCII}
    except ImportError:  # pymodbus 3.0, Debian 12
        from pymodbus.transaction import ModbusAsciiFramer, ModbusRtuFramer
        framers = {"rtu": ModbusRtuFramer, "ascii": ModbusAsciiFramer}

    # The context counts from 1, as the tables' first register has it.
    tables = {
        "hr": Block(1, [holding(n) for n in range(100)]),
        "ir": Block(1, [2000 + n for n in range(60)] + SPECIAL + [2000 + n for n in range(68, 100)]),
        "co": Block(1, [n % 2 == 1 for n in range(100)]),
        "di": Block(1, [n % 2 == 0 for n in range(100)]),
    }
    context = ModbusServerContext(slaves={unit: ModbusSlaveContext(**tables) for unit in (1, 7)}, single=False)
    print("ready", flush=True)
    if sys.argv[1] in framers:
        StartSerialServer(context=context, framer=framers[sys.argv[1]], port=sys.argv[2], baudrate=9600, timeout=0.05,
                          ignore_missing_slaves=True)
    else:
        StartTcpServer(context=context, address=("127.0.0.1", int(sys.argv[2])))


if __name__ == "__main__":
    main()
