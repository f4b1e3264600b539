"""Runs the real program for the tests of the command line, and reads what it leaves behind without it.

Traces are read with Python's sqlite3 and checkpoints with json, so that the program never vouches for itself.
"""
import json
import os
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("MOESCOPE_PROGRAM", str(ROOT / "build/release/bin/moescope"))
PATIENCE = int(os.environ.get("MOESCOPE_PATIENCE", "1"))
DATA = ROOT / "tests" / "data"
DEMO = ROOT / "resources" / "demo"
MODEL = DEMO / "model"


class Outcome:
    def __init__(self, status, output, errors):
        self.status, self.output, self.errors = status, output, errors

    @property
    def document(self):
        return json.loads(self.output)

    def __repr__(self):
        return f"status {self.status}\n{self.output[-2000:]}\n{self.errors[-2000:]}"


def start(*arguments, terminal=subprocess.PIPE):
    """The program in the background; `terminal` takes its standard error."""
    return subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=terminal)


def interrupt(process, number):
    process.send_signal(number)
    output, errors = process.communicate(timeout=60 * PATIENCE)
    return Outcome(process.returncode, output.decode(), errors.decode())


def run(*arguments, stdin=None, environment=None):
    done = subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, capture_output=True,
                          timeout=100 * PATIENCE,
                          env={**os.environ, **(environment or {})})
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


class ProgramTest(unittest.TestCase):
    """A folder of its own for each test, and what every error must look like."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="moescope-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def succeed(self, *arguments, **more):
        outcome = run(*arguments, **more)
        self.assertEqual(outcome.status, 0, outcome)
        return outcome

    def refuse(self, kind, *arguments, status=2, json_option=True):
        """The command fails with this kind, as one line without --json and as an object with it."""
        outcome = run(*arguments)
        self.assertEqual(outcome.status, status, outcome)
        self.assertRegex(outcome.errors, r"\Amoescope: [^\n]+\n\Z")
        if not json_option:
            return outcome
        line = outcome.errors
        outcome = run(*arguments, "--json")
        self.assertEqual((outcome.status, outcome.errors), (status, line), outcome)
        error = outcome.document["error"]
        self.assertEqual(error["kind"], kind, outcome)
        self.assertTrue(error["message"])
        self.assertEqual(set(error), {"kind", "file", "where", "message", "advice"})
        return outcome


class Trace:
    """A trace as its file has it (docs/file_format.md)."""

    def __init__(self, path):
        self.database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def close(self):
        self.database.close()

    def rows(self, sql, *values):
        return self.database.execute(sql, values).fetchall()

    def run(self, number=1):
        self.database.row_factory = sqlite3.Row
        row = self.database.execute("SELECT * FROM run WHERE id = ?", (number,)).fetchone()
        self.database.row_factory = None
        return dict(row)

    def tokens(self, run=1):
        """(id, sequence, position) of every token row."""
        found = []
        for count, ids, sequences, positions in self.rows(
                "SELECT count, ids, sequences, positions FROM token_block WHERE run = ? ORDER BY block", run):
            columns = [struct.unpack(f"<{count}i", blob[:4 * count]) for blob in (ids, sequences, positions)]
            found += zip(*columns)
        return found

    def log_probs(self, run=1):
        return [value for count, blob in self.rows("SELECT count, log_probs FROM token_block WHERE run = ? ORDER BY block", run)
                for value in struct.unpack(f"<{count}f", blob[:4 * count])]

    def labels(self, run=1):
        """{sequence: {key: value}}"""
        found = {}
        for sequence, key, value in self.rows("SELECT sequence, key, value FROM sequence_label WHERE run = ?", run):
            found.setdefault(sequence, {})[key] = value
        return found


def read_reference(path=DEMO / "reference.safetensors"):
    """{name: (shape, flat values)} of what transformers computed."""
    data = path.read_bytes()
    length, = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        letter, width = {"I64": ("q", 8), "F32": ("f", 4)}[entry["dtype"]]
        tensors[name] = (entry["shape"], struct.unpack(f"<{(end - begin) // width}{letter}", data[begin:end]))
    return tensors
