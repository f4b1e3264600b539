"""record: what a corpus becomes in a trace, counted without the program; stopping, killing and resuming."""
import collections
import json
import math
import os
import pty
import select
import signal
import sqlite3
import time
import unittest

from byte_pairs import BytePairs
from program import DEMO, MODEL, PROGRAM, ProgramTest, Trace, interrupt, start

TOKENIZER = BytePairs(MODEL / "tokenizer.json")
# Three labels, several documents each, every one longer than a window of 16 tokens at least once.
TEXTS = {
    "english": ["The captain looked for a wind that did not come before the evening, and nobody on deck said a word.", "It was cold.",
                "Our relations with foreign nations are, with few exceptions, of a most friendly character."],
    "german": ["Die Datei konnte nicht gelesen werden, weil sie nicht da ist. Wählen Sie bitte eine andere.", "Übung macht den Meister."],
    "python": ["def main(argv):\n    for line in argv:\n        print(line)\n    return 0\n", "x = [1, 22, 333, 4444]\n"]}
CONTEXT = 16


def expected_sequences(texts, context=CONTEXT, limit=0):
    """[(label, token ids)] of every window: id 0 stands before each text, as in training."""
    found, used = [], collections.Counter()
    for label, text in texts:
        ids = [0, *TOKENIZER.encode(text)]
        if limit:
            ids = ids[:limit - used[label]]
        used[label] += len(ids)
        found += [(label, ids[begin:begin + context]) for begin in range(0, len(ids), context)]
    return found


def content(path):
    """Everything that makes two recordings the same."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    tables = {
        "sequence": "SELECT * FROM sequence ORDER BY ordinal", "label": "SELECT * FROM sequence_label ORDER BY sequence, ordinal",
        "token": "SELECT * FROM token_block ORDER BY block", "route": "SELECT * FROM route_block ORDER BY router, block",
        "summary": "SELECT * FROM summary ORDER BY router, level, block", "stats": "SELECT * FROM sequence_stats ORDER BY router, sequence",
        "run": "SELECT id, kind, name, capture, status, tokens, routed_tokens, sequences, sampler FROM run",
        "vocabulary": "SELECT * FROM vocabulary ORDER BY token"}
    found = {name: database.execute(sql).fetchall() for name, sql in tables.items()}
    database.close()
    return found


def same(one, other):
    """Sums of many rows, taken in another order, differ in their last bits; BLOBs and counts never do."""
    return len(one) == len(other) and all(
        math.isclose(a, b, rel_tol=1e-10) if isinstance(a, float) and isinstance(b, float) else a == b
        for a, b in zip(one, other))


class RecordTest(ProgramTest):
    def record(self, corpus, *options, out="t.moescope", context=CONTEXT):
        return self.succeed("record", "--model", MODEL, "--corpus", corpus, "--context", context, "-o", self.folder / out, "--json", *options).document

    def trace(self, name="t.moescope"):
        trace = Trace(self.folder / name)
        self.addCleanup(trace.close)
        return trace


class Labels(RecordTest):
    def folder_corpus(self):
        for label, texts in TEXTS.items():
            for number, text in enumerate(texts):
                self.write(f"folder/{label}/{number}.txt", text)
        return self.folder / "folder"

    def file_corpus(self, separator="<|endoftext|>"):
        for label, texts in TEXTS.items():
            self.write(f"files/{label}.txt", "".join(separator + text for text in texts))
        return self.folder / "files"

    def field_corpus(self):
        lines = [json.dumps({"text": text, "label": label}, ensure_ascii=False) for label, texts in TEXTS.items() for text in texts]
        return self.write("corpus.jsonl", "\n".join(lines) + "\n")

    def verify(self, document, expected):
        trace = self.trace()
        rows = trace.tokens()
        labels = trace.labels()
        recorded = collections.defaultdict(list)
        for token, sequence, position in rows:
            self.assertEqual(position, len(recorded[sequence]))
            recorded[sequence].append(token)
        self.assertEqual([(labels[s]["label"], ids) for s, ids in sorted(recorded.items())], expected)
        total = sum(len(ids) for _, ids in expected)
        self.assertEqual((document["sequences"], document["tokens"], document["cancelled"]), (len(expected), total, False))
        run = trace.run()
        self.assertEqual((run["tokens"], run["routed_tokens"], run["sequences"], run["status"]), (total, total, len(expected), "closed"))
        # Counts by label, by the program's own SQL and by hand.
        counts = collections.Counter()
        for label, ids in expected:
            counts[label] += len(ids)
        asked = self.succeed("query", self.folder / "t.moescope", "SELECT label, count(*) AS n FROM tokens GROUP BY label", "--format", "json").document
        self.assertEqual({row["label"]: row["n"] for row in asked}, dict(counts))
        self.succeed("check", self.folder / "t.moescope")

    def test_folders_files_and_fields_are_the_same_corpus(self):
        expected = expected_sequences([(label, text) for label in sorted(TEXTS) for text in TEXTS[label]])
        self.assertGreater(len(expected), 10)
        for name, corpus, source in (("folder", self.folder_corpus(), "folder"), ("file", self.file_corpus(), "file"), ("field", self.field_corpus(), "field")):
            for option in (source, "auto"):
                with self.subTest(labels=name, option=option):
                    document = self.record(corpus, "--label-from", option)
                    self.verify(document, expected)
                    (self.folder / "t.moescope").unlink()

    def test_separator_of_ones_own(self):
        document = self.record(self.file_corpus(separator="\n----\n"), "--split", r"\n----\n")
        expected = expected_sequences([(label, text) for label in sorted(TEXTS) for text in TEXTS[label]])
        self.verify(document, expected)

    def test_limit_of_tokens_for_each_label(self):
        document = self.record(self.file_corpus(), "--max-tokens", 30)
        self.verify(document, expected_sequences([(label, text) for label in sorted(TEXTS) for text in TEXTS[label]], limit=30))

    def test_further_labels_of_a_line(self):
        corpus = self.write("c.jsonl", json.dumps({"text": "one two", "labels": {"label": "web", "language": "en"}}) + "\n")
        self.record(corpus)
        labels = self.trace().labels()[0]
        self.assertEqual((labels["label"], labels["language"], labels["source"], labels["document"], labels["window"]), ("web", "en", "c.jsonl", "0", "0"))

    def test_mean_log_probability_is_that_of_the_rows(self):
        document = self.record(self.field_corpus())
        rows = [value for value in self.trace().log_probs() if value == value]
        self.assertAlmostEqual(document["mean_log_prob"], sum(rows) / len(rows), places=6)

    def test_steered(self):
        program = self.write("p.json", self.succeed("steer", "new", "--ban", "*:0-15").output)
        self.record(self.field_corpus(), "--steer", program)
        for width, ids, native in self.trace().rows("SELECT width, ids, native_ids FROM route_block"):
            self.assertTrue(all(16 <= expert < 32 for expert in ids))
            self.assertTrue(any(expert < 16 for expert in native))
        effects = self.trace().rows("SELECT program, counterfactual FROM steering_event")
        self.assertEqual(len(effects), 1)
        self.assertEqual(json.loads(effects[0][0]), json.loads(program.read_text()))


class Resume(RecordTest):
    """What an interrupted and resumed recording holds equals an uninterrupted one, BLOB for BLOB."""
    OPTIONS = ("--model", MODEL, "--corpus", DEMO / "corpus", "--max-tokens", 4096, "--context", 128, "--name", "corpus", "--threads", 1)

    @classmethod
    def setUpClass(cls):
        import pathlib
        import tempfile
        cls.whole_folder = tempfile.TemporaryDirectory(prefix="moescope-cli-")
        whole = pathlib.Path(cls.whole_folder.name) / "whole.moescope"
        process = start("record", *cls.OPTIONS, "-o", whole)
        process.communicate()
        assert process.returncode == 0
        cls.whole = content(whole)
        cls.sequences = len(cls.whole["sequence"])

    @classmethod
    def tearDownClass(cls):
        cls.whole_folder.cleanup()

    def stopped_at(self, path, share, number, *options):
        """Records until that share of the sequences is in the file, then sends the signal."""
        process = start("record", *self.OPTIONS, "-o", path, *options)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            try:
                with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
                    count, = database.execute("SELECT count(*) FROM sequence").fetchone()
                database.close()
            except sqlite3.Error:
                count = 0
            if count >= share * self.sequences:
                return interrupt(process, number)
            time.sleep(0.002)
        self.fail("the recording ended before it could be stopped")

    def resume(self, path):
        return self.succeed("record", *self.OPTIONS, "-o", path, "--resume", "--json").document

    def assert_whole(self, path):
        found = content(path)
        for table, rows in self.whole.items():
            self.assertEqual(len(found[table]), len(rows), table)
            for mine, other in zip(found[table], rows):
                self.assertTrue(same(mine, other), (table, mine, other))

    def test_ctrl_c_then_resume(self):
        path = self.folder / "t.moescope"
        outcome = self.stopped_at(path, 0.2, signal.SIGINT)
        self.assertEqual(outcome.status, 130, outcome)
        self.assertIn("--resume", outcome.errors)
        trace = self.trace()
        run = trace.run()
        self.assertEqual(run["status"], "aborted")
        self.assertTrue(0 < run["tokens"] < self.whole["run"][0][5])
        self.succeed("check", path)
        again = self.stopped_at(path, 0.6, signal.SIGTERM, "--resume")
        self.assertEqual(again.status, 130, again)
        document = self.resume(path)
        self.assertEqual((document["run"], document["sequences"]), (1, self.sequences))
        self.assert_whole(path)

    def test_kill_then_resume(self):
        path = self.folder / "t.moescope"
        self.assertEqual(self.stopped_at(path, 0.1, signal.SIGKILL).status, -signal.SIGKILL)
        self.assertEqual(self.stopped_at(path, 0.4, signal.SIGKILL, "--resume").status, -signal.SIGKILL)
        self.assertEqual(self.stopped_at(path, 0.7, signal.SIGKILL, "--resume").status, -signal.SIGKILL)
        self.assertEqual(self.resume(path)["sequences"], self.sequences)
        self.assert_whole(path)

    def test_a_whole_run_has_nothing_left(self):
        path = self.folder / "t.moescope"
        first = self.resume(path)  # nothing there: it starts
        self.assertEqual(self.resume(path), first)
        self.assert_whole(path)

    def test_another_command_is_refused(self):
        path = self.folder / "t.moescope"
        self.stopped_at(path, 0.1, signal.SIGINT)
        before = content(path)
        for change, named in ((("--context", 64), "context"), (("--max-tokens", 100), "token limit"), (("--capture", "ids"), "capture")):
            options = list(self.OPTIONS)
            if change[0] in options:
                at = options.index(change[0])
                options[at:at + 2] = change
            else:
                options += change
            outcome = self.refuse("corpus.resume_mismatch", "record", *options, "-o", path, "--resume")
            self.assertIn(named, outcome.errors)
        self.assertEqual(content(path), before)


class ShownProgress(RecordTest):
    def test_quiet_says_nothing(self):
        process = start("record", "--model", MODEL, "--corpus", DEMO / "corpus", "--max-tokens", 64, "-o", self.folder / "t.moescope", "--quiet")
        output, errors = process.communicate()
        self.assertEqual((process.returncode, output, errors), (0, b"", b""))

    def test_a_line_that_is_rewritten_on_a_terminal(self):
        control, terminal = pty.openpty()
        process = start("record", "--model", MODEL, "--corpus", DEMO / "corpus", "--max-tokens", 4096, "-o", self.folder / "t.moescope",
                        "--threads", 1, "--capture", "full", terminal=terminal)
        os.close(terminal)
        shown = b""
        while select.select([control], [], [], 60)[0]:
            try:
                chunk = os.read(control, 65536)
            except OSError:
                break
            if not chunk:
                break
            shown += chunk
        os.close(control)
        self.assertEqual(process.wait(60), 0)
        process.stdout.close()
        lines = [line for line in shown.decode().replace("\r\n", "\n").split("\r") if "Recording" in line]
        self.assertGreater(len(lines), 2, shown)
        for line in lines[:-1]:
            self.assertRegex(line, r"\A\x1b\[KRecording the corpus, \d+ of 45056 tokens, \d+/s(, \d+ (s|min) left)?\Z")
        self.assertRegex(lines[-1], r"\A\x1b\[KRecording the corpus, 45056 of 45056 tokens, \d+/s\nrun 1 of .*perplexity [\d.]+\n\Z")
        self.assertTrue(any("left" in line for line in lines))


if __name__ == "__main__":
    unittest.main()
