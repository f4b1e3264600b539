#!/usr/bin/env python3
"""Prints one table of all test checkpoints against their references: largest logit difference, sets of experts that
differ, seconds to load, peak memory beside the size of the weights; then the same with weights rounded to bfloat16:
largest logit difference, and of the changed sets those whose margin is beyond rounding.
Usage: families.py MOESCOPE CHECKPOINTS [--device DEVICE] [--dtype TYPE]; with a type there is no bfloat16 beside it."""
import json
import os
import pathlib
import subprocess
import sys

program, root, *options = sys.argv[1:]
both = "--dtype" not in options


def verify(folder, *more):
    """The report of `moescope verify`, and the peak memory in bytes."""
    command = [program, "verify", str(folder), "--reference", str(folder / "reference.safetensors"), "--json", *options, *more]
    if json.loads((folder / "fixture.json").read_text()).get("version_specific"):
        command += ["--compat", "transformers"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    return json.loads(output), usage.ru_maxrss * 1024


def logits(report):
    value = next(v["max_absolute"] for v in report["values"] if v["quantity"] == "logits")
    return "not finite" if value is None else f"{value:.1e}"


def total(report, count):
    return sum(router[count] for router in report["routing"])


def bfloat_columns(report):
    if "error" in report:
        return f" {'-':>11} {'-':>14}"
    beyond = f"{total(report, 'set_differs_beyond_rounding')}/{total(report, 'set_differs')}"
    return f" {logits(report):>11} {beyond:>14}"


print(f"{'checkpoint':<24} {'family':<18} {'logits':>9} {'ids':>7} {'greedy':>6} {'load ms':>7} {'peak MiB':>8} {'weights MiB':>11}"
      + (f" {'bf16 logits':>11} {'beyond/changed':>14}" if both else "") + "  result")
failed = 0
for folder in sorted(pathlib.Path(root).iterdir()):
    if not (folder / "reference.safetensors").exists():
        continue
    report, peak = verify(folder, *(["--dtype", "f32"] if both else []))
    if "error" in report:
        print(f"{folder.name:<24} {report['error']['message']}")
        failed += 1
        continue
    bfloat = bfloat_columns(verify(folder, "--dtype", "bf16")[0]) if both else ""
    others = f"{total(report, 'set_differs')}/{total(report, 'rows')}"
    weights = sum(f.stat().st_size for f in folder.glob("model*.safetensors")) / 2**20
    failed += not report["passed"]
    print(f"{folder.name:<24} {report['family']:<18} {logits(report):>9} {others:>7} {report['greedy']['differ']:>6} "
          f"{1000 * report['load_seconds']:>7.1f} {peak / 2**20:>8.1f} {weights:>11.2f}{bfloat}  {'agrees' if report['passed'] else 'DIFFERS'}")
sys.exit(1 if failed else 0)
