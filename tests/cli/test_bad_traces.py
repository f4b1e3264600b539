"""Traces that are foreign, newer, cut or damaged: one clear error each, and the file stays as it is."""
import pathlib
import sqlite3
import tempfile
import unittest

from program import MODEL, ProgramTest, Trace, run


class BadTraces(ProgramTest):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory(prefix="moescope-cli-") as folder:
            corpus = pathlib.Path(folder) / "corpus.jsonl"
            corpus.write_text("".join(
                f'{{"text": "{i} captains looked for a wind that did not come.", "label": "english"}}\n'
                for i in range(40)))
            trace = pathlib.Path(folder) / "t.moescope"
            done = run("record", "--model", MODEL, "--corpus", corpus, "-o", trace, "--quiet")
            assert done.status == 0, done
            cls.content = trace.read_bytes()

    def readers(self, path):
        yield "inspect", path
        yield "check", path
        yield "query", path, "SELECT id FROM run"

    def refused_everywhere(self, kind, path):
        before = path.read_bytes()
        for words in self.readers(path):
            with self.subTest(words=words[0]):
                json_option = words[0] != "query"
                outcome = self.refuse(kind, *words, json_option=json_option)
                self.assertIn(str(path), outcome.errors)
                if not json_option:
                    error = run(*words, "--format", "json").document["error"]
                    self.assertEqual(error["kind"], kind)
        self.assertEqual(path.read_bytes(), before)
        self.assertEqual([other.name for other in self.folder.iterdir()], [path.name], "nothing is left beside it")

    def copy(self, name="t.moescope"):
        path = self.folder / name
        path.write_bytes(self.content)
        return path

    def test_the_trace_itself_is_good(self):
        path = self.copy()
        self.succeed("check", path)
        document = self.succeed("inspect", path, "--json").document
        self.assertEqual(document["kind"], "trace")

    def test_a_trace_of_another_program(self):
        path = self.folder / "other.sqlite"
        database = sqlite3.connect(path)
        database.executescript("PRAGMA application_id=1196444487; CREATE TABLE run (id INTEGER); PRAGMA user_version=1;")
        database.close()
        self.refused_everywhere("trace.not_ours", path)

    def test_files_that_are_no_database(self):
        for content in (b"", b"\x00" * 4096, b"SQLite format 3\x00", b"%PDF-1.7 not a trace at all" * 100):
            path = self.write("some.moescope", content)
            self.refused_everywhere("trace.not_ours", path)

    def test_a_newer_schema(self):
        path = self.copy()
        database = sqlite3.connect(path)
        version, = database.execute("PRAGMA user_version").fetchone()
        database.execute(f"PRAGMA user_version={version + 1}")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        outcome = run("inspect", path)
        self.assertIn("newer", outcome.errors)
        self.refused_everywhere("trace.newer", path)

    def test_a_cut_trace(self):
        whole = self.content
        for length in (4096, len(whole) // 2, len(whole) - 4096):
            with self.subTest(length=length):
                path = self.write("cut.moescope", whole[:length])
                for words in self.readers(path):
                    outcome = run(*words)
                    if words[0] == "check" or outcome.status != 0:
                        self.assertIn(outcome.status, (1, 2), outcome)
                        text = outcome.errors if outcome.status == 2 else outcome.output
                        self.assertRegex(text, "cut|damaged|malformed|short")
                self.assertEqual(path.read_bytes(), whole[:length])

    def test_a_flipped_bit_is_found_and_named(self):
        path = self.copy()
        database = sqlite3.connect(path)
        database.execute("VACUUM")  # no page with an older copy of the block
        database.close()
        trace = Trace(path)
        ids, = trace.rows("SELECT ids FROM route_block WHERE router = 1 AND block = 0")[0]
        trace.close()
        content = bytearray(path.read_bytes())
        self.assertEqual(bytes(content).count(ids[:64]), 1)
        at = bytes(content).index(ids[:64])
        content[at + 5] ^= 1
        path.write_bytes(content)
        outcome = run("check", path, "--json")
        self.assertEqual(outcome.status, 1, outcome)
        self.assertFalse(outcome.document["ok"])
        self.assertTrue(any("block 0" in problem["place"] for problem in outcome.document["problems"]), outcome)
        # The rest can still be read.
        self.succeed("inspect", path)
        self.succeed("query", path, "SELECT count(*) FROM tokens")

    def test_folders_and_missing_files(self):
        missing = self.folder / "missing.moescope"
        for words in self.readers(missing):
            outcome = run(*words)
            self.assertEqual(outcome.status, 2, outcome)
            self.assertIn("no such file", outcome.errors)
        self.assertFalse(missing.exists())


if __name__ == "__main__":
    unittest.main()
