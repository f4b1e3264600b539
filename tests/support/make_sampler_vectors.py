"""Writes tests/data/sampler/vectors.json: what transformers' logits processors keep, and with which
probability; entropy, log-sum-exp and the best tokens from torch in float64.

Usage: python make_sampler_vectors.py OUTPUT   (needs torch and transformers)
"""

import json
import sys

import torch
import transformers
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

DEFAULTS = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0}
SETTINGS = [
    {},
    {"temperature": 0.8},
    {"temperature": 1.7},
    {"top_k": 5},
    {"top_k": 1},
    {"top_p": 0.9},
    {"top_p": 0.3, "temperature": 1.4},
    {"top_p": 0.01},
    {"min_p": 0.1},
    {"min_p": 0.02, "temperature": 2.5},
    {"repetition_penalty": 1.3},
    {"repetition_penalty": 0.8, "top_k": 20},
    {"temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "repetition_penalty": 1.1},
    {"temperature": 1.2, "top_k": 30, "top_p": 0.8, "min_p": 0.1, "repetition_penalty": 1.5},
]


def processors(settings):
    """In the order of GenerationMixin._get_logits_processor."""
    chain = LogitsProcessorList()
    if settings["repetition_penalty"] != 1.0:
        chain.append(RepetitionPenaltyLogitsProcessor(penalty=settings["repetition_penalty"]))
    if settings["temperature"] != 1.0:
        chain.append(TemperatureLogitsWarper(settings["temperature"]))
    if settings["top_k"]:
        chain.append(TopKLogitsWarper(top_k=settings["top_k"]))
    if settings["top_p"] < 1.0:
        chain.append(TopPLogitsWarper(top_p=settings["top_p"]))
    if settings["min_p"] > 0.0:
        chain.append(MinPLogitsWarper(min_p=settings["min_p"]))
    return chain


def case(logits, history, chosen):
    settings = DEFAULTS | chosen
    scores = processors(settings)(torch.tensor([history]), torch.tensor([logits], dtype=torch.float32))
    probabilities = torch.softmax(scores[0].double(), dim=-1)
    kept = [i for i in range(len(logits)) if scores[0, i] != -float("inf")]
    return {"settings": settings, "ids": kept, "probabilities": [short(probabilities[i]) for i in kept]}


def short(value):
    return float(f"{float(value):.9g}")


def facts(logits):
    """Entropy, log-sum-exp and the five best, in float64."""
    values = torch.tensor(logits, dtype=torch.float32).double()
    log_probs = torch.log_softmax(values, dim=-1)
    best = sorted(range(len(logits)), key=lambda i: (-values[i].item(), i))[:5]
    return {
        "entropy": short(-(log_probs.exp() * log_probs).sum()),
        "log_sum_exp": short(torch.logsumexp(values, dim=-1)),
        "best_ids": best,
        "best_log_probs": [short(log_probs[i]) for i in best],
    }


def main():
    generator = torch.Generator().manual_seed(20240611)
    groups = []
    for size, spread in [(64, 2.5), (1500, 3.0)]:
        logits = (torch.randn(size, generator=generator) * spread).tolist()
        logits = [round(x, 5) for x in logits]
        logits[3] = logits[7]  # a tie
        history = torch.randint(0, size, (size // 4,), generator=generator).tolist()
        history += [max(range(size), key=logits.__getitem__)] * 2  # the best one, twice: penalised once
        cases = [case(logits, history, chosen) for chosen in SETTINGS]
        groups.append({"logits": logits, "history": history, "cases": cases, "facts": facts(logits)})
    document = {"made_with": f"transformers {transformers.__version__}", "groups": groups}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(document, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
