"""A database of an earlier version, with what this one takes for a contradiction."""
import contextlib
import sqlite3
import struct


def message(name, kind, value):
    """A MetricFamily of one metric: kind is that of the field in the metric, too."""
    number = b"\x09" + struct.pack("<d", value)
    metric = bytes([{1: 0x12, 0: 0x1A}[kind], len(number)]) + number
    family = b"\x0a" + bytes([len(name)]) + name + b"\x18" + bytes([kind]) + b"\x22" + bytes([len(metric)]) + metric
    return bytes([len(family)]) + family


def contradicting_database(path):
    """As a version without that rule could have left it, in a schema without checksums."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("""
            CREATE TABLE metric_groups (id INTEGER PRIMARY KEY, key BLOB NOT NULL, pushed_at REAL NOT NULL,
                                        failed_at REAL NOT NULL);
            CREATE TABLE segments (id INTEGER PRIMARY KEY, group_id INTEGER NOT NULL, pushed_at REAL NOT NULL,
                                   whole INTEGER NOT NULL, body BLOB NOT NULL);
            PRAGMA application_id=0x54414C59; PRAGMA user_version=2;""")
        for i, job in enumerate([b"old", b"new"], 1):
            db.execute("INSERT INTO metric_groups VALUES (?, ?, 5, 0)", (i, b"job\xff" + job + b"\xff"))
            body = message(b"clash", i % 2, i) + message(b"fine", 1, i)
            db.execute("INSERT INTO segments VALUES (?, ?, 5, 1, ?)", (i, i, body))
        db.commit()
