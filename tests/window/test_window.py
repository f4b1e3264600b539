"""The window on the demo, driven by xdotool as a person would; what it did is read from its files with sqlite3
and poppler, not asked of the program. Needs a display, xdotool and pdffonts."""
import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("MOESCOPE_PROGRAM", str(ROOT / "build/release/bin/moescope"))
PATIENCE = 60.0


def xdotool(*words):
    done = subprocess.run(["xdotool", *map(str, words)], capture_output=True, text=True)
    return done.stdout.strip()


class WindowTest(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="moescope-window-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.trace = self.home / "data/MoEScope/MoEScope/demo.moescope"
        self.process = None

    def tearDown(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def wait(self, what, condition):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            self.assertIsNone(self.process.poll(), f"the program ended while waiting for {what}")
            time.sleep(0.1)
        self.fail(f"gave up waiting for {what}")

    def window(self, title):
        found = xdotool("search", "--onlyvisible", "--name", title).split()
        return found[0] if found else None

    def open(self, *arguments):
        environment = {**os.environ, "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"),
                       "XDG_DATA_HOME": str(self.home / "data"), "XDG_RUNTIME_DIR": str(self.home)}
        self.process = subprocess.Popen([PROGRAM, *arguments], env=environment)
        self.main = self.wait("the window", lambda: self.window("MoEScope$"))
        xdotool("windowmove", self.main, 0, 0, "windowsize", self.main, 1600, 1000)
        self.wait("the model and the trace",
                  lambda: xdotool("getwindowname", self.main).startswith("demo/model – demo.moescope"))
        xdotool("windowfocus", "--sync", self.main)

    def keys(self, *names):
        for name in names:
            xdotool("key", name)
            time.sleep(0.05)

    def close(self):
        self.keys("ctrl+q")
        self.assertEqual(self.process.wait(timeout=PATIENCE), 0)

    def sql(self, text, *values):
        with contextlib.closing(sqlite3.connect(f"file:{self.trace}?mode=ro", uri=True)) as file:
            return file.execute(text, values).fetchall()

    def last_run(self):
        return self.sql("SELECT id, tokens FROM run ORDER BY id DESC LIMIT 1")[0]

    def routing(self, layer):
        """Ids of every routed row of the last run in one layer, from the blocks: [(token, {experts})]."""
        run = self.last_run()[0]
        router = self.router_index(layer)
        rows = []
        for block, count, width, ids in self.sql(
                "SELECT block, count, width, ids FROM route_block WHERE run = ? AND router = ? ORDER BY block", run, router):
            for i in range(count):
                rows.append((256 * block + i, set(ids[i * width:(i + 1) * width])))
        return rows

    def router_index(self, layer):
        layers = [row[0] for row in self.sql("SELECT layer FROM router ORDER BY rowid")]
        return layers.index(layer)

    def write(self, key, total):
        """Presses a key and waits until the run has so many tokens in the file."""
        self.keys(key)
        self.wait(f"{total} tokens", lambda: self.last_run()[1] == total)
        self.wait("their routing", lambda: len(self.routing(2)) == total - 1)  # the last one is pending

    def test_a_ban_in_the_picture_rules_the_next_token(self):
        self.open("--demo")
        runs = self.last_run()[0]
        self.keys("ctrl+Return")
        self.wait("a run", lambda: self.last_run()[0] > runs and self.last_run()[1] > 64)
        self.wait("its end", lambda: self.settled())
        before = self.last_run()[1]
        chosen = [expert for _, experts in self.routing(2) for expert in experts]
        favourite = max(set(chosen), key=chosen.count)
        self.assertGreater(chosen.count(favourite), 10)

        self.keys("alt+4", "ctrl+Home", "ctrl+Home", "Home", "Down", "Down", *["Right"] * favourite, "b")
        self.wait("the rule", lambda: self.window("MoEScope$"))
        self.write("F7", before + 1)  # one token
        self.write("F9", before + 129)  # and 128 more
        token, program = self.sql("SELECT token, program FROM steering_event WHERE run = ? ORDER BY token DESC LIMIT 1",
                                  self.last_run()[0])[0]
        rule = json.loads(program)["rules"][0]
        self.assertEqual((rule["op"], rule["layers"], rule["experts"]), ("ban", [2], [favourite]))
        # The pending token is forwarded under the rule: it acts from the last shown token on.
        self.assertEqual(token, before - 1)
        self.assertEqual([row for row, experts in self.routing(2) if row >= before - 1 and favourite in experts], [])

        self.keys("ctrl+z")
        self.write("F9", before + 257)
        self.assertTrue([row for row, experts in self.routing(2) if row >= before + 128 and favourite in experts])
        self.close()
        self.assertEqual(self.sql("SELECT status FROM run ORDER BY id DESC LIMIT 1"), [("closed",)])
        self.assertEqual(self.sql("PRAGMA integrity_check"), [("ok",)])
        self.assertFalse(list(self.trace.parent.glob("*-wal")))

        self.open()  # the next start opens what was open
        self.close()

    def settled(self):
        count = self.last_run()[1]
        time.sleep(0.5)
        return self.last_run()[1] == count and len(self.routing(2)) == count - 1

    def test_the_export_dialog_writes_what_is_shown(self):
        self.open("--demo")
        self.keys("alt+4", "ctrl+e")
        dialog = self.wait("the dialog", lambda: self.window("Export figure"))
        time.sleep(1.0)
        xdotool("windowfocus", "--sync", dialog)
        self.keys("Return")
        pdf = self.wait("the figure", lambda: next(iter(self.home.rglob("*.pdf")), None))
        self.wait("its data", lambda: pdf.with_suffix(".csv").exists() and pdf.with_suffix(".json").exists())
        fonts = subprocess.run(["pdffonts", pdf], capture_output=True, text=True, check=True).stdout
        self.assertIn("DejaVuSans", fonts)
        self.assertNotIn("Type 3", fonts)
        figure = json.loads(pdf.with_suffix(".json").read_text(encoding="utf-8"))
        self.assertIn("routing-map", json.dumps(figure))
        xdotool("key", "--window", dialog, "Escape")
        xdotool("windowfocus", "--sync", self.main)
        self.close()


if __name__ == "__main__":
    unittest.main()
