"""The shell completion files belong to this program and complete what they should."""
import subprocess
import sys
import unittest

from program import PROGRAM, ROOT, ProgramTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import make_completion  # noqa: E402

FOLDER = ROOT / "resources" / "completion"


def complete(*words):
    """What bash offers for the last word."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _moescope; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", str(FOLDER / "moescope.bash"), *words],
                          capture_output=True, text=True, check=True, cwd=ROOT / "resources" / "demo")
    return done.stdout.split()


class Completion(ProgramTest):
    def test_the_files_are_those_of_this_program(self):
        subprocess.run([sys.executable, make_completion.__file__, PROGRAM, self.folder], check=True)
        for name in ("moescope.bash", "_moescope"):
            self.assertEqual((FOLDER / name).read_text(), (self.folder / name).read_text(),
                             f"make {name} again: tests/support/make_completion.py PROGRAM")

    def test_every_subcommand_and_option_is_in_them(self):
        texts = [(FOLDER / name).read_text() for name in ("moescope.bash", "_moescope")]
        for command, entry in make_completion.commands_of(PROGRAM).items():
            for word in make_completion.words_of(entry) + list(command):
                for text in texts:
                    self.assertIn(word, text, f"{command}: {word}")

    def test_bash_completes(self):
        self.assertIn("generate", complete("moescope", "gen"))
        self.assertEqual(complete("moescope", "steer", "n"), ["new"])
        self.assertEqual(complete("moescope", "generate", "--mod"), ["--model", "--mode"])
        self.assertEqual(complete("moescope", "generate", "--capture", "w"), ["weights"])
        self.assertEqual(complete("moescope", "steer", "new", "--phase", ""), ["both", "prefill", "decode"])
        self.assertEqual(complete("moescope", "generate", "--model", "mod"), ["model"])
        self.assertIn("model", complete("moescope", "inspect", "mo"))
        self.assertEqual(complete("moescope", "generate", "--prompt", "x"), [])


if __name__ == "__main__":
    unittest.main()
