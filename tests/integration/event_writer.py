# SPDX-License-Identifier: Apache-2.0
"""TensorBoard's event files, written by the standard library alone: for scripts of tests."""

import os
import struct
import time

TABLE = []
for byte in range(256):
    crc = byte
    for _ in range(8):
        crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    TABLE.append(crc)


def checksum(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(number):
    number &= 2**64 - 1
    text = b""
    while number > 0x7F:
        text += bytes([number & 0x7F | 0x80])
        number >>= 7
    return text + bytes([number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def record(message):
    length = struct.pack("<Q", len(message))
    return length + checksum(length) + message + checksum(message)


def event(step, *values):
    return b"\x09" + struct.pack("<d", time.time()) + b"\x10" + varint(step) + field(
        5, b"".join(field(1, value) for value in values))


def simple(tag, number):
    return field(1, tag.encode()) + b"\x15" + struct.pack("<f", number)


def tensor(tag, number):
    """As tf.summary.scalar of TensorFlow 2 writes it."""
    metadata = field(1, field(1, b"scalars"))
    content = b"\x08\x01" + field(2, b"") + field(4, struct.pack("<f", number))
    return field(1, tag.encode()) + field(8, content) + field(9, metadata)


class Writer:
    def __init__(self, folder, name="events.out.tfevents.1.test"):
        os.makedirs(folder, exist_ok=True)
        self.file = open(os.path.join(folder, name), "ab", buffering=0)
        self.file.write(record(b"\x09" + struct.pack("<d", time.time()) + field(3, b"brain.Event:2")))

    def scalar(self, tag, number, step, kind=simple):
        self.file.write(record(event(step, kind(tag, number))))
