"""moescope figure with the kinds that run an analysis: the numbers beside the picture are those of the analysis."""
import csv
import io
import json
import math
import os
import sqlite3
import unittest

from program import DEMO, ProgramTest, Trace

TRACE = DEMO / "demo.moescope"
DRAWS = ("--param", "draws=20")
WINDOW = os.environ.get("MOESCOPE_WINDOW", "1").upper() in ("1", "ON", "TRUE")


def rows_of(text):
    """Dictionaries of a CSV with one header line."""
    return list(csv.DictReader(io.StringIO(text)))


def number(text):
    return float(text) if text else None


@unittest.skipUnless(WINDOW, "a build without the window draws no figures")
class AnalysisFigures(ProgramTest):
    def figure(self, kind, *parameters, suffix="svg"):
        """(rows of the CSV, figure as JSON, bytes of the picture)"""
        out = self.folder / f"{kind}.{suffix}"
        given = [word for parameter in parameters for word in ("--param", parameter)]
        listed = self.succeed("figure", TRACE, "--kind", kind, "-o", out, "--data", *DRAWS, *given).output.split()
        self.assertEqual(listed, [str(out), str(out.with_suffix(".csv")), str(out.with_suffix(".json"))])
        with open(out.with_suffix(".csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return rows, json.loads(out.with_suffix(".json").read_text(encoding="utf-8")), out.read_bytes()

    def table(self, analysis, table, *more):
        return rows_of(self.succeed("analyze", TRACE, "--analysis", analysis, "--csv", "--table", table, "--quiet", *DRAWS, *more).output)

    def assert_same(self, shown, expected, what=""):
        self.assertEqual(len(shown), len(expected), what)
        for place, (a, b) in enumerate(zip(shown, expected)):
            if b is None:
                self.assertIsNone(a, f"{what} at {place}")
            else:
                self.assertIsNotNone(a, f"{what} at {place}")
                self.assertLessEqual(abs(a - b), 1e-12 * max(1.0, abs(b)), f"{what} at {place}: {a} {b}")

    def column(self, rows, name):
        return [number(row[name]) for row in rows]

    # Figures of a series.

    def test_the_plane_of_training(self):
        rows, figure, picture = self.figure("phase-plane", "x=cv", "y=loss")
        table = self.table("load-balance", "series")
        self.assert_same(self.column(rows, "CV"), self.column(table, "cv"), "cv")
        loss = figure["y"]["label"]
        self.assertTrue(loss.startswith("Loss, nat per token"), loss)
        self.assert_same(self.column(rows, loss), self.column(table, "loss"), "loss")
        for shown, known in (("low", "loss_low"), ("high", "loss_high"), ("x_low", "cv_low"), ("x_high", "cv_high")):
            self.assert_same(self.column(rows, shown), self.column(table, known), known)
        self.assertEqual((figure["x"]["label"], figure["title"].startswith("Trajectory: ")), ("CV", True))
        self.assertIn("trajectory", figure["sample_line"])
        text = picture.decode()
        self.assertIn(">CV<", text)
        self.assertIn(f">{loss}<", text)
        # The loss of every checkpoint as the file has it, read without the program.
        trace = Trace(TRACE)
        self.addCleanup(trace.close)
        runs = [run for run, in trace.rows("SELECT run FROM series_run ORDER BY ordinal")]
        self.assertEqual(len(runs), 12)
        for run, shown in zip(runs, self.column(rows, loss)):
            values = [value for value in trace.log_probs(run) if math.isfinite(value)]
            self.assertAlmostEqual(shown, -math.fsum(values) / len(values), places=9)

    def test_a_course_of_mutual_information(self):
        rows, figure, _ = self.figure("phase-course", "metric=mutual_information", "layer=3")
        table = [row for row in self.table("label-information", "information") if row["layer"] == "3"]
        name = figure["y"]["label"]
        self.assertIn("Mutual information", name)
        self.assertEqual(figure["x"]["label"], "Training step (log scale)")
        # A second line may show the shuffled level.
        rows = rows[:len(table)]
        self.assert_same(self.column(rows, "Training step (log scale)"), self.column(table, "step"), "step")
        self.assert_same(self.column(rows, name), self.column(table, "mi_bits"), "mi_bits")
        self.assert_same(self.column(rows, "low"), self.column(table, "mi_basic_low"), "low")
        self.assert_same(self.column(rows, "high"), self.column(table, "mi_basic_high"), "high")

    def test_a_course_of_churn(self):
        rows, figure, _ = self.figure("phase-course", "metric=churn", "layer=2", "band=no")
        table = {row["step"]: number(row["churn"]) for row in self.table("stability", "agreement")
                 if row["layer"] == "2" and row["against"] == "previous"}
        self.assertEqual(len(table), 11)
        self.assert_same(self.column(rows, figure["y"]["label"]), [table.get(row["Training step (log scale)"]) for row in rows], "churn")

    def test_every_layer(self):
        rows, figure, picture = self.figure("phase-layers", "metric=gini", suffix="pdf")
        self.assertTrue(picture.startswith(b"%PDF-"))
        self.assertEqual([panel["heading"] for panel in figure["panels"]], [f"L{layer}" for layer in range(6)])
        table = self.table("load-balance", "layers")
        for layer in range(6):
            shown = [row for row in rows if row["panel"] == f"L{layer}" and row["series"] == "layer"]
            known = [row for row in table if row["layer"] == str(layer)]
            self.assert_same(self.column(shown, "Gini"), self.column(known, "gini"), layer)
            self.assert_same(self.column(shown, "low"), self.column(known, "gini_low"), layer)

    # Figures of a run.

    def test_labels_and_experts(self):
        cells = {(row["row"], row["column"]): row for row in self.table("specialization", "rates_layer4", "--run", "1")}
        self.assertEqual(len(cells), 11 * 32)
        rows, figure, picture = self.figure("specialization", "run=1", "layer=4", "value=rate")
        value = figure["map"]["colours"]["label"]
        self.assert_same(self.column(rows, value), [100 * number(cells[row["row"], row["Expert"]]["value"]) for row in rows], "rate")
        self.assertEqual(len(rows), len(cells))
        self.assertIn("Layer 4: which labels choose which experts", figure["title"])
        for word in (b"german", b">Expert<", b">tokens<"):
            self.assertIn(word, picture)
        # Cells are grey exactly where the interval holds the chance level k/M.
        grey = [number(cells[row["row"], row["Expert"]]["low"]) <= 0.125 <= number(cells[row["row"], row["Expert"]]["high"]) for row in rows]
        self.assertEqual([bool(mark) for mark in figure["map"]["indistinct"]], grey)
        rows, figure, _ = self.figure("specialization", "run=1", "layer=4", "order=number")
        value = figure["map"]["colours"]["label"]
        self.assert_same(self.column(rows, value), [number(cells[row["row"], row["Expert"]]["value"]) / 0.125 for row in rows], "ratio")
        self.assertEqual([row["Expert"] for row in rows[:32]], [str(expert) for expert in range(32)])
        shares = {(row["row"], row["column"]): row for row in self.table("specialization", "shares_layer4", "--run", "1")}
        rows, figure, _ = self.figure("specialization", "run=1", "layer=4", "value=share")
        value = figure["map"]["colours"]["label"]
        self.assert_same(self.column(rows, value), [100 * number(shares[row["row"], row["Expert"]]["value"]) for row in rows], "share")

    def test_a_rate_counted_from_the_file(self):
        """Choices of one expert by the tokens of one label, with SQL over the sums of the sequences."""
        rows, figure, _ = self.figure("expert-rates", "run=1", "layer=2", "expert=3")
        database = sqlite3.connect(f"file:{TRACE}?mode=ro", uri=True)
        self.addCleanup(database.close)
        chosen, tokens = {}, {}
        for label, counts, count in database.execute(
                "SELECT l.value, s.counts, s.tokens FROM sequence_stats s JOIN sequence_label l"
                " ON l.run = s.run AND l.sequence = s.sequence AND l.key = 'label'"
                " WHERE s.run = 1 AND s.router = 2"):
            chosen[label] = chosen.get(label, 0) + int.from_bytes(counts[12:16], "little")
            tokens[label] = tokens.get(label, 0) + count
        self.assertEqual(len(chosen), 11)
        label = figure["x"]["label"]
        self.assertEqual(label, "Tokens of the label that choose expert 3")
        self.assert_same(self.column(rows, label), [100 * chosen[row["name"]] / tokens[row["name"]] for row in rows], "rate")
        self.assertEqual(self.column(rows, label), sorted(self.column(rows, label), reverse=True))
        cells = {row["row"]: row for row in self.table("specialization", "rates_layer2", "--run", "1") if row["column"] == "3"}
        for end in ("low", "high"):
            self.assert_same(self.column(rows, end), [100 * number(cells[row["name"]][end]) for row in rows], end)

    def test_information_of_labels(self):
        rows, figure, picture = self.figure("label-information", "run=1", "layer=2", suffix="pdf")
        self.assertTrue(picture.startswith(b"%PDF-"))
        table = self.table("specialization", "information", "--run", "1")
        name = figure["x"]["label"]
        self.assertEqual(name, "Mutual information, bits per choice")
        lines = {}
        for row in rows:
            lines.setdefault(row["series"], []).append(row)
        known = ("mi_bits", "miller_madow_bits", "shuffled_max_bits")
        for (_, shown), column in zip(sorted(lines.items(), key=lambda line: rows.index(line[1][0])), known):
            self.assert_same(self.column(shown, name), self.column(table, column), column)
        self.assertEqual(len(lines), 3)
        self.assertEqual(len(figure["bands"]), 1)

    def test_vocabulary(self):
        rows, figure, _ = self.figure("vocabulary", "run=1", "key=input")
        table = self.table("vocabulary", "values", "--run", "1", "--param", "key=input", "--param", "top=0")
        name = figure["x"]["label"]
        shown = [row for row in rows if row["series"] == "input"]
        self.assert_same(self.column(shown, name), [100 * number(row["token_weighted"]) for row in table], "value")
        self.assert_same(self.column(shown, "x_high"), [100 * number(row["token_weighted_high"]) for row in table], "high")
        shuffled = [row for row in rows if row["series"] == "input, ids shuffled"]
        self.assert_same(self.column(shuffled, name), [100 * number(row["token_weighted_shuffled"]) for row in table], "shuffled")

    def test_vocabulary_without_alternatives(self):
        """Runs of a series keep no alternatives: the other keys are drawn."""
        rows, _, _ = self.figure("vocabulary", "run=13")
        self.assertEqual({row["series"].split(",")[0] for row in rows}, {"input", "next"})
        document = self.succeed("analyze", TRACE, "--analysis", "vocabulary", "--run", "13", "--json", *DRAWS).document
        self.assertTrue(any("predicted" in note for note in document["notes"]), document["notes"])
        self.refuse("analysis.not_recorded", "figure", TRACE, "--kind", "vocabulary", "-o", self.folder / "x.svg",
                    "--param", "run=13", "--param", "key=predicted")

    def test_experts_that_serve_the_same_tokens(self):
        rows, figure, picture = self.figure("co-activation", "run=1", "layer=1", "order=number")
        cells = {(row["row"], row["column"]): number(row["value"]) for row in self.table("co-activation", "co_activation_layer1", "--run", "1")}
        value = figure["map"]["colours"]["label"]
        self.assertIn("chance 9.68", value)
        expected = [None if row["Expert i"] == row["Expert j"] else 100 * cells[row["Expert i"], row["Expert j"]] for row in rows]
        self.assert_same([number(row[value]) for row in rows], expected, "co-activation")
        self.assertIn(b">Expert i<", picture)
        rows, figure, _ = self.figure("co-activation", "run=1", "layer=1")
        order = [row["expert"] for row in self.table("co-activation", "order", "--run", "1") if row["layer"] == "1"]
        self.assertEqual([row["Expert j"] for row in rows[:32]], order)

    def test_the_title_and_the_sample_are_drawn_on_request(self):
        rows, figure, picture = self.figure("expert-rates", "run=1", "expert=3", "title=Own title", "draw-title=yes", "sample-line=yes")
        text = picture.decode()
        self.assertIn(">Own title<", text)
        self.assertIn("45056 tokens, 212 texts", figure["sample_line"])
        self.assertRegex(text, r">run 1 “corpus”, 45056 tokens")
        self.assertTrue(any(entry[0] == "trace" and entry[1] == "demo.moescope" for entry in pairs(figure["provenance"])))

    # What cannot be drawn.

    def cannot(self, kind, what, *parameters, trace=TRACE):
        given = [word for parameter in parameters for word in ("--param", parameter)]
        out = self.folder / "never.svg"
        outcome = self.refuse(kind, "figure", trace, "--kind", what, "-o", out, *DRAWS, *given)
        self.assertEqual(list(self.folder.glob("never*")), [])
        return outcome.document["error"]

    def test_bad_requests(self):
        self.cannot("figure.no_such_kind", "phase-plan")
        self.cannot("figure.no_such_layer", "specialization", "run=1", "layer=6")
        self.cannot("figure.no_such_layer", "co-activation", "run=1", "layer=6")
        self.cannot("figure.no_such_layer", "expert-rates", "run=1", "layer=6", "expert=0")
        self.cannot("figure.bad_result", "expert-rates", "run=1", "expert=32")
        self.assertEqual(self.cannot("figure.bad_param", "expert-rates", "run=1")["where"], "expert")
        for parameter in ("layer=two", "layer=-1", "value=rates", "order=size", "grey=maybe"):
            error = self.cannot("figure.bad_param", "specialization", "run=1", parameter)
            self.assertEqual(error["where"], parameter.split("=")[0])
        self.cannot("figure.bad_param", "specialization", "layer")
        self.cannot("analysis.bad_param", "specialization", "run=1", "labels=nothing:at:all")
        self.assertIn("colour", json.dumps(self.cannot("analysis.bad_param", "co-activation", "run=1", "colour=red")))
        self.cannot("analysis.no_such_run", "specialization", "run=none")

    def test_bad_requests_of_series(self):
        for parameter in ("colour=red", "band=perhaps", "draws=many", "layer=6", "layer=two"):
            error = self.cannot("figure.bad_param", "phase-course", parameter)
            self.assertEqual(error["where"], parameter.split("=")[0])
        self.cannot("figure.bad_param", "phase-layers", "scale=other")
        self.cannot("analysis.no_such_series", "phase-plane", "series=none")
        error = self.cannot("figure.no_such_metric", "phase-course", "metric=cvs")
        self.assertIn("peak_factor", error["advice"])

    def test_a_trace_without_a_series(self):
        copy = self.folder / "one.moescope"
        copy.write_bytes(TRACE.read_bytes())
        database = sqlite3.connect(copy)
        with database:
            database.execute("DELETE FROM series_run")
            database.execute("DELETE FROM series")
            database.execute("UPDATE run SET train_step = NULL, train_tokens = NULL")
        database.close()
        error = self.cannot("analysis.bad_series", "phase-plane", trace=copy)
        self.assertIn("moescope series", error["advice"])


def pairs(provenance):
    return provenance.items() if isinstance(provenance, dict) else provenance


if __name__ == "__main__":
    unittest.main()
