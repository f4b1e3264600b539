#!/usr/bin/env python3
"""Writes the shell completion files of moescope from its own --help.

Usage: make_completion.py PROGRAM [FOLDER]     (FOLDER: resources/completion)"""
import pathlib
import re
import subprocess
import sys

# "  -n,--max-tokens INT=256     Tokens ...": names, then one word for the value where there is one.
OPTION = re.compile(r"^ +(-[\w,-]+)(?: (\S+))?")
COMMAND = re.compile(r"^  ([a-z][\w-]*)\s")


def help_of(program, command):
    return subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=True).stdout


def sections(text):
    """The lines under "Positionals:", "Options:" and "Subcommands:", in groups of options too."""
    found, name = {}, None
    for line in text.splitlines():
        if line.strip() in ("Positionals:", "Options:", "Subcommands:"):
            name = line.strip()[:-1]
        elif not line.strip():
            name = None
        elif name:
            found.setdefault(name, []).append(line)
    return found


def read_option(line):
    """Names, and what follows them: choices, "file", "folder", "value", or None for a flag."""
    match = OPTION.match(line)
    if not match:
        return None
    names, word = match.group(1).split(","), match.group(2)
    rest = line[match.end(1):]
    if word is None or rest.startswith("  "):
        return names, None
    choices = re.match(r"\{([^}]*)\}", word)
    if choices:
        return names, choices.group(1).split(",")
    kinds = {"DIR": "folder", "FILE": "file", "PATH": "file"}
    return names, kinds.get(word.split("=")[0], "value")


def commands_of(program, command=()):
    """{("steer", "new"): {"options": [(names, value)], "commands": [...], "files": bool}}, this one first."""
    found = sections(help_of(program, command))
    options = [option for option in map(read_option, found.get("Options", [])) if option]
    commands = [match.group(1) for match in map(COMMAND.match, found.get("Subcommands", [])) if match]
    table = {command: {"options": options, "commands": commands, "files": "Positionals" in found}}
    for name in commands:
        table |= commands_of(program, (*command, name))
    return table


def words_of(entry):
    return entry["commands"] + [name for names, _ in entry["options"] for name in names]


def bash(table):
    cases, values = [], []
    for command, entry in table.items():
        key = " ".join(command)
        cases.append(f'    "{key}") words="{" ".join(words_of(entry))}"; files={int(entry["files"])} ;;')
        for names, value in entry["options"]:
            if value is None:
                continue
            action = {"file": "COMPREPLY=($(compgen -f -- \"$word\"))", "folder": "COMPREPLY=($(compgen -d -- \"$word\"))",
                      "value": ":"}.get(value if isinstance(value, str) else "")
            action = action or f'COMPREPLY=($(compgen -W "{" ".join(value)}" -- "$word"))'
            patterns = "|".join(f'"{key} {name}"' for name in names)
            values.append(f"    {patterns}) {action}; return ;;")
    subcommands = sorted({" ".join(command) for command in table if command})
    known = "|".join(f'"{name}"' for name in subcommands)
    return f"""# bash completion of moescope, made by tests/support/make_completion.py
_moescope() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command="" next words files i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="${{command:+$command }}${{COMP_WORDS[i]}}"
    case "$next" in
    {known}) command=$next ;;
    esac
  done
  COMPREPLY=()
  case "$command $before" in
{chr(10).join(values)}
  esac
  case "$command" in
{chr(10).join(cases)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [ "$files" = 1 ] && [[ $word != -* ]]; then COMPREPLY+=($(compgen -f -- "$word")); fi
}}
complete -o filenames -F _moescope moescope
"""


def zsh_value(value):
    if value is None:
        return ""
    action = {"file": "_files", "folder": "_files -/", "value": " "}.get(value if isinstance(value, str) else "")
    return ":value:" + (action or f"({' '.join(value)})")


def zsh(table):
    functions = []
    for command, entry in table.items():
        lines = [f"    '*{name}{'+' if value is not None else ''}[]{zsh_value(value)}'" for names, value in entry["options"] for name in names]
        if entry["commands"]:
            words = " ".join(entry["commands"])
            lines.append(f"    '1:command:{{ compadd {words}; _files }}'" if entry["files"] else f"    '1:command:({words})'")
            lines.append("    '*::rest:->rest'")
        elif entry["files"]:
            lines.append("    '*:file:_files'")
        name = "_".join(("_moescope", *command))
        body = f"  _arguments -C \\\n" + " \\\n".join(lines) + "\n"
        if entry["commands"]:
            branches = "".join(f"      {sub}) {name}_{sub} ;;\n" for sub in entry["commands"])
            body += f"  if [[ $state == rest ]]; then\n    case $words[1] in\n{branches}    esac\n  fi\n"
        functions.append(f"{name}() {{\n  local state line\n  typeset -A opt_args\n{body}}}\n")
    return "#compdef moescope\n# zsh completion of moescope, made by tests/support/make_completion.py\n" + "\n".join(functions) + '\n_moescope "$@"\n'


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else root / "resources" / "completion"
    table = commands_of(sys.argv[1])
    (folder / "moescope.bash").write_text(bash(table), encoding="utf-8")
    (folder / "_moescope").write_text(zsh(table), encoding="utf-8")


if __name__ == "__main__":
    main()
