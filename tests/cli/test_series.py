"""series: one run a checkpoint in the trace, read without the program; what is refused; stopping and going on."""
import json
import math
import signal
import struct
import time
import unittest

from program import DEMO, MODEL, ProgramTest, Trace, interrupt, start

STEPS = {"step10-tokens1K": 10, "step200-tokens20K": 200, "step3-tokens300": 3}


def with_weights(mark=None):
    """The demo's weights; `mark` changes the last one, NaN changes the last norm so that no logit is finite."""
    data = bytearray((MODEL / "model.safetensors").read_bytes())
    length, = struct.unpack("<Q", data[:8])
    if mark is math.nan:
        entry = json.loads(data[8:8 + length])["model.norm.weight"]
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        data[begin:end] = b"\xc0\x7f" * ((end - begin) // 2)  # bfloat16 NaN
    elif mark:
        data[-2] ^= mark
    return bytes(data)


class SeriesTest(ProgramTest):
    def training(self, **more):
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
            self.write(f"training/{name}", (MODEL / name).read_bytes())
        for number, name in enumerate(STEPS):
            self.write(f"training/{name}/model.safetensors", with_weights(number))
        for name, mark in more.items():
            self.write(f"training/{name}/model.safetensors", with_weights(mark))
        return self.folder / "training"

    def arguments(self, *options, tokens=64, out="t.moescope"):
        return ("series", "--checkpoints", self.folder / "training", "--corpus", DEMO / "corpus", "--context", 32, "--max-tokens", tokens,
                "-o", self.folder / out, *options)

    def test_one_run_a_checkpoint(self):
        self.training(step900=math.nan)
        outcome = self.succeed(*self.arguments("--max-text-tokens", 32, "--json"))
        document = outcome.document
        self.assertEqual((document["series"], document["name"], document["checkpoints"], document["cancelled"]), (1, "training", 4, False))
        trace = Trace(self.folder / "t.moescope")
        self.addCleanup(trace.close)
        rows = trace.rows("SELECT r.id, r.train_step, r.train_tokens, r.checkpoint_label, r.capture, r.status, r.tokens FROM series_run s"
                          " JOIN run r ON r.id = s.run ORDER BY s.ordinal")
        self.assertEqual([row[1:6] for row in rows], [
            (3, 300, "step3-tokens300", "ids", "closed"), (10, 1000, "step10-tokens1K", "ids", "closed"),
            (200, 20000, "step200-tokens20K", "ids", "closed"), (900, None, "step900", "ids", "closed")])
        first = trace.tokens(rows[0][0])
        for (run, step, seen, label, _, _, tokens), told in zip(rows, document["runs"]):
            self.assertEqual(trace.tokens(run), first)  # the same texts, token by token
            self.assertEqual((told["run"], told["step"], told["tokens_seen"], told["label"], told["tokens"]), (run, step, seen, label, tokens))
            known = [value for value in trace.log_probs(run) if math.isfinite(value)]
            if step == 900:
                self.assertEqual(known, [])
                self.assertIsNone(told["mean_log_prob"])
                windows = trace.rows("SELECT count(*) FROM sequence WHERE run = ?", run)[0][0]
                self.assertEqual(told["undefined_log_probs"], tokens - windows)
                self.assertIn(f"{tokens - windows} of {tokens} tokens", trace.run(run)["notes"])
            else:
                self.assertAlmostEqual(told["mean_log_prob"], math.fsum(known) / len(known), places=6)
                self.assertEqual((told["undefined_log_probs"], trace.run(run)["notes"]), (0, ""))
        self.assertIn("step900: the loss of", outcome.errors)
        self.assertEqual(self.succeed("check", self.folder / "t.moescope", "--json").document["problems"], [])

    def test_stopped_and_resumed(self):
        self.training()
        process = start(*self.arguments(tokens=4096))
        database = self.folder / "t.moescope"
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            try:
                trace = Trace(database)
                begun = trace.rows("SELECT count(*) FROM run")[0][0]
                trace.close()
                if begun > 1:
                    break
            except Exception:  # the file is not there yet
                pass
            time.sleep(0.02)
        outcome = interrupt(process, signal.SIGINT)
        if outcome.status == 0:
            self.skipTest("the series was done before it could be stopped")
        self.assertEqual(outcome.status, 130, outcome)
        self.assertIn("--resume goes on", outcome.errors)
        resumed = self.succeed(*self.arguments("--resume", "--json", tokens=4096)).document
        self.assertEqual(len(resumed["runs"]), 3)
        self.assertTrue(resumed["runs"][0]["kept"])
        self.succeed(*self.arguments(tokens=4096, out="whole.moescope"))
        one, other = Trace(database), Trace(self.folder / "whole.moescope")
        self.addCleanup(one.close)
        self.addCleanup(other.close)
        for table, order in (("token_block", "run, block"), ("route_block", "run, router, block"), ("sequence", "run, ordinal"),
                             ("series_run", "series, ordinal")):
            self.assertEqual(one.rows(f"SELECT * FROM {table} ORDER BY {order}"), other.rows(f"SELECT * FROM {table} ORDER BY {order}"), table)

    def test_refusals(self):
        arguments = self.arguments()
        self.refuse("series.not_found", *arguments)
        self.write("training/config.json", (MODEL / "config.json").read_bytes())
        self.refuse("series.no_checkpoints", *arguments)
        self.write("training/step1/model.safetensors", with_weights())
        self.refuse("series.one_checkpoint", *arguments)
        self.write("training/best/model.safetensors", with_weights())
        self.refuse("series.no_step", *arguments)
        self.assertFalse((self.folder / "t.moescope").exists())


if __name__ == "__main__":
    unittest.main()
