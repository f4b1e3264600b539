"""Two routers a layer (jetmoe): analyses, figures, SQL and rules tell them apart. Counted without the program, from
the rows of the SQL table `routing`."""
import collections
import json
import unittest

from program import DATA, ProgramTest, run

LAYERS, EXPERTS, TOP_K = 3, 6, 2
KINDS = ("ffn", "attention")
TEXTS = {"letters": "the quick brown fox jumps over a lazy dog", "digits": "31415926535897932384626433832795"}


def tokenizer():
    """One token a printable character; the model has 128 ids."""
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2} | {chr(32 + i): 3 + i for i in range(95)}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
            "pre_tokenizer": None, "post_processor": None, "decoder": None,
            "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": vocabulary, "merges": []}}


class TwoRouters(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "model"
        for name in ("config.json", "model.safetensors"):
            self.write(f"model/{name}", (DATA / "checkpoints" / "jetmoe" / name).read_bytes())
        self.write("model/tokenizer.json", tokenizer())
        for label, text in TEXTS.items():
            self.write(f"corpus/{label}.txt", text)
        self.trace = self.folder / "t.moescope"

    def record(self, *options):
        self.succeed("record", "--model", self.model, "--corpus", self.folder / "corpus", "--context", 64, "-o", self.trace, "--json", *options)
        kinds = self.query("SELECT router, layer, kind FROM router ORDER BY router")
        self.assertEqual(sorted((layer, kind) for _, layer, kind in kinds), sorted((layer, kind) for layer in range(LAYERS) for kind in KINDS))
        return {(layer, kind): index for index, layer, kind in kinds}

    def query(self, sql):
        return [tuple(row.values()) for row in self.succeed("query", self.trace, sql, "--format", "json").document]

    def choices(self, router):
        """{token: [experts]} of a router, and {token: label}."""
        chosen, labels = collections.defaultdict(list), {}
        for token, expert, label in self.query(f"SELECT token_index, expert, label FROM routing WHERE router = {router}"):
            chosen[token].append(expert)
            labels[token] = label
        return chosen, labels

    def analyze(self, analysis, *options):
        return self.succeed("analyze", self.trace, "--analysis", analysis, "--json", *options).document

    def test_expert_load_is_of_each_router(self):
        routers = self.record()
        self.assertNotEqual(self.choices(routers[1, "ffn"])[0], self.choices(routers[1, "attention"])[0])
        for (layer, kind), router in routers.items():
            chosen, _ = self.choices(router)
            counts = collections.Counter(expert for experts in chosen.values() for expert in experts)
            rows = self.query(f"SELECT layer, expert, tokens, share FROM expert_load WHERE router = {router}")
            self.assertEqual([row[:2] for row in rows], [(layer, expert) for expert in range(EXPERTS)])
            for _, expert, tokens, share in rows:
                self.assertEqual(tokens, counts[expert])
                self.assertAlmostEqual(share, counts[expert] / (TOP_K * len(chosen)))
            label = f"{layer}" if kind == "ffn" else f"{layer} {kind}"
            self.succeed("figure", self.trace, "--kind", "expert-load", "--param", f"layer={label}", "--data", "-o", self.folder / "f.svg")
            figure = json.loads((self.folder / "f.json").read_text())
            bars = dict(zip(figure["bars"]["names"], figure["bars"]["values"]))
            for expert in range(EXPERTS):
                self.assertAlmostEqual(bars[f"E{expert}"], counts[expert] * EXPERTS / (TOP_K * len(chosen)), places=5)

    def test_analyses_take_one_router(self):
        routers = self.record()
        for kind, label, suffix in (("ffn", "1", ""), ("attention", "1 attention", "_attention")):
            chosen, labels = self.choices(routers[1, kind])
            pairs = self.analyze("co-activation", "--param", f"layer={label}", "--param", "draws=0")
            self.assertEqual([matrix["id"] for matrix in pairs["matrices"]], [f"co_activation_layer1{suffix}"])
            values = pairs["matrices"][0]["values"]
            for i in range(EXPERTS):
                of_i = [experts for experts in chosen.values() if i in experts]
                for j in range(EXPERTS):
                    if i != j and of_i:
                        self.assertAlmostEqual(values[i * EXPERTS + j], sum(j in experts for experts in of_i) / len(of_i), places=6)
            columns = [column["name"] for column in pairs["tables"][0]["columns"]]
            self.assertEqual({(row[columns.index("layer")], row[columns.index("kind")]) for row in pairs["tables"][0]["rows"]}, {(1, kind)})

            rates = self.analyze("specialization", "--param", f"layer={label}", "--param", "draws=0", "--param", "shuffles=0")
            matrix = next(matrix for matrix in rates["matrices"] if matrix["id"] == f"rates_layer1{suffix}")
            for row, name in enumerate(matrix["rows"]):
                tokens = [token for token in chosen if labels[token] == name]
                for expert in range(EXPERTS):
                    self.assertAlmostEqual(matrix["values"][row * EXPERTS + expert],
                                           sum(expert in chosen[token] for token in tokens) / len(tokens), places=6)
            for figure in ("co-activation", "specialization"):
                self.succeed("figure", self.trace, "--kind", figure, "--param", f"layer={label}", "--param", "draws=0", "--data", "-o", self.folder / "f.svg")
                self.assertIn(f"Layer {label}:", json.loads((self.folder / "f.json").read_text())["title"])
        every = self.analyze("co-activation", "--param", "draws=0")
        self.assertEqual(len({matrix["id"] for matrix in every["matrices"]}), 2 * LAYERS)
        self.refuse("analysis.bad_param", "analyze", self.trace, "--analysis", "co-activation", "--param", "layer=1 gate")

    def test_rules_act_on_the_kind_that_they_name(self):
        program = self.succeed("steer", "new", "--ban", "1:0,1,2", "--router", "attention").document
        self.assertEqual(program["rules"][0]["router"], "attention")
        path = self.write("p.json", program)
        layers = self.succeed("steer", "check", path, "--model", self.model, "--json").document["layers"]
        self.assertEqual([(layer["layer"], layer["kind"]) for layer in layers if layer["steps"]], [(1, "attention")])
        routers = self.record("--steer", path)
        chosen, _ = self.choices(routers[1, "attention"])
        self.assertEqual({expert for experts in chosen.values() for expert in experts} & {0, 1, 2}, set())
        others, _ = self.choices(routers[1, "ffn"])
        self.assertNotEqual({expert for experts in others.values() for expert in experts} & {0, 1, 2}, set())

    def test_a_kind_that_the_model_lacks(self):
        rule = {"primitive": "KEY", "op": "ban", "experts": [0], "router": "attention"}
        path = self.write("p.json", {"moescope_steering": 1, "rules": [rule]})
        self.succeed("steer", "check", path, "--model", self.model)
        self.refuse("steering.no_such_router", "steer", "check", path, "--model", DATA / "checkpoints" / "olmoe")
        outcome = run("steer", "check", path, "--model", DATA / "checkpoints" / "olmoe")
        self.assertIn("no routers of the kind attention", outcome.errors)


if __name__ == "__main__":
    unittest.main()
