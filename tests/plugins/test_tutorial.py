"""The tutorial of docs/plugins.md, followed word by word: its commands are run, its listing is the file."""
import csv
import io
import os
import pathlib
import re
import shutil
import sqlite3
import struct
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "plugins/sample_view"
TRACE = ROOT / "resources/demo/demo.moescope"


def busiest_experts():
    """(layer, expert, share) of the run that an analysis takes by default, from the counts in its file."""
    database = sqlite3.connect(f"file:{TRACE}?mode=ro&immutable=1", uri=True)
    found = []
    run, model = database.execute("SELECT id, model FROM run WHERE id NOT IN (SELECT run FROM series_run) "
                                  "ORDER BY id DESC LIMIT 1").fetchone()
    for router, layer in database.execute("SELECT router, layer FROM router WHERE model = ? ORDER BY router", (model,)).fetchall():
        total = None
        for (blob,) in database.execute("SELECT counts FROM sequence_stats WHERE run = ? AND router = ?", (run, router)):
            counts = struct.unpack(f"<{len(blob) // 4}I", blob)
            total = counts if total is None else tuple(a + b for a, b in zip(total, counts))
        found.append((layer, total.index(max(total)), max(total) / sum(total)))
    return found


class Tutorial(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix="moescope-tutorial-"))
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)
        block = re.search(r"<!-- tutorial -->\n```sh\n(.*?)```", DOCS, re.S).group(1)
        cls.commands = block.replace("build/release", os.environ["MOESCOPE_BUILD"])
        cls.environment = {**os.environ, "HOME": str(cls.home)}
        cls.environment.pop("XDG_DATA_HOME", None)
        cls.done = subprocess.run(["bash", "-euc", cls.commands], cwd=ROOT, env=cls.environment, capture_output=True,
                                  text=True, timeout=550)

    def run_installed(self, *arguments, **environment):
        done = subprocess.run([self.home / "moescope/bin/moescope", *map(str, arguments)], capture_output=True, text=True,
                              env={**self.environment, **environment}, timeout=100)
        self.assertEqual(done.returncode, 0, done)
        return done

    def test_the_listing_is_the_file(self):
        listings = re.findall(r"```(?:cpp|json|cmake)\n(.*?)```", DOCS, re.S)
        files = [(SAMPLE / name).read_text(encoding="utf-8") for name in ("sample_view.cpp", "plugin.json", "CMakeLists.txt")]
        self.assertGreaterEqual(len(listings), 5)
        for listing in listings:
            self.assertTrue(any(listing in file for file in files), listing)

    def test_it_is_short(self):
        self.assertLessEqual(len((SAMPLE / "sample_view.cpp").read_text().splitlines()), 80)

    def test_every_command_works(self):
        self.assertEqual(self.done.returncode, 0, self.done.stdout[-3000:] + self.done.stderr[-3000:])
        self.assertIn("busiest-expert  Busiest expert", self.done.stdout)

    def test_the_numbers_are_those_of_the_file(self):
        text = self.run_installed("analyze", TRACE, "--analysis", "busiest-expert", "--csv", "--plugins",
                                  self.home / "sample_view/build/plugins").stdout
        rows = list(csv.reader(io.StringIO(text)))[1:]
        self.assertEqual([(int(a), int(b)) for a, b, _ in rows], [(a, b) for a, b, _ in busiest_experts()])
        for (_, _, share), (_, _, expected) in zip(rows, busiest_experts()):
            self.assertAlmostEqual(float(share), expected, places=12)

    def test_it_is_found_in_the_folders(self):
        plugin = self.home / "sample_view/build/plugins/sample_view"
        self.assertNotIn("busiest-expert", self.run_installed("analyze", "--list").stdout)
        for folder in (self.home / ".local/share/moescope/plugins", self.home / "moescope/lib/moescope/plugins"):
            shutil.copytree(plugin, folder / "sample_view")
            done = self.run_installed("analyze", "--list")
            self.assertIn("busiest-expert", done.stdout)
            self.assertEqual(done.stderr, "")
            # Again from another folder: one is enough, the second is named.
            again = self.run_installed("analyze", "--list", MOESCOPE_PLUGINS=str(plugin.parent))
            self.assertIn("the plug-in sample_view is there already", again.stderr)
            self.assertEqual(again.stdout.count("busiest-expert"), 1)
            shutil.rmtree(folder / "sample_view")

    def test_the_window_shows_its_panel(self):
        done = subprocess.run([os.environ["MOESCOPE_DOCK_TEST"], "theSampleViewShowsARun"], capture_output=True, text=True,
                              env={**self.environment, "QT_QPA_PLATFORM": "offscreen",
                                   "MOESCOPE_SAMPLE_PLUGINS": str(self.home / "sample_view/build/plugins")}, timeout=100)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])


if __name__ == "__main__":
    unittest.main()
