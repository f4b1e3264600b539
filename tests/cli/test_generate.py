"""generate: its text and numbers against transformers, its options, steering, and being stopped."""
import json
import math
import pathlib
import signal
import socket
import subprocess
import unittest

from byte_pairs import BytePairs
from program import MODEL, PROGRAM, ProgramTest, Trace, interrupt, read_reference, start

TOKENIZER = BytePairs(MODEL / "tokenizer.json")
ROUTERS, EXPERTS, TOP_K = 6, 32, 4
PROMPT = "<|endoftext|>Our relations with foreign nations"
PROMPT_TOKENS = 1 + len(TOKENIZER.encode(PROMPT.removeprefix("<|endoftext|>")))
FORWARDED = PROMPT_TOKENS + 23  # of 24 written tokens, all but the last


def arguments(*options, prompt=PROMPT, count=24):
    return ("generate", "--model", MODEL, "--prompt", prompt, "-n", count, "--temperature", 0, *options)


def choices(document):
    return [[(router["ids"], router["weights"]) for router in token.get("routers", [])] for token in document["tokens"]]


class ChatTemplates(ProgramTest):
    """--chat puts the text into the model's own template; special tokens of the template are single tokens."""

    TEMPLATE = "{% for m in messages %}<|endoftext|>{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"

    def model_with(self, template):
        folder = self.folder / "model"
        folder.mkdir()
        for file in MODEL.iterdir():
            if file.name != "tokenizer_config.json":
                (folder / file.name).write_bytes(file.read_bytes())
        config = json.loads((MODEL / "tokenizer_config.json").read_text())
        config.pop("chat_template", None)
        if template:
            config["chat_template"] = template
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        return folder

    def test_the_prompt_is_the_filled_template(self):
        options = ("--prompt", "Hello there", "-n", 1, "--temperature", 0, "--json", "--chat", "--system", "Be brief.")
        document = self.succeed("generate", "--model", self.model_with(self.TEMPLATE), *options).document
        turns = ("system: Be brief.\n", "user: Hello there\nassistant:")
        self.assertEqual(document["prompt"], "".join("<|endoftext|>" + turn for turn in turns))
        expected = sum(([0] + TOKENIZER.encode(turn) for turn in turns), [])
        self.assertEqual([token["id"] for token in document["tokens"]][:len(expected)], expected)
        self.assertEqual(document["prompt_tokens"], len(expected))

    def test_a_model_without_a_template(self):
        self.refuse("chat.missing", "generate", "--model", self.model_with(None), "--prompt", "Hello", "--chat", "--quiet")

    def test_a_template_that_refuses(self):
        self.refuse("chat.refused", "generate", "--model", self.model_with("{{ raise_exception('no') }}"), "--prompt", "Hello", "--chat", "--quiet")


class GgufFiles(ProgramTest):
    """A lone .gguf file with a SentencePiece tokenizer in its metadata (tests/support/make_gguf_tokenizers.py)."""

    FILE = pathlib.Path(__file__).resolve().parents[1] / "data" / "gguf_tokenizers" / "llama_model.gguf"

    def alone(self):
        file = self.folder / "model.gguf"
        file.write_bytes(self.FILE.read_bytes())
        return file

    def generate(self, file, *options):
        return self.succeed("generate", "--model", file, "-n", 2, "--temperature", 0, "--json", *options).document

    def test_the_tokenizer_of_the_metadata(self):
        file = self.alone()
        text = "it is"
        document = self.generate(file, "--prompt", text)
        ids = self.succeed("tokenize", "--model", file, "--text", text, "--json").document["ids"]
        self.assertNotIn(0, ids)  # no unknown token
        self.assertEqual([token["id"] for token in document["tokens"]][:document["prompt_tokens"]], [1] + ids)

    def test_its_chat_template(self):
        document = self.generate(self.alone(), "--prompt", "it is", "--chat")
        self.assertEqual(document["prompt"], "<s>it is")

    def test_a_tokenizer_beside_it_counts(self):
        file = self.alone()
        (self.folder / "tokenizer.json").write_text("{}")
        self.refuse("tokenizer.wrong_type", "generate", "--model", file, "--prompt", "it", "--quiet")


class AgainstTransformers(ProgramTest):
    """resources/demo/reference.safetensors is what transformers computes for the demo model."""

    @classmethod
    def setUpClass(cls):
        cls.reference = read_reference()
        cls.ids = list(cls.reference["input_ids"][1][:32])
        specials = [token for token in cls.ids if token < 2]
        assert cls.ids[:len(specials)] == specials == [0, 0]
        cls.prompt = "<|endoftext|>" * 2 + TOKENIZER.decode(cls.ids[2:])

    def generate(self, *options):
        return self.succeed(*arguments("--json", *options, prompt=self.prompt, count=16)).document

    def test_greedy_text(self):
        document = self.generate()
        self.assertEqual([token["id"] for token in document["tokens"]], self.ids + list(self.reference["greedy_ids"][1]))
        self.assertEqual(document["text"], TOKENIZER.decode(self.reference["greedy_ids"][1]))
        self.assertEqual(document["prompt_tokens"], 32)
        self.assertEqual(document["generated_tokens"], 16)
        self.assertEqual(document["finish"], "max_tokens")

    def test_log_probabilities(self):
        vocabulary = self.reference["logits"][0][2]
        tokens = self.generate()["tokens"]
        self.assertIsNone(tokens[0]["log_prob"])
        for position in range(31):
            logits = self.reference["logits"][1][position * vocabulary:(position + 1) * vocabulary]
            largest = max(logits)
            expected = logits[self.ids[position + 1]] - largest - math.log(math.fsum(math.exp(z - largest) for z in logits))
            self.assertAlmostEqual(tokens[position + 1]["log_prob"], expected, delta=1e-4)

    def test_routing_of_the_document_and_of_the_trace(self):
        trace = self.folder / "t.moescope"
        document = self.generate("--record", trace, "--capture", "full")
        recorded = Trace(trace)
        self.addCleanup(recorded.close)
        self.assertEqual(recorded.run()["tokens"], 48)
        self.assertEqual(recorded.run()["routed_tokens"], 47)
        self.assertEqual([token for token, _, _ in recorded.tokens()], [token["id"] for token in document["tokens"]])
        for router in range(ROUTERS):
            ids = self.reference[f"router.{router}.topk_ids"][1]
            weights = self.reference[f"router.{router}.topk_weights"][1]
            (blob, width), = recorded.rows("SELECT ids, width FROM route_block WHERE run = 1 AND router = ?", router)
            self.assertEqual(width, TOP_K)
            self.assertEqual(len(blob), 47 * TOP_K)
            for position in range(32):
                expected = dict(zip(*(row[position * TOP_K:(position + 1) * TOP_K] for row in (ids, weights))))
                shown = document["tokens"][position]["routers"][router]
                self.assertEqual(shown["layer"], router)
                self.assertEqual(set(shown["ids"]), set(expected))
                for expert, weight in zip(shown["ids"], shown["weights"]):
                    self.assertAlmostEqual(weight, expected[expert], delta=1e-5)
                self.assertEqual(list(blob[position * TOP_K:(position + 1) * TOP_K]), shown["ids"])
        self.assertNotIn("routers", document["tokens"][-1])  # it was not forwarded


class Options(ProgramTest):
    def text(self, *options, **more):
        outcome = self.succeed(*arguments("--quiet", *options, **more))
        self.assertEqual(outcome.errors, "")
        return outcome.output

    def test_text_goes_to_standard_output_and_the_rest_to_standard_error(self):
        outcome = self.succeed(*arguments())
        self.assertRegex(outcome.errors, rf"\A{PROMPT_TOKENS} prompt tokens in [\d.]+ s, 24 tokens generated, [\d.]+ tokens/s\n\Z")
        self.assertEqual(outcome.output, self.succeed(*arguments("--json")).document["text"] + "\n")

    def test_prompt_file(self):
        path = self.write("prompt.txt", PROMPT)
        self.assertEqual(self.succeed("generate", "--model", MODEL, "--prompt-file", path, "-n", 24, "--temperature", 0, "--quiet").output, self.text())

    def test_seed(self):
        def written(seed):
            return self.succeed("generate", "--model", MODEL, "-p", PROMPT, "-n", 40, "--temperature", 1.5, "--top-p", 1, "--seed", seed, "--quiet").output
        self.assertEqual(written(7), written(7))
        self.assertNotEqual(written(7), written(8))
        # One candidate left is greedy.
        one = self.succeed("generate", "--model", MODEL, "-p", PROMPT, "-n", 24, "--temperature", 1.5, "--top-k", 1, "--quiet").output
        self.assertEqual(one, self.text())

    def test_stop_strings_are_not_part_of_the_text(self):
        whole = self.text()[:-1]
        stop = whole[10:14]
        document = self.succeed(*arguments("--json", "--stop", "never to be seen", "--stop", stop)).document
        self.assertEqual(document["text"], whole[:whole.index(stop)])
        self.assertEqual(document["finish"], "stop_string")
        self.assertEqual(self.text("--stop", stop), document["text"] + "\n")

    def test_end_token(self):
        # The model ends such lists by itself; with --ignore-eos it writes on.
        options = dict(prompt="<|endoftext|>1 + 1 = 2", count=400)
        ended = self.succeed(*arguments("--json", **options)).document
        self.assertEqual(ended["finish"], "end_token")
        self.assertLess(ended["generated_tokens"], 400)
        longer = self.succeed(*arguments("--json", "--ignore-eos", **options)).document
        self.assertEqual((longer["finish"], longer["generated_tokens"]), ("max_tokens", 400))

    def test_the_context_ends_the_text(self):
        document = self.succeed(*arguments("--json", "--ignore-eos", count=5000)).document
        self.assertEqual(document["finish"], "context_full")
        self.assertLessEqual(len(document["tokens"]), 1025)
        self.assertGreaterEqual(len(document["tokens"]), 1024)

    def test_characters_are_never_split(self):
        # A socket of packets keeps every write apart, however fast they come.
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            with theirs:
                process = subprocess.Popen(
                    [PROGRAM, *map(str, arguments("--quiet", "--ignore-eos", prompt="<|endoftext|>ファイルを", count=120))],
                    stdout=theirs)
            chunks = []
            while chunk := ours.recv(1 << 16):
                chunks.append(chunk)
        self.assertEqual(process.wait(timeout=60), 0)
        text = "".join(chunk.decode("utf-8") for chunk in chunks)  # each by itself
        self.assertGreater(sum(ord(c) > 0x3000 for c in text), 20)
        self.assertGreater(len(chunks), 60)

    def test_recording_does_not_change_the_text(self):
        plain = self.succeed(*arguments("--json")).document
        for capture in ("none", "ids", "weights", "full"):
            recorded = self.succeed(*arguments("--json", "--record", self.folder / "t.moescope", "--capture", capture)).document
            self.assertEqual(recorded["tokens"], plain["tokens"])
        trace = Trace(self.folder / "t.moescope")
        self.addCleanup(trace.close)
        self.assertEqual(trace.rows("SELECT capture, status, tokens FROM run ORDER BY id"),
                         [(capture, "closed", FORWARDED + 1) for capture in ("none", "ids", "weights", "full")])

    def test_openmp_does_not_spin(self):
        outcome = self.succeed("devices", environment={"OMP_DISPLAY_ENV": "verbose"})
        self.assertRegex(outcome.errors, r"OMP_WAIT_POLICY = 'PASSIVE'")
        self.assertRegex(outcome.errors, r"GOMP_SPINCOUNT = '0'")
        outcome = self.succeed("devices", environment={"OMP_DISPLAY_ENV": "verbose", "OMP_WAIT_POLICY": "active"})
        self.assertRegex(outcome.errors, r"OMP_WAIT_POLICY = 'ACTIVE'")


class Steered(ProgramTest):
    def setUp(self):
        super().setUp()
        self.plain = self.succeed(*arguments("--json")).document

    def steered(self, rules, *options):
        path = self.folder / "program.json"
        path.write_text(self.succeed("steer", "new", *rules).output)
        return self.succeed(*arguments("--json", "--steer", path, *options)).document

    def test_a_banned_expert_is_never_chosen(self):
        layer, expert = 2, self.plain["tokens"][5]["routers"][2]["ids"][0]
        document = self.steered(["--ban", f"{layer}:{expert}"])
        rows = [token[layer][0] for token in choices(document) if token]
        self.assertEqual(len(rows), FORWARDED)
        self.assertFalse(any(expert in ids for ids in rows))
        self.assertTrue(all(len(ids) == TOP_K for ids in rows))
        effect, = document["effects"]
        self.assertEqual((effect["tokens_in_scope"], effect["chosen"], effect["title"]), (FORWARDED, 0, f"Ban L{layer} E{expert}"))
        self.assertGreater(effect["natively_chosen"], 0)
        # The layers before it see the same prompt: their routing is that of the unsteered run.
        self.assertEqual([token[:2] for token in choices(document)[:PROMPT_TOKENS]], [token[:2] for token in choices(self.plain)[:PROMPT_TOKENS]])

    def test_a_pinned_expert_is_always_chosen_and_top_k_counts(self):
        document = self.steered(["--pin", "4:31", "--top-k", "0-1=2", "--uniform=5"])
        for token in filter(None, choices(document)):
            self.assertEqual(token[4][0][0], 31)
            self.assertEqual([len(ids) for ids, _ in token], [2, 2, 4, 4, 4, 4])
            self.assertEqual(len(set(token[5][1])), 1)

    def test_the_effect_of_a_count(self):
        document = self.steered(["--top-k", "0=2", "--phase", "prefill"])
        effect, = document["effects"]
        self.assertEqual((effect["tokens_in_scope"], effect["choices_dropped"], effect["choices_added"]), (PROMPT_TOKENS, 2 * PROMPT_TOKENS, 0))
        # The first layer gets the same input without the rule.
        native = [token[0][1] for token in choices(self.plain)[:PROMPT_TOKENS]]
        self.assertAlmostEqual(effect["native_mass"], sum(map(sum, native)), places=5)
        self.assertAlmostEqual(effect["dropped_native_mass"], sum(sum(weights[2:]) for weights in native), places=5)

    def test_phase_and_positions(self):
        document = self.steered(["--top-k", "1", "--phase", "decode", "--positions", "10:20"])
        counts = [len(token[0][0]) for token in choices(document) if token]
        self.assertEqual(counts, [1 if max(10, PROMPT_TOKENS) <= position < 20 else TOP_K for position in range(FORWARDED)])

    def test_neutral_and_empty_programs_change_nothing(self):
        for rules in ([], ["--top-k", TOP_K], ["--add", "*:*=0"], ["--scale", "*:3=1"], ["--ban", "1:1", "--positions", "5:5"]):
            self.assertEqual(self.steered(rules)["tokens"], self.plain["tokens"], rules)

    def test_several_programs_are_one(self):
        one, two = (self.write(f"{n}.json", self.succeed("steer", "new", "--top-k", f"{n}={n + 1}").output) for n in (0, 1))
        document = self.succeed(*arguments("--json", "--steer", one, two)).document
        self.assertEqual([[len(ids) for ids, _ in token[:3]] for token in choices(document) if token], [[1, 2, 4]] * FORWARDED)
        self.assertEqual([effect["rule"] for effect in document["effects"]], [1, 2])

    def test_counterfactual_keeps_the_text_and_records_a_second_run(self):
        trace = self.folder / "t.moescope"
        document = self.steered(["--top-k", "1"], "--mode", "counterfactual", "--record", trace)
        self.assertEqual([token["id"] for token in document["tokens"]], [token["id"] for token in self.plain["tokens"]])
        self.assertTrue(all(len(ids) == 1 for token in choices(document) for ids, _ in token))
        recorded = Trace(trace)
        self.addCleanup(recorded.close)
        self.assertEqual([token for token, _, _ in recorded.tokens(1)], [token for token, _, _ in recorded.tokens(2)])
        self.assertEqual(recorded.rows("SELECT run, counterfactual FROM steering_event"), [(2, 1)])
        self.assertNotEqual(recorded.log_probs(1)[1:], recorded.log_probs(2)[1:])


class Stopped(ProgramTest):
    def interrupted(self, *options, number=signal.SIGINT):
        """Stops after the first text."""
        process = start(*arguments("--ignore-eos", *options, count=5000))
        self.assertTrue(process.stdout.read(1))
        return interrupt(process, number)

    def test_ctrl_c_keeps_what_was_recorded(self):
        trace = self.folder / "t.moescope"
        for number in (signal.SIGINT, signal.SIGTERM):
            outcome = self.interrupted("--record", trace, number=number)
            self.assertEqual(outcome.status, 130, outcome)
            self.assertTrue(outcome.output.endswith("\n"))
        self.assertNotIn("-wal", " ".join(path.name for path in self.folder.iterdir()))
        recorded = Trace(trace)
        self.addCleanup(recorded.close)
        for run_number in (1, 2):
            row = recorded.run(run_number)
            self.assertIn(row["status"], ("closed", "aborted"))
            self.assertTrue(PROMPT_TOKENS < row["tokens"] < 1024, row)
            self.assertGreaterEqual(row["routed_tokens"], row["tokens"] - 1)
        self.succeed("check", trace)

    def test_the_reader_goes_away(self):
        trace = self.folder / "t.moescope"
        process = start(*arguments("--ignore-eos", "--record", trace, count=5000))
        process.stdout.read(1)
        process.stdout.close()
        process.stderr.close()
        self.assertEqual(process.wait(60), 130)
        recorded = Trace(trace)
        self.addCleanup(recorded.close)
        self.assertIn(recorded.run()["status"], ("closed", "aborted"))


if __name__ == "__main__":
    unittest.main()
