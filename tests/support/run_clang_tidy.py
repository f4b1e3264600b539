#!/usr/bin/env python3
"""Runs clang-tidy over the program's sources, several at a time, and sums up what it finds.

Usage: run_clang_tidy.py SOURCE_DIR BUILD_DIR [-j JOBS] [FILE...]
Without files: every tracked source of the rooms below. A source that the build does not compile is an error and not
skipped: the build to lint has the engine and the window. Exit status 1 on findings, 2 if a source was not checked.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

# What is linted: the program. Headers elsewhere (LibTorch, Qt, what moc writes) are not ours.
ROOMS = ("app", "core", "plugins", "views")
# GCC's own warning switches in the compile commands are no finding.
EXTRA_ARGUMENTS = ["--extra-arg=-Wno-unknown-warning-option"]
FINDING = re.compile(r"^(?P<place>[^\s:][^:]*:\d+:\d+): (?:warning|error): .*\[(?P<checks>[^\]]+)\]$")


def tracked_sources(source_dir):
    listing = subprocess.run(["git", "ls-files", *(f"{room}/*.cpp" for room in ROOMS)], cwd=source_dir, check=True,
                             capture_output=True, text=True)
    return listing.stdout.splitlines()


def compiled_sources(source_dir, build_dir):
    with open(build_dir / "compile_commands.json", encoding="utf-8") as file:
        commands = json.load(file)
    return {os.path.relpath(os.path.join(c["directory"], c["file"]), source_dir) for c in commands}


def check(source_dir, build_dir, source):
    """The exit status of clang-tidy and what it says, without its count of suppressed warnings."""
    headers = f"^{re.escape(str(source_dir))}/({'|'.join(ROOMS)})/"
    done = subprocess.run(["clang-tidy", "-p", str(build_dir), "--quiet", f"--header-filter={headers}",
                           *EXTRA_ARGUMENTS, source],
                          cwd=source_dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout + (done.stderr if done.returncode and not done.stdout.strip() else "")


def findings_of(text):
    """(place, check) of each finding; a header's appears once for every source that includes it."""
    found = set()
    for line in text.splitlines():
        match = FINDING.match(line)
        if match:
            found.add((match["place"], match["checks"].split(",")[0]))
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source_dir", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("build_dir", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("-j", type=int, default=os.cpu_count(), dest="jobs")
    parser.add_argument("files", nargs="*")
    options = parser.parse_intermixed_args()

    sources = options.files or tracked_sources(options.source_dir)
    unknown = sorted(set(sources) - compiled_sources(options.source_dir, options.build_dir))
    for source in unknown:
        print(f"{source}: not compiled in {options.build_dir}, so it cannot be checked", file=sys.stderr)
    if unknown:
        return 2

    findings, failed = set(), []
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = {pool.submit(check, options.source_dir, options.build_dir, source): source for source in sources}
        for count, run in enumerate(concurrent.futures.as_completed(runs), 1):
            status, text = run.result()
            new = findings_of(text) - findings
            findings |= new
            if new:
                print(text, flush=True)
            elif status and not findings_of(text):
                failed.append(runs[run])
                print(text, flush=True)
            print(f"[{count}/{len(sources)}] {runs[run]}", file=sys.stderr, flush=True)

    for name, number in collections.Counter(name for _, name in findings).most_common():
        print(f"{number:5} {name}")
    for source in sorted(failed):
        print(f"not checked: {source}")
    minutes = (time.monotonic() - began) / 60
    print(f"clang-tidy: {len(sources)} sources in {minutes:.1f} min, {len(findings)} findings")
    return 2 if failed else 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
