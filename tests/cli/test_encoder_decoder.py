"""Encoder-decoders on the command line: verify, inspect, generate with a decoder prefix, record, check, query, analyze."""
import json
import unittest

from program import DATA, MODEL, ProgramTest

END, START, LANGUAGE = 2, 2, 40
ENCODER, DECODER = (0, 1), (2,)  # routers of nllb_moe's test checkpoint


def tokenizer():
    """Letters, spaces, special tokens, and an end token behind every text."""
    vocabulary = {"<s>": 0, "<pad>": 1, "</s>": END} | {chr(ord("a") + i): 3 + i for i in range(26)} | {"\u0120": 29}
    vocabulary |= {f"<{i}>": i for i in range(30, 128)}
    special = [{"id": i, "content": name, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
               for name, i in vocabulary.items() if i in (0, 1, END, LANGUAGE)]
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
    return {
        "version": "1.0", "added_tokens": special, "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False},
        "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, end], "pair": [],
                           "special_tokens": {"</s>": {"id": "</s>", "ids": [END], "tokens": ["</s>"]}}},
        "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": vocabulary, "merges": []}}


class EncoderDecoders(ProgramTest):
    def model(self, family="nllb_moe"):
        """The test checkpoint with the tokenizer, and without a capacity that drops something."""
        folder = self.folder / family
        folder.mkdir()
        (folder / "model.safetensors").write_bytes((DATA / "checkpoints" / family / "model.safetensors").read_bytes())
        config = json.loads((DATA / "checkpoints" / family / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"moe_eval_capacity_token_fraction": 1.0, "expert_capacity": 1000}))
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
        return folder

    def test_verify(self):
        for family, compat in (("switch_transformers", "transformers"), ("nllb_moe", "authors")):
            folder = DATA / "checkpoints" / family
            for reference, options in (("reference", ()), ("reference_token_by_token", ("--token-by-token",))):
                report = self.succeed("verify", folder, "--reference", folder / f"{reference}.safetensors", "--dtype", "f32",
                                      "--compat", compat, "--json", *options).document
                self.assertTrue(report["passed"])
                self.assertEqual(report["not_compared"], [])
                self.assertEqual([r["label"] for r in report["routing"]], ["encoder 1", "encoder 3", "decoder 1"])
                self.assertEqual((report["tokens_per_row"], report["decoder_tokens_per_row"]), (24, 10))

    def test_inspect(self):
        text = self.succeed("inspect", self.model()).output
        self.assertIn("encoder 4, experts in 1, 3; decoder 2, experts in 1", text)
        document = self.succeed("inspect", self.folder / "nllb_moe", "--json").document
        self.assertEqual(document["encoder"], {"layers": 4, "decoder_start": START, "forced_begin": None})
        self.assertEqual([router["label"] for router in document["routers"]], ["encoder 1", "encoder 3", "decoder 1"])

    def test_generate(self):
        trace = self.folder / "t.moescope"
        source = [3, 29, 4, 5, END]
        options = ("--prompt", "a bc", "--decoder-prefix", "<40>d", "-n", 6, "--temperature", 0, "--ignore-eos", "--record", trace, "--capture",
                   "full", "--json", "--quiet")
        document = self.succeed("generate", "--model", self.model(), *options).document
        tokens = document["tokens"]
        self.assertEqual([token["id"] for token in tokens][:8], source + [START, LANGUAGE, 6])
        self.assertEqual((document["prompt_tokens"], document["generated_tokens"], len(tokens)), (5, 6, 14))
        self.assertEqual([token["phase"] for token in tokens], ["prefill"] * 5 + ["decode"] * 9)
        for i, token in enumerate(tokens):
            self.assertEqual(token["log_prob"] is None, i < 6)
            for router, choice in enumerate(token.get("routers", [])):
                self.assertEqual(len(choice["ids"]) > 0, (router in DECODER) == (i >= 5), (i, router))
        self.succeed("check", trace)
        rows = self.succeed("query", trace, "SELECT router, count(DISTINCT token_index), min(token_index), max(token_index) FROM routing GROUP BY router",
                            "--format", "json").document
        self.assertEqual([list(row.values()) for row in rows], [[0, 5, 0, 4], [1, 5, 0, 4], [2, 8, 5, 12]])
        load = self.succeed("query", trace, "SELECT router, sum(tokens), sum(share) FROM expert_load GROUP BY router", "--format",
                            "json").document
        self.assertEqual([list(row.values())[:2] for row in load], [[0, 10], [1, 10], [2, 16]])
        for row in load:
            self.assertAlmostEqual(list(row.values())[2], 1.0)

    def test_a_prefix_needs_a_decoder(self):
        self.refuse("generate.no_decoder", "generate", "--model", MODEL, "--prompt", "Hello", "--decoder-prefix", "x", "--quiet")

    def test_record(self):
        trace = self.folder / "t.moescope"
        self.write("corpus/one/a.txt", "the quick brown fox")
        self.write("corpus/two/b.txt", "jumps over the dog")
        for family in ("nllb_moe", "switch_transformers"):
            self.succeed("record", "--model", self.model(family), "--corpus", self.folder / "corpus", "--out", trace, "--context", 9,
                         "--capture", "full", "--quiet")
        self.succeed("check", trace)
        rows = self.succeed("query", trace, "SELECT run, router, count(DISTINCT token_index) FROM routing GROUP BY run, router", "--format",
                            "json").document
        # 20 and 19 tokens with their ends, 8 a window, and a start token for each window.
        self.assertEqual([list(row.values()) for row in rows], [[run, router, 39 if router in ENCODER else 6] for run in (1, 2) for router in (0, 1, 2)])
        for analysis in ("specialization", "auxiliary-losses"):
            result = self.succeed("analyze", trace, "--analysis", analysis, "--run", 1, "--json").document
            self.assertNotIn("NaN", json.dumps(result["tables"]))
        # One row a router; what it did not see is not counted.
        table = result["tables"][0]
        self.assertEqual([row[:2] for row in table["rows"]], [[1, 39], [3, 39], [5, 6]])


if __name__ == "__main__":
    unittest.main()
