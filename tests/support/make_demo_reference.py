#!/usr/bin/env python3
"""Writes resources/demo/reference.safetensors: what transformers computes for the demo model.

Float32 on the widened weights, eager attention and eager experts, no cache for the prompt. The rows are the
first tokens of two files of the demo corpus, id 0 before each. Names and shapes are those of the test
fixtures. Needs torch, transformers, tokenizers and safetensors. Usage: make_demo_reference.py [DEMO_DIR] [OUT]
"""
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer

ROWS = ("english", "python")
TOKENS = 32
GREEDY_TOKENS = 16
# Logits of 64 tokens are 1 MB; of the rest, the first and the last layer show where a difference starts.
DETAILED_LAYERS = (0, 5)


def read_rows(demo):
    tokenizer = Tokenizer.from_file(str(demo / "model" / "tokenizer.json"))
    rows = []
    for name in ROWS:
        text = (demo / "corpus" / f"{name}.txt").read_text(encoding="utf-8")[:2000]
        rows.append([0] + tokenizer.encode(text, add_special_tokens=False).ids[: TOKENS - 1])
    return torch.tensor(rows)


def record_layers(model):
    """Hooks that keep the inputs, logits, choices and outputs of every layer."""
    kept = {}

    def keep_router(layer):
        def hook(module, inputs, outputs):
            kept[f"router.{layer}.input"] = inputs[0].detach().clone()
            kept[f"router.{layer}.outputs"] = outputs
        return hook

    def keep_hidden(layer):
        def hook(module, inputs, output):
            kept[f"hidden.{layer}"] = (output[0] if isinstance(output, tuple) else output).detach().clone()
        return hook

    for index, layer in enumerate(model.model.layers):
        layer.mlp.gate.register_forward_hook(keep_router(index))
        layer.register_forward_hook(keep_hidden(index))
    return kept


def router_tensors(model, kept, index, shape):
    """x, z, scores, ids by descending weight and weights of one router, from its input."""
    gate = model.model.layers[index].mlp.gate
    x = kept[f"router.{index}.input"].reshape(*shape, -1)
    logits = torch.nn.functional.linear(x, gate.weight)
    scores = logits.softmax(-1)
    weights, ids = scores.sort(dim=-1, descending=True, stable=True)
    chosen = model.config.num_experts_per_tok
    weights, ids = weights[..., :chosen], ids[..., :chosen]
    # The module returns logits, weights and ids in an order of its version; its ids must be these.
    own = [t for t in kept[f"router.{index}.outputs"] if not t.is_floating_point()]
    assert len(own) == 1
    assert torch.equal(own[0].reshape(*shape, -1).sort(-1).values, ids.sort(-1).values)
    return {"input": x, "logits": logits, "scores": scores, "topk_ids": ids, "topk_weights": weights}


@torch.inference_mode()
def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    demo = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "resources" / "demo"
    out = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else demo / "reference.safetensors"
    model = transformers.AutoModelForCausalLM.from_pretrained(
        demo / "model", dtype=torch.float32, attn_implementation="eager", experts_implementation="eager").eval()
    assert not model.config.norm_topk_prob
    ids = read_rows(demo)
    kept = record_layers(model)
    tensors = {"input_ids": ids, "logits": model(ids, use_cache=False).logits}
    for index in range(model.config.num_hidden_layers):
        router = router_tensors(model, kept, index, ids.shape)
        names = router if index in DETAILED_LAYERS else ("logits", "topk_ids", "topk_weights")
        tensors |= {f"router.{index}.{name}": router[name] for name in names}
        if index in DETAILED_LAYERS:
            tensors[f"hidden.{index}"] = kept[f"hidden.{index}"]
    sequence = ids[:1]
    for _ in range(GREEDY_TOKENS):
        following = model(sequence, use_cache=False).logits[:, -1].argmax(-1, keepdim=True)
        sequence = torch.cat([sequence, following], dim=1)
    tensors["greedy_ids"] = sequence[0, -GREEDY_TOKENS:]
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, out,
              metadata={"transformers": transformers.__version__, "torch": torch.__version__,
                        "dtype": "float32", "attention": "eager", "experts": "eager"})
    out.chmod(0o644)
    print(f"{out}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
