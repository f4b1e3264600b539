"""The layer check must see a forbidden include and a forbidden link."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).parent.parent / "support" / "check_layers.py"


class CheckLayers(unittest.TestCase):
    def run_on(self, files, ninja=None):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                path = root / "src" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            arguments = [sys.executable, SCRIPT, root / "src"]
            if ninja is not None:
                (root / "build.ninja").write_text(ninja)
                arguments.append(root)
            return subprocess.run(arguments, capture_output=True, text=True, check=False)

    def test_allowed(self):
        done = self.run_on({"core/trace/a.cpp": '#include "core/base/result.h"\n#include <sqlite3.h>\n'})
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_forbidden_includes(self):
        for name, line in {
            "core/base/a.h": '#include "core/trace/trace_store.h"',
            "core/trace/a.h": "#include <QObject>",
            "core/checkpoint/a.cpp": '#include "views/api/theme.h"',
            "views/panels/a.cpp": "#include <imgui.h>",
            "views/canvas/a.cpp": "#include <ATen/ATen.h>",
            "core/engine/generation/a.h": '#include "core/engine/torch/decoder.h"',
            "core/steering/a.h": '#include "core/checkpoint/checkpoint.h"',
        }.items():
            with self.subTest(name):
                done = self.run_on({name: line})
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"{name}:1", done.stderr)

    def test_forbidden_links(self):
        line = "build {}: CXX_LINKER__x_Release a.o\n  LINK_LIBRARIES = {}\n"
        engine = line.format("lib/libmoescope_engine.so", "core/trace/libmoescope_trace.a /x/libtorch_cpu.so")
        program = line.format("bin/moescope", "core/base/libmoescope_base.a /x/libtorch_cpu.so")
        for ninja in (engine, program):
            done = self.run_on({}, ninja)
            self.assertEqual(done.returncode, 1, ninja)


if __name__ == "__main__":
    unittest.main()
