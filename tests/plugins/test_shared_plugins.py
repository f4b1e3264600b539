"""Built-in plug-ins linked with the program and as shared objects: the same lists and the same results."""
import json
import os
import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRACE = ROOT / "resources/demo/demo.moescope"
LINKED = os.environ["MOESCOPE_PROGRAM"]
SHARED = os.environ["MOESCOPE_SHARED_PROGRAM"]
TEST_PLUGIN = os.environ["MOESCOPE_TEST_PLUGINS"]


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=150)
    return done.returncode, done.stdout, done.stderr


class SharedPlugins(unittest.TestCase):
    def test_no_plugin_is_linked_twice_or_missing(self):
        folder = pathlib.Path(SHARED).parent / "../lib/moescope/plugins"
        built = {path.name for path in (ROOT / "plugins").iterdir()
                 if (path / "plugin.json").exists() and path.name != "sample_view"}
        self.assertEqual({path.parent.name for path in folder.glob("*/*.so")}, built)

    def test_the_same_analyses(self):
        linked, shared = (run(program, "analyze", "--list", "--json") for program in (LINKED, SHARED))
        self.assertEqual((linked[0], linked[2]), (0, ""))
        self.assertEqual((shared[0], shared[2]), (0, ""))
        # Linked plug-ins come in the order of the program, others in the order of their names.
        lists = [sorted(json.loads(out)["analyses"], key=lambda one: one["id"]) for _, out, _ in (linked, shared)]
        self.assertEqual(*lists)

    def test_the_same_export(self):
        # The exporter is a built-in plug-in, the analysis comes from the test plug-in: both reach the core.
        arguments = ("analyze", TRACE, "--analysis", "test-cells", "--export", "latex", "--plugins", TEST_PLUGIN)
        linked, shared = (run(program, *arguments) for program in (LINKED, SHARED))
        self.assertEqual(linked[0], 0, linked)
        self.assertIn("\\toprule", linked[1])
        self.assertEqual(linked, shared)


if __name__ == "__main__":
    unittest.main()
