"""docs/cli.md names every subcommand, every option and every kind of error."""
import re
import sys
import unittest

from program import PROGRAM, ROOT, ProgramTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import make_completion  # noqa: E402

DOCS = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
FILE_ENDINGS = {"json", "jsonl", "safetensors", "moescope", "so", "txt", "jinja", "svg", "pdf", "png", "csv", "md", "model", "ttf"}
KIND = re.compile(r'"([a-z]+)\.([a-z][a-z0-9_]*)"')


def sections():
    """{"steer new": text of its section}"""
    return {title: text for title, text in re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", DOCS, re.M | re.S)}


def listed_kinds():
    table = DOCS.split("<!-- kinds -->")[1]
    return re.findall(r"^\| `([a-z._0-9]+)` \| \S", table, re.M)


def kinds_in_sources():
    """{kind: file} of the literals that look like kinds, in areas that some kind has."""
    sources = [path for folder in ("app", "core", "plugins", "views") for ending in ("*.cpp", "*.h") for path in (ROOT / folder).rglob(ending)]
    texts = {path: path.read_text(encoding="utf-8") for path in sources}
    # An area is what stands in a fail() or Error{}, so that a new one is noticed, or in the table already.
    areas = {kind.split(".")[0] for kind in listed_kinds()}
    for text in texts.values():
        areas |= set(re.findall(r'(?:fail\(|Error\{|Error\(|report\(\{)\s*"([a-z]+)\.[a-z_]+"', text))
    found = {}
    for path, text in texts.items():
        for area, what in KIND.findall(text):
            if area in areas and what not in FILE_ENDINGS:
                found.setdefault(f"{area}.{what}", path.relative_to(ROOT))
    return found


class Docs(ProgramTest):
    def test_every_kind_is_listed(self):
        listed, used = listed_kinds(), kinds_in_sources()
        self.assertGreater(len(used), 80)
        missing = [f"{kind} ({used[kind]})" for kind in sorted(set(used) - set(listed))]
        self.assertEqual(missing, [], "these kinds are missing in the table of docs/cli.md")
        stale = sorted(set(listed) - set(used) - {"cancelled"})
        self.assertEqual(stale, [], "no source has these kinds of docs/cli.md any more")
        self.assertEqual(listed, sorted(set(listed)), "the table is in alphabetical order, each kind once")

    def test_every_subcommand_and_option_is_described(self):
        described = sections()
        shared = DOCS.split("## Running a model")[1].split("###")[0]
        for command, entry in make_completion.commands_of(PROGRAM).items():
            if not command or entry["commands"]:
                continue
            name = " ".join(command)
            self.assertIn(name, described, "subcommand without a section in docs/cli.md")
            text = described[name] + (shared if command[0] in ("generate", "record", "verify") else "")
            for names, _ in entry["options"]:
                if "--help" not in names:
                    self.assertTrue(any(re.search(re.escape(n) + r"(?![\w-])", text) for n in names), f"{name} {names}")

    def test_no_option_is_described_that_is_not_there(self):
        table = make_completion.commands_of(PROGRAM)
        for title, text in sections().items():
            command = tuple(title.split())
            if command not in table:
                continue
            options = {name for names, _ in table[command]["options"] for name in names}
            cells = re.findall(r"^\| (`-[^|]*) \|", text, re.M)
            for name in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", " ".join(cells)):
                self.assertIn(name, options, title)

    def test_every_analysis_is_in_the_index(self):
        """docs/analyses.md: what it is of, its capture level, and a link to a heading that is there."""
        listed = self.succeed("analyze", "--list", "--json").document["analyses"]
        index = (ROOT / "docs" / "analyses.md").read_text(encoding="utf-8")
        rows = {cells[0].strip("`"): cells for cells in
                ([cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\| `.*\|$", index, re.M))}
        self.assertEqual(sorted(rows), sorted(one["id"] for one in listed))
        for one in listed:
            _, answers, scope, capture, link = rows[one["id"]]
            self.assertTrue(answers.endswith("?") or "? " in answers, one["id"])
            self.assertTrue(scope.startswith(one["scope"]), one["id"])
            if one["scope"] != "checkpoint":
                self.assertTrue(capture.startswith(one["capture"]), one["id"])
            file, anchor = re.fullmatch(r"\[[a-z_.]+\]\((analyses/[a-z_]+\.md)(?:#([a-z0-9-]+))?\)", link).groups()
            page = (ROOT / "docs" / file).read_text(encoding="utf-8")
            self.assertIn(f"`{one['id']}`", page)
            for parameter in one["parameters"]:
                self.assertRegex(page, rf"`{parameter['id']}[=`]", f"{one['id']} in {file}")
            headings = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", page, re.M)}
            self.assertTrue(anchor is None or anchor in headings, f"{link}: {headings}")

    def test_every_panel_has_a_section_in_the_manual(self):
        """F1 looks for the heading that is the panel's title; pictures of the manual are there."""
        resources = ROOT / "resources"
        manual = (resources / "manual.md").read_text(encoding="utf-8")
        titles = set()
        for file in (ROOT / "plugins").glob("*/register.cpp"):
            titles |= set(re.findall(r'ViewInfo info\{\s*"[a-z_]+",\s*"([^"]+)"', file.read_text(encoding="utf-8")))
        self.assertLessEqual({"Specialization", "Phases", "Co-activation"}, titles)
        for title in titles:
            self.assertIn(f"\n## {title}\n", manual)
        for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", manual):
            self.assertTrue((resources / picture).is_file(), picture)
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#:]+)\)", readme):
            self.assertTrue((ROOT / link).exists(), link)


if __name__ == "__main__":
    unittest.main()
