"""Bad input for generate and record: one clear error each, nothing written, nothing lost."""
import os
import resource
import signal
import subprocess
import unittest

from program import DATA, DEMO, MODEL, PROGRAM, ProgramTest, Trace, run


class BadRuns(ProgramTest):
    def setUp(self):
        super().setUp()
        self.trace = self.folder / "t.moescope"

    def generate(self, kind, *options, prompt="x", model=MODEL, **more):
        outcome = self.refuse(kind, "generate", "--model", model, "--prompt", prompt, "--record", self.trace, *options, **more)
        self.assertFalse(self.trace.exists(), "a trace was made")
        return outcome

    def record(self, kind, corpus, *options, model=MODEL, **more):
        outcome = self.refuse(kind, "record", "--model", model, "--corpus", corpus, "--out", self.trace, *options, **more)
        self.assertFalse(self.trace.exists(), "a trace was made")
        return outcome

    def program(self, *rules):
        return self.write("p.json", {"moescope_steering": 1, "rules": list(rules)})

    def test_prompts(self):
        self.generate("generate.empty_prompt", prompt="")
        self.refuse("generate.empty_prompt", "generate", "--model", MODEL)
        self.refuse("generate.empty_prompt", "generate", "--model", MODEL, "--prompt-file", self.write("empty.txt", ""))
        outcome = self.generate("generate.prompt_too_long", prompt="a b " * 3000)
        self.assertIn("1024", outcome.errors)
        self.refuse("tokenizer.not_utf8", "generate", "--model", MODEL, "--prompt-file", self.write("latin.txt", b"caf\xe9"))

    def test_settings_out_of_range(self):
        for option, value in (("--temperature", -1), ("--temperature", "nan"), ("--top-p", 0), ("--top-p", 2), ("--top-k", -1), ("--min-p", 2), ("--repetition-penalty", 0)):
            self.generate("sampler.bad_value", option, value)

    def test_devices_that_are_not_there(self):
        devices = [device["id"] for device in self.succeed("devices", "--json").document["devices"]]
        missing = ["tpu", "cuda:99"] + ([] if any(name.startswith("cuda") for name in devices) else ["cuda"])
        for device in missing:
            self.generate("machine.no_device", "--device", device, status=3)
            self.record("machine.no_device", DEMO / "corpus", "--device", device, status=3)

    def test_programs(self):
        for kind, rule in [("steering.no_such_expert", {"primitive": "KEY", "op": "ban", "experts": [32]}),
                           ("steering.no_such_layer", {"primitive": "KEY", "op": "ban", "layers": [6], "experts": [0]}),
                           ("steering.all_banned", {"primitive": "KEY", "op": "ban"}), ("steering.bad_format", {"primitive": "KEY", "op": "forbid"})]:
            path = self.program(rule)
            self.assertIn(str(path), self.generate(kind, "--steer", path).errors)
            self.assertIn(str(path), self.record(kind, DEMO / "corpus", "--steer", path).errors)
        halves = [self.write(f"{n}.json", {"moescope_steering": 1, "rules": [{"primitive": "KEY", "op": "ban", "experts": list(range(16 * n, 16 * n + 16))}]}) for n in (0, 1)]
        outcome = self.generate("steering.all_banned", "--steer", *halves)
        self.assertTrue(all(str(half) in outcome.errors for half in halves))
        path = self.write("p.json", "{")
        self.generate("steering.not_json", "--steer", path)

    def test_models(self):
        self.generate("file.not_found", model=self.folder / "missing")
        self.record("file.not_found", DEMO / "corpus", model=self.folder / "missing")
        (self.folder / "empty").mkdir()
        self.generate("config.missing", model=self.folder / "empty")
        self.generate("safetensors.truncated", model=DATA / "malformed" / "truncated_file")
        # A checkpoint without a tokenizer can be run on ids only.
        self.refuse("file.not_found", "generate", "--model", DATA / "checkpoints" / "olmoe", "--prompt", "x")

    def test_corpora(self):
        self.record("corpus.not_found", self.folder / "missing")
        (self.folder / "nothing").mkdir()
        self.record("corpus.empty", self.folder / "nothing")
        self.write("latin/fr.txt", "déjà vu, ".encode() + b"caf\xe9")
        outcome = self.record("corpus.not_utf8", self.folder / "latin")
        self.assertIn("fr.txt", outcome.errors)
        self.assertIn("byte 14", outcome.errors)
        for line, message in (("{", ""), ("[]", "object"), ('{"text": 1}', "text"), ('{"text": "a"}', "label"), ('{"text": "", "label": "b"}', "empty")):
            outcome = self.record("corpus.bad_line", self.write("c.jsonl", '{"text": "good", "label": "a"}\n' + line + "\n"))
            self.assertIn("line 2", outcome.errors)
            self.assertIn(message, outcome.errors)
        self.record("corpus.context_too_long", DEMO / "corpus", "--context", 4096)

    def test_targets_that_cannot_be_written(self):
        for target in ("/proc/t.moescope", self.folder / "no" / "such" / "folder" / "t.moescope", self.folder):
            for words in (("generate", "--model", MODEL, "--prompt", "x", "--record", target), ("record", "--model", MODEL, "--corpus", DEMO / "corpus", "-o", target)):
                with self.subTest(target=str(target), words=words[0]):
                    outcome = run(*words, "--json")
                    self.assertIn(outcome.status, (2, 3), outcome)
                    self.assertIn(outcome.document["error"]["kind"], ("trace.unwritable", "trace.not_ours"))
                    self.assertIn(str(target), outcome.errors)
                    self.assertEqual(outcome.errors.count("\n"), 1)

    @unittest.skipIf(os.geteuid() == 0, "the superuser may write anything")
    def test_a_read_only_trace(self):
        self.succeed("generate", "--model", MODEL, "--prompt", "x", "-n", 4, "--record", self.trace)
        before = self.trace.read_bytes()
        self.trace.chmod(0o444)
        self.refuse("trace.unwritable", "generate", "--model", MODEL, "--prompt", "x", "--record", self.trace)
        self.assertEqual(self.trace.read_bytes(), before)

    def test_a_file_of_another_kind_is_never_written_into(self):
        path = self.write("notes.txt", "my notes\n" * 100)
        self.refuse("trace.not_ours", "generate", "--model", MODEL, "--prompt", "x", "--record", path)
        self.refuse("trace.not_ours", "record", "--model", MODEL, "--corpus", DEMO / "corpus", "-o", path)
        self.assertEqual(path.read_text(), "my notes\n" * 100)

    def test_a_file_that_may_not_grow(self):
        """What a full disk does: the writing stops with one error, and what was recorded is good."""
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
        done = subprocess.run([PROGRAM, "record", "--model", str(MODEL), "--corpus", str(DEMO / "corpus"), "--context", "128", "-o", str(self.trace), "--json", "--quiet"],
                              capture_output=True, preexec_fn=limit, timeout=100)
        self.assertEqual(done.returncode, 3, done)
        self.assertRegex(done.stderr.decode(), r"\Amoescope: [^\n]*t\.moescope: [^\n]+\n\Z")
        self.succeed("inspect", self.trace)
        trace = Trace(self.trace)
        self.addCleanup(trace.close)
        self.assertGreater(len(trace.tokens()), 0)
        self.assertEqual(trace.rows("PRAGMA integrity_check"), [("ok",)])
        self.succeed("check", self.trace, "--repair")


if __name__ == "__main__":
    unittest.main()
