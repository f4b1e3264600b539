#!/usr/bin/env python3
"""Decode and prefill speed, load time and peak memory of MoEScope, llama.cpp and transformers on the same
weights, in one run on one machine.

Blocks of the programs alternate; a figure is the median of its blocks. Models: the demo, and a checkpoint of
OLMoE-1B-7B's shape with random weights (model_shapes.py). Bits: as llama.cpp calls them; for 8 and 4 bits
both programs round the bfloat16 weights to the same blocks of 32. Needs numpy, gguf and llama-cpp-python;
transformers and torch for --transformers.

Usage: speed.py MOESCOPE DEMO_MODEL WORK_FOLDER [--models demo olmoe] [--bits f32 bf16 q8_0 q4_0]
       [--threads 1 2] [--contexts 0 512] [--blocks 5] [--transformers]
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import llama_cpp
import numpy

import gguf_twin
import model_shapes

DECODE_TOKENS = {"demo": 256, "olmoe": 48}
PREFILL_TOKENS = 512
QUANTISED = {"q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, "q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0}
DTYPE = {"f32": "f32", "bf16": "auto", "q8_0": "q8_0", "q4_0": "q4_0"}


def spread_ids(count, vocabulary):
    """The ids that `moescope bench` forwards."""
    return [(17 + i * 397) % vocabulary for i in range(count)]


class MoeScope:
    name = "moescope"

    def __init__(self, program, model, bits, threads, rounded):
        self.arguments = [program, "bench", "{}", "--model", str(model), "--dtype", DTYPE[bits], "--threads",
                          str(threads), "--blocks", "1", "--json"]
        if bits in QUANTISED:
            self.arguments += ["--rounded-folder", str(rounded)]

    def run(self, name, *more):
        words = [name if word == "{}" else word for word in self.arguments] + list(more)
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(words)} ended with status {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def decode(self, context, tokens):
        return self.run("decode", "--context", str(max(1, context)), "--tokens",
                        str(tokens))["tokens_per_second"]

    def prefill(self):
        return self.run("prefill")["tokens_per_second"]

    def load(self):
        """Seconds to the first token, and peak memory."""
        document = self.run("load")
        seconds = document["open_seconds"] + document["load_seconds"] + document["first_token_seconds"]
        return seconds, document["peak_bytes"]


class LlamaCpp:
    name = "llama.cpp"

    def __init__(self, file, threads, vocabulary, context):
        self.file, self.threads, self.vocabulary = file, threads, vocabulary
        self.llama = self.open(context)

    def open(self, context):
        return llama_cpp.Llama(str(self.file), n_ctx=context, n_batch=PREFILL_TOKENS, n_ubatch=PREFILL_TOKENS,
                               n_threads=self.threads, n_threads_batch=self.threads, verbose=False)

    def forward(self, ids):
        tokens = (llama_cpp.llama_token * len(ids))(*ids)
        batch = llama_cpp.llama_batch_get_one(tokens, len(ids))
        assert llama_cpp.llama_decode(self.llama.ctx, batch) == 0
        logits = llama_cpp.llama_get_logits_ith(self.llama.ctx, -1)
        return int(numpy.ctypeslib.as_array(logits, (self.vocabulary,)).argmax())

    def clear(self):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.llama.ctx), True)

    def decode(self, context, tokens):
        self.clear()
        token = self.forward(spread_ids(max(1, context), self.vocabulary))
        start = time.perf_counter()
        for _ in range(tokens):
            token = self.forward([token])
        return tokens / (time.perf_counter() - start)

    def prefill(self):
        self.clear()
        ids = spread_ids(PREFILL_TOKENS, self.vocabulary)
        start = time.perf_counter()
        self.forward(ids)
        return PREFILL_TOKENS / (time.perf_counter() - start)


class Transformers:
    name = "transformers"

    def __init__(self, model, bits, threads):
        import torch
        import transformers
        self.torch = torch
        torch.set_num_threads(threads)
        dtype = torch.float32 if bits == "f32" else torch.bfloat16
        self.model = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=dtype).eval()
        self.vocabulary = self.model.config.vocab_size

    def decode(self, context, tokens):
        ids = self.torch.tensor([spread_ids(max(1, context), self.vocabulary)])
        with self.torch.inference_mode():
            out = self.model(ids, use_cache=True)
            start = time.perf_counter()
            for _ in range(tokens):
                token = out.logits[:, -1:].argmax(-1)
                out = self.model(token, past_key_values=out.past_key_values, use_cache=True)
            return tokens / (time.perf_counter() - start)

    def prefill(self):
        ids = self.torch.tensor([spread_ids(PREFILL_TOKENS, self.vocabulary)])
        with self.torch.inference_mode():
            start = time.perf_counter()
            self.model(ids, use_cache=True)
            return PREFILL_TOKENS / (time.perf_counter() - start)


def twin(model, folder, name, bits):
    """The GGUF file of a checkpoint in some bits, made where it is not there."""
    file = folder / f"{name}-{bits}.gguf"
    if file.exists():
        return file
    if bits in QUANTISED:
        parameters = llama_cpp.llama_model_quantize_default_params()
        parameters.ftype = QUANTISED[bits]
        parameters.pure = True
        wide = twin(model, folder, name, "bf16")
        assert llama_cpp.llama_model_quantize(str(wide).encode(), str(file).encode(), parameters) == 0
    else:
        gguf_twin.write(model, file, bits)
    return file


def medians(programs, blocks, measure):
    """Medians of alternating blocks, after one that warms up."""
    rates = {program.name: [] for program in programs}
    for block in range(blocks + 1):
        for program in programs:
            rate = measure(program)
            if block > 0:
                rates[program.name].append(rate)
    return {name: statistics.median(values) for name, values in rates.items()}


def machine():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return f"{name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def row(values, **labels):
    """A figure of each program, and ours as a multiple of the others'."""
    ratios = {name: values["moescope"] / value for name, value in values.items() if name != "moescope"}
    print(json.dumps({**labels, "tokens_per_second": values, "ratio": ratios}), flush=True)


def measure(name, model, bits, threads, arguments):
    vocabulary = json.loads((pathlib.Path(model) / "config.json").read_text())["vocab_size"]
    longest = max(max(arguments.contexts), PREFILL_TOKENS) + DECODE_TOKENS[name] + 8
    ours = MoeScope(arguments.program, model, bits, threads, arguments.work / "rounded")
    programs = [ours, LlamaCpp(twin(model, arguments.work, name, bits), threads, vocabulary, longest)]
    if arguments.transformers and bits not in QUANTISED:
        programs.append(Transformers(model, bits, threads))
    labels = {"model": name, "bits": bits, "threads": threads}
    for context in arguments.contexts:
        row(medians(programs, arguments.blocks, lambda p: p.decode(context, DECODE_TOKENS[name])), **labels,
            what="decode", context=context)
    row(medians(programs, arguments.blocks, lambda p: p.prefill()), **labels, what="prefill")
    seconds, peak = ours.load()
    print(json.dumps({**labels, "what": "load", "seconds_to_first_token": seconds, "peak_bytes": peak}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("demo")
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--models", nargs="+", choices=DECODE_TOKENS, default=list(DECODE_TOKENS))
    parser.add_argument("--bits", nargs="+", choices=DTYPE, default=list(DTYPE))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--contexts", nargs="+", type=int, default=[0, 512])
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--transformers", action="store_true")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    print(json.dumps({"machine": machine(), "llama.cpp": llama_cpp.__version__}))
    models = {"demo": arguments.demo, "olmoe": arguments.work / "olmoe"}
    if "olmoe" in arguments.models and not (models["olmoe"] / "model.safetensors").exists():
        model_shapes.write("olmoe", models["olmoe"])
    for name in arguments.models:
        for bits in arguments.bits:
            for threads in arguments.threads:
                measure(name, models[name], bits, threads, arguments)


if __name__ == "__main__":
    sys.exit(main())
