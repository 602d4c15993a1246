"""Rows of a log in PostgreSQL (src/store/rows.h), as a gateway could have written them."""
import ctypes
import struct


def checksum(number, kind, group, moved, at, body):
    library = ctypes.CDLL("libxxhash.so.0")
    library.XXH3_64bits.restype = ctypes.c_uint64
    whole = struct.pack("<QQQQd", number, kind, group, moved, at) + body
    return struct.unpack("<q", struct.pack("<Q", library.XXH3_64bits(whole, ctypes.c_size_t(len(whole)))))[0]


def add(server, schema, kind, body=b""):
    """Adds a row that belongs to no group, as if another gateway had. Returns its number."""
    number = int(server.sql(f"SELECT seq + 1 FROM {schema}.head")[0])
    server.sql(f"BEGIN; INSERT INTO {schema}.log VALUES ({number}, {kind}, 0, 0, 0, {checksum(number, kind, 0, 0, 0, body)}, 77, {number}, 0, '\\x{body.hex()}'); "
               f"UPDATE {schema}.head SET seq = {number}, writer = 77, batch = {number}; COMMIT")
    return number


def change(server, schema, how):
    """how(kind, group, at, body) returns the new (at, body) of a row; None: the row stays as it is."""
    for line in server.sql(f"SELECT number, kind, group_id, moved, at, body FROM {schema}.log"):
        number, kind, group, moved = map(int, line.split("|")[:4])
        at, body = float(line.split("|")[4]), bytes.fromhex(line.split("|")[5][2:])
        changed = how(kind, group, at, body)
        if changed is None:
            continue
        at, body = changed
        server.sql(f"UPDATE {schema}.log SET at = {at!r}, body = '\\x{body.hex()}', checksum = {checksum(number, kind, group, moved, at, body)} WHERE number = {number}")


def shift(server, schema, seconds):
    """Makes all times in the log so many seconds earlier."""
    change(server, schema, lambda kind, group, at, body: (at - seconds, body) if at else None)
    server.sql(f"UPDATE {schema}.log SET written = written - {seconds}; UPDATE {schema}.head SET at = at - {seconds}, alive_at = alive_at - {seconds}")
