#!/usr/bin/env python3
"""Fails on an include or a link that goes against the arrows of docs/architecture.md.

Reads the #include lines of the sources and the link lines of the build's ninja file, not the wish
lists in CMake. Usage: check_layers.py SOURCE_DIR [BUILD_DIR]
"""
import pathlib
import re
import sys

# Each room and the rooms that it may include from, besides itself.
ALLOWED = {
    "core/base": set(),
    "core/checkpoint": {"core/base"},
    "core/tokenizer": {"core/base"},
    "core/chat": {"core/base"},
    "core/steering": {"core/base"},
    "core/trace": {"core/base"},
    "core/analysis": {"core/base", "core/trace", "core/checkpoint", "core/steering"},
    "core/figure": {"core/base", "core/trace", "core/steering", "core/analysis"},
    "core/plugin": {"core/base", "core/trace", "core/checkpoint", "core/analysis", "core/figure", "core/engine/api"},
    "core/engine/api": {"core/base", "core/checkpoint", "core/steering"},
    "core/engine/generation": {"core/base", "core/checkpoint", "core/tokenizer", "core/chat", "core/steering",
                               "core/trace", "core/engine/api"},
    "core/engine/torch": {"core/base", "core/checkpoint", "core/steering", "core/engine/api"},
    "plugins": {"core/base", "core/trace", "core/checkpoint", "core/steering", "core/analysis", "core/figure",
                "core/plugin", "core/engine/api", "views/api"},
    "views": {"core/base", "core/checkpoint", "core/tokenizer", "core/chat", "core/steering", "core/trace",
              "core/analysis", "core/figure", "core/plugin", "core/engine/api", "core/engine/generation",
              "views/api"},
    "views/api": {"core/base", "core/checkpoint", "core/tokenizer", "core/chat", "core/steering", "core/trace",
                  "core/analysis", "core/figure", "core/plugin", "core/engine/api", "core/engine/generation"},
    "app": {"views", "views/api", "plugins", "core/plugin", "core/base", "core/checkpoint", "core/tokenizer", "core/chat",
            "core/steering", "core/trace",
            "core/analysis", "core/figure", "core/engine/api", "core/engine/generation"},
}
# Foreign headers and the only places where they may stand.
PRIVATE_HEADERS = [
    (re.compile(r"^(ATen|c10|torch)/"), ("core/engine/torch/",), "LibTorch"),
    (re.compile(r"^(backends/)?imgui"), ("views/canvas/",), "Dear ImGui"),
    (re.compile(r"^(Q[A-Z]|Qt[A-Z]\w*/)"), ("views/", "app/", "plugins/"), "Qt"),
    (re.compile(r"^sqlite3"), ("core/trace/",), "SQLite"),
    (re.compile(r"^CLI/"), ("app/",), "CLI11"),
]
# Static library of each room, to read the link graph.
TARGETS = {
    "moescope_base": "core/base", "moescope_checkpoint": "core/checkpoint",
    "moescope_tokenizer": "core/tokenizer", "moescope_chat": "core/chat", "moescope_steering": "core/steering",
    "moescope_trace": "core/trace", "moescope_analysis": "core/analysis",
    "moescope_figure": "core/figure", "moescope_engine_api": "core/engine/api",
    "moescope_generation": "core/engine/generation", "moescope_plugin": "core/plugin", "moescope_views": "views",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    """The longest known room that the path lies in, or None."""
    rooms = [room for room in ALLOWED if path.startswith(room + "/")]
    return max(rooms, key=len, default=None)


def include_faults(root):
    for file in sorted(root.rglob("*")):
        relative = file.relative_to(root).as_posix()
        if file.suffix not in (".h", ".cpp") or not relative.startswith(("core/", "views/", "app/", "plugins/")):
            continue
        room = room_of(relative)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match.group(2)
            place = f"{relative}:{number}"
            if room is None:
                yield f"{place}: lies in no known room"
                break
            if match.group(1) == '"':
                other = room_of(target)
                if other is None and "/" in target:
                    yield f"{place}: includes {target}, which lies in no known room"
                elif other not in (None, room) and other not in ALLOWED[room]:
                    yield f"{place}: {room} may not include {other} ({target})"
            for pattern, homes, name in PRIVATE_HEADERS:
                if pattern.match(target) and not relative.startswith(homes):
                    yield f"{place}: {name} may only be included under {', '.join(homes)} ({target})"


def link_faults(build):
    """Shared objects and programs: which static libraries and foreign libraries they are linked with."""
    text = (build / "build.ninja").read_text(encoding="utf-8")
    for block in re.split(r"\n(?=build )", text):
        head = block.splitlines()[0]
        libraries = "\n".join(re.findall(r"LINK_LIBRARIES = (.*)", block))
        if "_LINKER__" not in head:
            continue
        output = head.split(":")[0].removeprefix("build ")
        linked = {room for target, room in TARGETS.items() if f"lib{target}.a" in libraries}
        if "libmoescope_engine.so" in output:
            for room in linked - ALLOWED["core/engine/torch"]:
                yield f"{output}: the engine may not be linked with {room}"
            if re.search(r"libQt6", libraries):
                yield f"{output}: the engine may not be linked with Qt"
        elif "libtorch" in libraries and "/tests/" not in output and not output.startswith("tests/"):
            yield f"{output}: only the engine may be linked with LibTorch"


def main():
    root = pathlib.Path(sys.argv[1])
    faults = list(include_faults(root))
    if len(sys.argv) > 2:
        faults += link_faults(pathlib.Path(sys.argv[2]))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
