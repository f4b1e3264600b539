"""Every broken checkpoint, through check and inspect."""
import json
import unittest

from program import DATA, ProgramTest, run


class Malformed(ProgramTest):
    def test_every_case(self):
        folders = sorted(path.parent for path in (DATA / "malformed").glob("*/expect.json"))
        self.assertGreaterEqual(len(folders), 35)
        for folder in folders:
            expected = json.loads((folder / "expect.json").read_text())
            for command in ("check", "inspect"):
                with self.subTest(folder=folder.name, command=command):
                    if expected["kind"] == "ok":
                        self.succeed(command, folder)
                        continue
                    self.refuse_with(expected, command, folder)

    def refuse_with(self, expected, command, folder):
        error = run(command, folder, "--json").document["error"]
        self.assertIn(error["kind"], [expected["kind"], *expected["acceptable"]])
        self.assertEqual(error["file"], expected["file"])
        self.refuse(error["kind"], command, folder)


if __name__ == "__main__":
    unittest.main()
