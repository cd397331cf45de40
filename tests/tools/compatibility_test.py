#!/usr/bin/python3
"""tools/compatibility: a row of a run, and its place in the page."""

import pathlib
import subprocess
import tempfile
import unittest

TOOL = ["/usr/bin/python3", "tools/compatibility"]
PAGE = "before\n<!-- runs -->\n\n| run |\n|---|\n| old | 1 |\n| other | 2 |\n\n<!-- end of runs -->\nafter\n"


def row(script, name="old"):
    run = subprocess.run(TOOL + ["row", name, "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         check=False)
    return run.returncode, run.stdout


class Row(unittest.TestCase):
    def test_the_count_stays_the_last_line(self):
        status, output = row("echo hello; echo 3 passed, 0 failed")
        lines = output.splitlines()
        self.assertEqual((status, lines[0], lines[-1]), (0, "hello", "3 passed, 0 failed"))
        self.assertRegex(lines[1], r"^compatibility: \| old \| all \| \d{4}-\d\d-\d\d \|.*\| 3 \|$")

    def test_the_gearmand_is_the_one_that_tests_start(self):
        with tempfile.TemporaryDirectory() as folder:
            gearmand = pathlib.Path(folder) / "gearmand"
            gearmand.write_text("#!/bin/sh\necho 'gearmand 7.8.9 - https://bugs'\n")
            gearmand.chmod(0o755)
            _, output = row("echo 1 passed, 0 failed")
            self.assertNotIn("7.8.9", output)
            run = subprocess.run(TOOL + ["row", "x", "echo", "1 passed, 0 failed"], stdout=subprocess.PIPE, text=True,
                                 check=True, env={"GEARMAND": str(gearmand), "PATH": "/usr/bin:/bin"})
            self.assertIn("| 7.8.9 |", run.stdout)

    def test_a_run_in_which_something_failed_is_no_success(self):
        self.assertIn("| FAILED |", row("echo 3 passed, 1 failed; exit 1")[1])
        status, output = row("echo 3 passed, 0 failed; exit 4")
        self.assertEqual(status, 4)
        self.assertIn("| FAILED |", output)

    def test_a_run_without_a_count_has_no_row(self):
        status, output = row("echo hello")
        self.assertEqual((status, output), (1, "hello\n"))


class Write(unittest.TestCase):
    def write(self, log):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "page.md"
            page.write_text(PAGE)
            run = subprocess.run(TOOL + ["write", str(page)], input=log, text=True, stderr=subprocess.PIPE, check=False)
            return run.returncode, page.read_text()

    def test_a_row_replaces_the_one_with_its_name(self):
        status, page = self.write("noise\ncompatibility: | old | 9 |\ncompatibility: | new | 8 |\n9 passed, 0 failed\n")
        self.assertEqual(status, 0)
        self.assertIn("| old | 9 |\n| other | 2 |\n| new | 8 |\n", page)
        self.assertTrue(page.startswith("before\n") and page.endswith("after\n"), page)

    def test_a_failed_run_changes_no_row(self):
        status, page = self.write("compatibility: | old | 9 | FAILED |\n")
        self.assertEqual(status, 1)
        self.assertIn("| old | 1 |", page)


if __name__ == "__main__":
    unittest.main()
