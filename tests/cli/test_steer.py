"""steer new, steer check and the schema of programs."""
import json
import re
import unittest

from program import DATA, MODEL, ROOT, ProgramTest, run
from schema import is_valid

SCHEMA = json.loads((ROOT / "docs" / "steering.schema.json").read_text())


def program(*rules):
    return {"moescope_steering": 1, "rules": list(rules)}


def ban(**more):
    return {"primitive": "KEY", "op": "ban", "experts": [3], **more}


class SteerNew(ProgramTest):
    def new(self, *options):
        document = self.succeed("steer", "new", *options).document
        self.assertTrue(is_valid(document, SCHEMA), document)
        path = self.write("new.json", document)
        self.succeed("steer", "check", path, "--model", MODEL)
        return document["rules"]

    def test_each_verb_writes_the_rule_of_the_manual(self):
        for options, expected in [
                (["--ban", "3:17,18"], {"primitive": "KEY", "op": "ban", "layers": [3], "experts": [17, 18]}),
                (["--pin", "3:18"], {"primitive": "KEY", "op": "pin+", "epsilon": 0.01, "layers": [3], "experts": [18]}),
                (["--add", "2:9=+1.5"], {"primitive": "LOGIT", "op": "add", "value": 1.5, "layers": [2], "experts": [9]}),
                (["--add", "2:9=-2"], {"primitive": "LOGIT", "op": "add", "value": -2.0, "layers": [2], "experts": [9]}),
                (["--scale", "*:1=0.5"], {"primitive": "WEIGHT", "op": "mul", "value": 0.5, "renorm": "native", "layers": "all", "experts": [1]}),
                (["--top-k", "2"], {"primitive": "COUNT", "op": "fixed", "count": 2, "layers": "all", "experts": "all"}),
                (["--top-k", "0-2,4=3"], {"primitive": "COUNT", "op": "fixed", "count": 3, "layers": [0, 1, 2, 4], "experts": "all"}),
                (["--uniform"], {"primitive": "WEIGHT", "op": "uniform", "renorm": "keep_mass", "layers": "all", "experts": "all"}),
                (["--uniform=1"], {"primitive": "WEIGHT", "op": "uniform", "renorm": "keep_mass", "layers": [1], "experts": "all"}),
                (["--ban", "3:17", "--port", "logit"], {"primitive": "LOGIT", "op": "ban", "layers": [3], "experts": [17]}),
                (["--add", "3:17=1", "--port", "key"], {"primitive": "KEY", "op": "add", "value": 1.0, "layers": [3], "experts": [17]}),
                (["--scale", "3:17=2", "--port", "key"], {"primitive": "KEY", "op": "scale", "value": 2.0, "layers": [3], "experts": [17]})]:
            with self.subTest(options=options):
                rules = self.new(*options)
                frame = {"id": 1, "enabled": True, "priority": 1, "phase": "both", "positions": "all"}
                self.assertEqual(rules, [{**frame, **expected}])

    def test_scopes_hold_for_every_rule(self):
        rules = self.new("--ban", "0:1", "--top-k", "2", "--phase", "decode", "--positions", "4:40:2")
        self.assertEqual([rule["phase"] for rule in rules], ["decode"] * 2)
        self.assertEqual([rule["positions"] for rule in rules], [{"from": 4, "to": 40, "every": 2}] * 2)
        for text, expected in [("60:", {"from": 60}), (":32", {"from": 0, "to": 32}), ("7", {"from": 7, "to": 8}), ("all", "all")]:
            self.assertEqual(self.new("--ban", "0:1", "--positions", text)[0]["positions"], expected)

    def test_options_are_repeatable_and_numbered(self):
        rules = self.new("--ban", "0:1", "--ban", "1:2", "--pin", "2:3", "--add", "0:4=1", "--add", "0:5=2")
        self.assertEqual([rule["id"] for rule in rules], [1, 2, 3, 4, 5])
        self.assertEqual(self.new(), [])
        self.assertEqual(json.loads(run("steer", "new", "--name", "Störung").output)["name"], "Störung")

    def test_rules_that_are_not_understood(self):
        for options in (["--ban", "3"], ["--ban", "3:x"], ["--ban", "3:1=2"], ["--ban", "5-3:1"], ["--ban", "-1:1"], ["--ban", "3:"], ["--ban", "70000:1"],
                        ["--add", "3:1"], ["--add", "3:1="], ["--add", "3:1=x"], ["--scale", "1=2"], ["--top-k", "0"], ["--top-k", "1=2=3"],
                        ["--uniform=x"], ["--positions", "a:b"], ["--positions", "1:2:0"], ["--positions", "-3"], ["--positions", ""]):
            with self.subTest(options=options):
                outcome = self.refuse("usage.steer", "steer", "new", *options, json_option=False)
                self.assertIn(options[0].split("=")[0], outcome.errors)
                self.assertEqual(outcome.output, "")


class SteerCheck(ProgramTest):
    def check(self, document, *options):
        path = self.write("program.json", document)
        return self.succeed("steer", "check", path, *(options or ("--model", MODEL)), "--json").document

    def bad(self, kind, content, where=None, model=True):
        path = self.write("bad.json", content)
        outcome = self.refuse(kind, "steer", "check", path, *(["--model", MODEL] if model else []))
        error = outcome.document["error"]
        self.assertEqual(error["file"], str(path))
        if where is not None:
            self.assertEqual(error["where"], where)
        return error

    def test_the_plan_of_every_layer(self):
        document = self.check(program(ban(layers=[2]), ban(primitive="LOGIT", op="add", value=0, experts="all"), ban(enabled=False)))
        self.assertEqual([layer["layer"] for layer in document["layers"]], [0, 1, 2, 3, 4, 5])
        self.assertEqual({(layer["experts"], layer["top_k"]) for layer in document["layers"]}, {(32, 4)})
        self.assertEqual([len(layer["steps"]) for layer in document["layers"]], [0, 0, 1, 0, 0, 0])
        self.assertEqual(document["layers"][2]["steps"][0],
                         {"rule": 1, "primitive": "KEY", "op": "ban", "experts": [3], "phase": "both", "positions": "all"})
        self.assertEqual([rule["state"] for rule in document["rules"]], ["on", "neutral", "off"])
        self.assertEqual(document["rules"][0]["title"], "Ban L2 E3")
        self.assertEqual((document["conflicts"], document["warnings"]), ([], []))

    def test_conflicts_and_warnings(self):
        document = self.check(program(ban(), ban(op="pin+"), {"primitive": "KEY", "op": "pin+", "experts": [4, 5, 6, 7, 8], "layers": [1]}))
        self.assertEqual([(c["winner"], c["loser"]) for c in document["conflicts"]], [(1, 2)])
        self.assertIn("ban wins", document["conflicts"][0]["text"])
        self.assertEqual(len(document["warnings"]), 1)
        self.assertIn("Layer 1", document["warnings"][0])
        text = self.succeed("steer", "check", self.folder / "program.json", "--model", MODEL).output
        self.assertIn("rule 1 over rule 2", text)
        self.assertIn("warning", text)

    def test_without_a_model_only_the_format_is_checked(self):
        document = self.check(program(ban(experts=[999])), "--json")
        self.assertNotIn("layers", document)
        self.bad("steering.no_such_expert", program(ban(experts=[999])))

    def test_programs_that_the_model_cannot_obey(self):
        self.bad("steering.no_such_layer", program(ban(layers=[6])), "rule 1")
        self.bad("steering.no_such_expert", program(ban(), ban(experts=[31, 32])), "rule 2")
        self.bad("steering.all_banned", program({"primitive": "KEY", "op": "ban"}), "layer 0")
        self.bad("steering.all_banned", program(ban(experts=list(range(20)), layers=[4]), ban(experts=list(range(20, 32)))), "layer 4")
        self.bad("steering.bad_value", program({"primitive": "COUNT", "op": "fixed", "count": 33}), "rule 1")

    def test_files_that_are_no_programs(self):
        self.bad("steering.not_json", "{", model=False)
        self.bad("steering.not_json", b'{"moescope_steering":1,"rules":[],"name":"\xff"}', model=False)
        self.bad("steering.not_json", "[" * 100_000, model=False)
        self.bad("steering.bad_format", [], model=False)
        self.bad("steering.newer", {"moescope_steering": 2, "rules": []}, "moescope_steering", model=False)
        self.bad("steering.bad_format", program(ban(expert=[3])), "rules[0].expert", model=False)
        self.bad("steering.bad_format", program(ban(), ban(op="bann")), "rules[1].op", model=False)
        self.refuse("file.not_found", "steer", "check", self.folder / "none.json")

    def test_schema_and_program_agree(self):
        cases = json.loads((DATA / "steering" / "vectors.json").read_text())["cases"]
        self.assertGreater(len(cases), 500)
        for case in cases:
            self.assertTrue(is_valid(case["program"], SCHEMA), case["program"])
        example = re.search(r"```json\n(.*?)```", (ROOT / "docs" / "steering.md").read_text(), re.S).group(1)
        good = [json.loads(example), program(), program({"primitive": "KEY", "op": "set", "ids": [1, 2]}),
                program({"primitive": "LOGIT", "op": "noise", "value": 0.5, "seed": 18446744073709551615}), program(ban(**{"except": [[1, 3]]})),
                program({"primitive": "COUNT", "op": "null", "count": 1, "null_logit": -1, "min": 1, "max": 3}), program(ban(ignore_groups=True))]
        bad = [{}, {"moescope_steering": 1}, {"moescope_steering": 0, "rules": []}, {"moescope_steering": 1, "rules": {}}, program("ban"),
               program(ban(experts=[])), program(ban(experts=[-1])), program(ban(experts=[1.5])), program(ban(layers="some")), program(ban(value=1)),
               program(ban(op="fixed")), program(ban(id=0)), program(ban(enabled=1)), program(ban(phase="now")), program(ban(positions={"form": 1})),
               program(ban(positions={"every": 0})), program(ban(**{"except": [[1]]})), program({"primitive": "LOGIT", "op": "add"}),
               program({"primitive": "LOGIT", "op": "set", "ids": [1]}), program({"primitive": "LOGIT", "op": "noise", "value": 1, "seed": -1}),
               program({"primitive": "LOGIT", "op": "ban", "ignore_groups": True}), program({"primitive": "WEIGHT", "op": "renorm"}),
               program({"primitive": "WEIGHT", "op": "set", "weights": [1], "renorm": "sum1"}), {**program(), "x": 1}]
        for wanted, documents in ((True, good), (False, bad)):
            for document in documents:
                with self.subTest(document=document):
                    self.assertEqual(is_valid(document, SCHEMA), wanted)
                    outcome = run("steer", "check", self.write("p.json", document))
                    self.assertEqual(outcome.status, 0 if wanted else 2, outcome)

    def test_the_validator_agrees_with_jsonschema(self):
        try:
            import jsonschema
        except ImportError:
            self.skipTest("Python's jsonschema is not installed")
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        validator = jsonschema.Draft202012Validator(SCHEMA)
        for document in (program(ban()), program(ban(id=0)), program(ban(value=1)), program(ban(experts=[])), [], program()):
            self.assertEqual(validator.is_valid(document), is_valid(document, SCHEMA), document)


if __name__ == "__main__":
    unittest.main()
