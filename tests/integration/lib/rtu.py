"""Modbus RTU frames as bytes.

    crc(b"\\x01\\x03...")    the frame with its checksum behind it, low byte first (Modbus over serial line 1.02, 2.5.1.2)
"""
import struct


def checksum(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def crc(frame):
    return frame + checksum(frame)
