"""Help, version, usage errors and exit status."""
import os
import re
import sys
import unittest

from program import MODEL, PROGRAM, ROOT, ProgramTest, run

sys.path.insert(0, str(ROOT / "tests" / "support"))
import make_completion  # noqa: E402


class Usage(ProgramTest):
    def test_every_subcommand_has_help_with_an_example(self):
        commands = make_completion.commands_of(PROGRAM)
        self.assertGreaterEqual(len(commands), 12)
        for command in commands:
            with self.subTest(command=command):
                outcome = self.succeed(*command, "--help")
                self.assertEqual(outcome.errors, "")
                self.assertTrue(outcome.output.endswith("\n"))
                examples = re.findall(r"^Examples?:\n((?:  .*\n)+)", outcome.output, re.M)
                self.assertEqual(len(examples), 1, outcome.output)
                self.assertIn(" ".join(("moescope", *command[:1])), examples[0])
                self.assertTrue(all(len(line) <= 120 for line in outcome.output.splitlines()), outcome.output)

    def test_version(self):
        self.assertRegex(self.succeed("--version").output, r"\Amoescope \d+\.\d+\.\d+\n\Z")

    def test_usage_errors_are_one_line_that_names_what_is_wrong(self):
        for words, named in [
                (["--bogus"], "--bogus"), (["inspect"], "PATH"), (["inspect", "a", "b"], "b"), (["generate"], "--model"),
                (["generate", "--model", "x", "--bogus"], "--bogus"), (["generate", "--model", "x", "-n", "0"], "--max-tokens"),
                (["generate", "--model", "x", "--temperature", "warm"], "--temperature"),
                (["generate", "--model", "x", "--dtype", "f8"], "--dtype"), (["generate", "--model", "x", "--capture", "all"], "--capture"),
                (["generate", "--model", "x", "--prompt", "a", "--prompt-file", "b"], "--prompt"),
                (["record", "--model", "x", "--corpus", "y", "-o", "z", "--max-tokens", "-1"], "--max-tokens"),
                (["record", "--model", "x", "--corpus", "y", "-o", "z", "--label-from", "name"], "--label-from"),
                (["steer"], "subcommand"), (["steer", "bogus"], "bogus"), (["steer", "check"], "FILE"),
                (["query", "file"], "SQL"), (["verify", "x"], "--reference")]:
            with self.subTest(words=words):
                outcome = self.refuse("usage.bad_option", *words)
                self.assertIn(named, outcome.errors)
                self.assertIn("--help", outcome.errors)

    def test_a_word_that_is_neither_subcommand_nor_path(self):
        outcome = self.refuse("usage.no_such_path", "generat", json_option=False)
        self.assertIn("generat", outcome.errors)

    @unittest.skipIf(os.environ.get("MOESCOPE_WINDOW", "1") == "1", "this build opens a window")
    def test_a_build_without_a_window_says_so(self):
        for words in ([], [MODEL], ["--demo"]):
            self.refuse("usage.no_window", *words, json_option=False)

    def test_what_is_not_there(self):
        missing = self.folder / "missing"
        self.refuse("file.not_found", "check", missing)
        self.refuse("file.not_found", "verify", missing, "--reference", missing)
        self.refuse("file.not_found", "generate", "--model", missing, "--prompt", "x")
        self.refuse("file.not_found", "generate", "--model", MODEL, "--prompt-file", missing)
        self.refuse("file.not_found", "generate", "--model", MODEL, "--prompt", "x", "--steer", missing)
        self.refuse("corpus.not_found", "record", "--model", MODEL, "--corpus", missing, "--out", self.folder / "t.moescope")
        self.assertFalse((self.folder / "t.moescope").exists())

    def test_errors_never_reach_standard_output_without_json(self):
        outcome = run("inspect", self.folder / "missing")
        self.assertEqual((outcome.status, outcome.output), (2, ""))


if __name__ == "__main__":
    unittest.main()
