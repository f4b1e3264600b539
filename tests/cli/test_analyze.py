"""moescope analyze on the demo's recording, with the test plug-in: options, output forms, errors, Ctrl-C."""
import contextlib
import csv
import io
import json
import os
import shutil
import signal
import sqlite3
import sys
import pathlib
import time
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from program import DEMO, ProgramTest, interrupt, run, start

TRACE = DEMO / "demo.moescope"
PLUGINS = os.environ["MOESCOPE_TEST_PLUGINS"]
LEFT_OUT = r"moescope: plug-in left out: [^\n]*no_entry[^\n]*\n"


class Analyze(ProgramTest):
    def setUp(self):
        super().setUp()
        # Without the folder that has a broken plug-in on purpose.
        self.plugins = self.folder / "plugins"
        self.plugins.mkdir()
        (self.plugins / "test_plugin").symlink_to(pathlib.Path(PLUGINS) / "test_plugin")

    def arguments(self, analysis, *more):
        return ("analyze", TRACE, "--analysis", analysis, "--plugins", self.plugins, *more)

    def test_the_list(self):
        listed = self.succeed("analyze", "--list", "--json", "--plugins", self.plugins).document["analyses"]
        found = {one["id"]: one for one in listed}
        self.assertEqual(found["test-full"], {
            "id": "test-full", "label": "Test test-full", "summary": "For tests", "scope": "run", "capture": "full",
            "parameters": [{"id": "text", "default": "as is", "meaning": "any text"}]})
        self.assertEqual(found["test-series"]["scope"], "series")
        text = self.succeed("analyze", "--list", "--plugins", self.plugins).output
        self.assertIn("Turns \\u001b[31mred", text)  # what a plug-in says does not steer the terminal
        self.assertNotIn("\x1b", text)
        for id in found:
            self.assertIn(f"\n{id}  ", "\n" + text)
        self.assertIn("    text=as is  any text\n", text)

    def test_text(self):
        text = self.succeed(*self.arguments("test-cells", "--param", "text=given")).output
        for line in ("test-cells text=given\n", "  Sample    test sample\n", "  Baseline  test baseline\n",
                     "  Interval  test interval\n", "All kinds of cells\n", "Note: second note\n"):
            self.assertIn(line, text)
        self.assertRegex(text, r"\n +run +text +value \(nat\)\n +1 +given +0\.25\n +-1 +- +-\n")
        self.assertRegex(text, r"Pairs: share, 0\.5 without structure\nLabel in rows, Expert in columns\n")
        self.assertRegex(text, r"\n +a,b +0\.5 \[0\.25, 0\.75\] +-1e-07 \[-2, 1\]\n")

    def test_json(self):
        document = self.succeed(*self.arguments("test-cells", "--json")).document
        self.assertEqual((document["analysis"], document["parameters"]), ("test-cells", {"text": "as is"}))
        self.assertEqual(document["tables"][0]["rows"], [[1, "as is", 0.25], [-1, None, None]])
        self.assertEqual(document["matrices"][0]["values"], [0.5, -1e-07, None, 3.0])

    def test_csv(self):
        text = self.succeed(*self.arguments("test-cells", "--csv", "--table", "pairs")).output
        rows = list(csv.reader(io.StringIO(text)))
        self.assertEqual(rows[:2], [["row", "column", "value", "low", "high"], ["a,b", "0", "0.5", "0.25", "0.75"]])
        both = self.succeed(*self.arguments("test-cells", "--csv")).output
        self.assertTrue(both.startswith("# cells\r\n"), both)
        self.assertIn("\r\n# pairs\r\n", both)
        self.refuse("analysis.no_such_table", *self.arguments("test-cells", "--csv", "--table", "x"), json_option=False)

    def test_an_exporter(self):
        text = self.succeed(*self.arguments("test-cells", "--export", "latex")).output
        self.assertIn("\\begin{tabular}{rlr}", text)
        self.refuse("export.unknown", *self.arguments("test-cells", "--export", "word"), json_option=False)
        outcome = self.refuse("", *self.arguments("test-cells", "--export", "test-export"), status=1, json_option=False)
        self.assertEqual(outcome.output, "")

    def test_bad_requests(self):
        self.refuse("analysis.unknown", *self.arguments("none"))
        self.refuse("analysis.bad_param", *self.arguments("test-cells", "--param", "txt=1"))
        self.refuse("analysis.bad_param", *self.arguments("test-cells", "--param", "text"))
        self.refuse("analysis.no_such_run", *self.arguments("test-cells", "--run", "99"))
        self.refuse("analysis.bad_request", *self.arguments("test-cells", "--series", "1"))
        single = self.folder / "single.moescope"
        shutil.copy(TRACE, single)
        database = sqlite3.connect(single)
        database.executescript("DELETE FROM series_run; DELETE FROM series; UPDATE run SET train_step = NULL;")
        database.close()
        self.refuse("analysis.bad_series", "analyze", single, "--analysis", "test-series", "--plugins", self.plugins)
        self.refuse("analysis.no_checkpoint", *self.arguments("test-weights"))
        self.refuse("analysis.not_recorded", *self.arguments("test-full"))
        self.refuse("analysis.bad_result", *self.arguments("test-ragged"))
        self.refuse("usage.analyze", "analyze", TRACE)
        self.refuse("usage.analyze", "analyze", "--analysis", "test-cells")
        self.refuse("file.not_found", "analyze", self.folder / "no.moescope", "--analysis", "test-cells", "--plugins",
                    self.plugins)

    def test_a_plugin_that_throws(self):
        outcome = self.refuse("analysis.plugin_failed", *self.arguments("test-throws"), status=1)
        self.assertIn("thrown on purpose", outcome.errors)

    def test_what_is_left_out_is_said_and_not_fatal(self):
        outcome = run("analyze", "--list", "--json", "--plugins", PLUGINS, "--plugins", self.folder / "none")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertRegex(outcome.errors, LEFT_OUT)
        self.assertIn("the folder of plug-ins cannot be read", outcome.errors)
        self.assertIn("test-cells", json.dumps(outcome.document))

    def test_a_kept_result_cannot_steer_the_terminal(self):
        copy = self.folder / "copy.moescope"
        shutil.copy(TRACE, copy)
        arguments = ("analyze", copy, *self.arguments("test-cells")[2:])
        self.succeed(*arguments, "--keep")
        with contextlib.closing(sqlite3.connect(copy)) as trace, trace:
            (id, text), = trace.execute("SELECT id, result FROM analysis_result WHERE analysis = 'test-cells'")
            result = json.loads(text)
            matrix = result["matrices"][0]
            for key in ("title", "unit", "row_label", "column_label", "value_label"):
                matrix[key] = "\x1b[2J" + matrix[key]
            result["tables"][0]["columns"][0]["name"] = "\x1b[2J"
            changed = json.dumps(result).encode()
            trace.execute("UPDATE analysis_result SET result = ?, crc = ? WHERE id = ?",
                          (changed, zlib.crc32(changed), id))
        text = self.succeed(*arguments).output
        self.assertNotIn("\x1b", text)
        self.assertIn("[2J", text)  # what was kept is what is shown

    def test_keep(self):
        trace = shutil.copy(TRACE, self.folder / "t.moescope")
        arguments = ("analyze", trace, "--analysis", "test-cells", "--plugins", self.plugins, "--json")
        plain = self.succeed(*arguments).document
        kept = lambda: sqlite3.connect(trace).execute("SELECT analysis, parameters, result FROM analysis_result").fetchall()
        self.assertEqual(kept(), [])  # reading changes nothing
        self.assertEqual(self.succeed(*arguments, "--keep").document, plain)
        (analysis, parameters, result), = kept()
        self.assertEqual((analysis, json.loads(parameters)["parameters"]), ("test-cells", {"text": "as is"}))
        self.assertEqual(json.loads(result), plain)
        self.assertEqual(self.succeed(*arguments).document, plain)

    def test_ctrl_c(self):
        process = start(*self.arguments("test-waits"))
        line = process.stderr.readline().decode()
        self.assertTrue(line.startswith("Waiting"), line)
        outcome = interrupt(process, signal.SIGINT)
        self.assertEqual((outcome.status, outcome.output), (130, ""), outcome)


if __name__ == "__main__":
    unittest.main()
