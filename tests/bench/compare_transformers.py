#!/usr/bin/env python3
"""Decode speed of MoEScope and of transformers on the same weights, in one run on one machine.

Both decode greedily with a KV cache after a prompt of 32 tokens; medians of interleaved blocks. Needs torch
and transformers. Usage: compare_transformers.py MOESCOPE MODEL_DIR [--threads N]
"""
import argparse
import json
import statistics
import subprocess
import time

import torch
import transformers

PROMPT_TOKENS = 32
DECODE_TOKENS = 128
BLOCKS = 5


def transformers_rate(model, vocabulary):
    """Tokens a second of one block of greedy decoding."""
    ids = torch.tensor([[(17 + i * 397) % vocabulary for i in range(PROMPT_TOKENS)]])
    with torch.inference_mode():
        out = model(ids, use_cache=True)
        token = out.logits[:, -1:].argmax(-1)
        start = time.perf_counter()
        for _ in range(DECODE_TOKENS):
            out = model(token, past_key_values=out.past_key_values, use_cache=True)
            token = out.logits[:, -1:].argmax(-1)
        return DECODE_TOKENS / (time.perf_counter() - start)


def moescope_rate(program, folder, threads):
    done = subprocess.run(
        [program, "bench", "decode", "--json", "--model", folder, "--threads", str(threads),
         "--tokens", str(DECODE_TOKENS)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["tokens_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = transformers.AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32).eval()
    transformers_rate(model, model.config.vocab_size)  # warm-up
    rates = {"transformers": [], "moescope": []}
    for _ in range(BLOCKS):
        rates["transformers"].append(transformers_rate(model, model.config.vocab_size))
        rates["moescope"].append(moescope_rate(arguments.program, arguments.model, arguments.threads))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    print(json.dumps({"threads": arguments.threads, "tokens_per_second": medians,
                      "ratio": medians["moescope"] / medians["transformers"],
                      "blocks": rates}, indent=2))


if __name__ == "__main__":
    main()
