#!/usr/bin/env python3
"""Prints one table of all test checkpoints against their references: largest logit difference, sets of experts that
differ, seconds to load, peak memory beside the size of the weights. Usage: families.py MOESCOPE CHECKPOINTS [--dtype TYPE]"""
import json
import os
import pathlib
import subprocess
import sys

program, root, *options = sys.argv[1:]
print(f"{'checkpoint':<24} {'family':<18} {'logits':>9} {'ids':>9} {'greedy':>7} {'load ms':>8} {'peak MiB':>9} {'weights MiB':>12}  result")
failed = 0
for folder in sorted(pathlib.Path(root).iterdir()):
    if not (folder / "reference.safetensors").exists():
        continue
    fixture = json.loads((folder / "fixture.json").read_text())
    command = [program, "verify", str(folder), "--reference", str(folder / "reference.safetensors"), "--json", *options]
    if "--dtype" not in options:
        command += ["--dtype", "f32"]
    if fixture.get("version_specific"):
        command += ["--compat", "transformers"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    report = json.loads(output)
    if "error" in report:
        print(f"{folder.name:<24} {report['error']['message']}")
        failed += 1
        continue
    logits = next(v["max_absolute"] for v in report["values"] if v["quantity"] == "logits")
    others = sum(r["set_differs"] for r in report["routing"])
    rows = sum(r["rows"] for r in report["routing"])
    weights = sum(f.stat().st_size for f in folder.glob("model*.safetensors")) / 2**20
    passed = report["passed"]
    failed += not passed
    print(f"{folder.name:<24} {report['family']:<18} {logits:>9.1e} {f'{others}/{rows}':>9} {report['greedy']['differ']:>7} "
          f"{1000 * report['load_seconds']:>8.1f} {usage.ru_maxrss / 1024:>9.1f} {weights:>12.2f}  {'agrees' if passed else 'DIFFERS'}")
sys.exit(1 if failed else 0)
