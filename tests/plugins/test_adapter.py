"""A model family from outside the tree: plugins/jetmoe under another name, built against an installed MoEScope."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECKPOINT = ROOT / "tests/data/checkpoints/jetmoe"
THROWS = 'if (std::getenv("OTHERMOE_THROWS") != nullptr) throw std::runtime_error("thrown on purpose");'


def renamed(text):
    """The same source as a project of its own, whose forward pass throws where the environment says so."""
    # A namespace of its own: of two symbols with one name the program's is taken.
    text = text.replace("plugins/jetmoe/", "").replace('"jetmoe"', '"othermoe"').replace("moescope::jetmoe", "othermoe")
    text = text.replace("namespace othermoe {", "namespace othermoe {\nusing namespace moescope;", 1)
    text = text.replace("MOESCOPE_PLUGIN(jetmoe)", "MOESCOPE_PLUGIN(othermoe)").replace("JetMoeForCausalLM", "OtherMoeForCausalLM")
    text = re.sub(r"(JetMoeForward::forward\(const engine::ForwardBlock& block\) \{)", r"\1 " + THROWS, text)
    return "#include <cstdlib>\n#include <stdexcept>\n" + text


class OutOfTreeAdapter(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix="moescope-adapter-"))
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)
        cls.environment = {**os.environ, "HOME": str(cls.home)}
        for name in ("XDG_DATA_HOME", "MOESCOPE_PLUGINS"):
            cls.environment.pop(name, None)
        project = cls.home / "othermoe"
        project.mkdir()
        for source in (ROOT / "plugins/jetmoe").iterdir():
            if source.suffix in (".h", ".cpp"):
                (project / source.name).write_text(renamed(source.read_text(encoding="utf-8")), encoding="utf-8")
        metadata = json.loads((ROOT / "plugins/jetmoe/plugin.json").read_text(encoding="utf-8"))
        (project / "plugin.json").write_text(json.dumps({**metadata, "id": "othermoe"}))
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(othermoe LANGUAGES CXX)\nfind_package(MoEScope REQUIRED)\n"
            "moescope_add_plugin(othermoe SOURCES jetmoe_adapter.cpp jetmoe_forward.cpp)\n")
        for command in (["cmake", "--install", os.environ["MOESCOPE_BUILD"], "--prefix", cls.home / "moescope"],
                        ["cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={cls.home / 'moescope'}"],
                        ["cmake", "--build", project / "build"]):
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=500)
            if done.returncode != 0:
                raise AssertionError(done.stdout[-3000:] + done.stderr[-3000:])
        # The installation looks for LibTorch there; it does not bring it.
        (cls.home / "moescope/lib/torch").symlink_to(os.environ["MOESCOPE_LIBTORCH"])
        cls.plugins = project / "build/plugins"
        cls.model = cls.home / "model"
        shutil.copytree(CHECKPOINT, cls.model)
        config = json.loads((cls.model / "config.json").read_text())
        (cls.model / "config.json").chmod(0o644)
        (cls.model / "config.json").write_text(json.dumps({**config, "model_type": "othermoe",
                                                           "architectures": ["OtherMoeForCausalLM"]}))

    def run_program(self, *arguments, **environment):
        return subprocess.run([self.home / "moescope/bin/moescope", *map(str, arguments)], capture_output=True, text=True,
                              env={**self.environment, **environment}, timeout=100)

    def verify(self, *options, **environment):
        done = self.run_program(*options, "verify", self.model, "--reference", self.model / "reference.safetensors",
                                "--dtype", "f32", "--json", **environment)
        return done, json.loads(done.stdout if done.stdout else done.stderr)

    def test_it_gives_the_values_of_transformers(self):
        done, report = self.verify("--plugins", self.plugins)
        self.assertEqual(done.returncode, 0, done)
        self.assertTrue(report["passed"])
        self.assertEqual(report["family"], "othermoe")
        self.assertEqual({r["kind"] for r in report["routing"]}, {"ffn", "attention"})

    def test_inspect_shows_both_kinds_of_router(self):
        done = self.run_program("--plugins", self.plugins, "inspect", self.model, "--json")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual([(r["layer"], r["kind"]) for r in json.loads(done.stdout)["routers"]],
                         [(layer, kind) for layer in range(3) for kind in ("ffn", "attention")])

    def test_without_the_plugin_the_family_is_unknown(self):
        done, report = self.verify()
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(report["error"]["kind"], "config.unknown_model_type")

    def test_a_forward_pass_that_throws_is_an_error(self):
        done, report = self.verify("--plugins", self.plugins, OTHERMOE_THROWS="1")
        self.assertNotEqual(done.returncode, 0, done)
        self.assertEqual(report["error"]["kind"], "adapter.plugin_failed")
        self.assertIn("thrown on purpose", report["error"]["message"])

    def test_another_api_is_not_loaded_and_said(self):
        other = self.home / "other_api"
        shutil.copytree(self.plugins, other)
        metadata = json.loads((other / "othermoe/plugin.json").read_text())
        (other / "othermoe/plugin.json").write_text(json.dumps({**metadata, "api": 99}))
        done, _ = self.verify("--plugins", other)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("API 99", done.stderr)


if __name__ == "__main__":
    unittest.main()
