#!/usr/bin/python3
"""tools/count: what counts as passed, failed and skipped."""

import json
import os
import subprocess
import tempfile
import unittest

FINISHED = {"id": {"buildFinished": {}}, "finished": {"exitCode": {"code": 0}}}


def googletest(*cases):
    """GoogleTest's own file: its root is named AllTests."""
    return '<testsuites name="AllTests"><testsuite name="S">%s</testsuite></testsuites>' % "".join(cases)


def case(name, inner="", **attributes):
    attributes = {"status": "run", "result": "completed", **attributes}
    text = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    return f'<testcase name="{name}" classname="S" {text}>{inner}</testcase>'


# Bazel writes this for a program that has written no file.
CRASH = '<testsuites><testsuite name="t"><testcase name="t"><error message="exited"/></testcase></testsuite></testsuites>'


class Count(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(self.folder.cleanup)
        self.events = []

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def result(self, label, xml, status="PASSED", shard=1, attempt=1, log=""):
        name = f"{len(self.events)}"
        self.events.append({
            "id": {"testResult": {"label": label, "run": 1, "shard": shard, "attempt": attempt}},
            "testResult": {
                "status": status,
                "testActionOutput": [
                    {"name": "test.log", "uri": "file://" + self.write(name + ".log", log)},
                    {"name": "test.xml", "uri": "file://" + self.write(name + ".xml", xml)},
                ],
            },
        })

    def count(self, status=0, finished=True, name="run", tail=""):
        """(last line, everything printed, exit status)"""
        events = self.events + ([FINISHED] if finished else [])
        self.write(name + ".json", "".join(json.dumps(event) + "\n" for event in events) + tail)
        self.write(name + ".status", f"{status}\n")
        done = subprocess.run(["tools/count", self.folder.name], stdout=subprocess.PIPE, text=True, check=False)
        return done.stdout.splitlines()[-1], done.stdout, done.returncode

    def test_counts_cases_not_targets(self):
        self.result("//a:t", googletest(case("A"), case("B")))
        self.result("//b:t", googletest(case("A")))
        line, _, status = self.count()
        self.assertEqual(("3 passed, 0 failed", 0), (line, status))

    def test_names_a_failed_case(self):
        self.result("//a:t", googletest(case("A"), case("B", "<failure/>")), status="FAILED")
        line, text, status = self.count(status=3)
        self.assertEqual(("1 passed, 1 failed", 1), (line, status))
        self.assertIn("//a:t S.B", text)

    def test_shows_what_was_skipped_or_disabled_and_counts_neither(self):
        self.result("//a:t", googletest(case("A"), case("B", result="skipped"),
                                        case("DISABLED_C", status="notrun", result="suppressed")))
        line, text, status = self.count()
        self.assertEqual(("1 passed, 0 failed", 0), (line, status))
        self.assertIn("Skipped (2)", text)
        self.assertIn("S.B", text)
        self.assertIn("S.DISABLED_C (disabled)", text)

    def test_sums_shards_and_allows_an_empty_one(self):
        self.result("//a:t", googletest(case("A")), shard=1)
        self.result("//a:t", googletest(case("B")), shard=2)
        self.result("//a:t", googletest(), shard=3)
        self.assertEqual("2 passed, 0 failed", self.count()[0])

    def test_takes_the_last_attempt_of_a_flaky_test(self):
        self.result("//a:t", googletest(case("A", "<failure/>")), status="FAILED", attempt=1)
        self.result("//a:t", googletest(case("A")), attempt=2)
        self.assertEqual("1 passed, 0 failed", self.count()[0])

    def test_keeps_the_passed_cases_of_a_program_that_crashed(self):
        log = ("[ RUN      ] S.A\n[       OK ] S.A (0 ms)\n[ RUN      ] S.B\n[  FAILED  ] S.B (0 ms)\n"
               "[ RUN      ] S.C\nsegmentation fault\n")
        self.result("//a:t", CRASH, status="FAILED", log=log)
        line, text, status = self.count(status=3)
        self.assertEqual(("1 passed, 2 failed", 1), (line, status))
        self.assertIn("//a:t S.B", text)
        self.assertIn("//a:t (failed)", text)

    def test_counts_a_program_that_ran_out_of_time(self):
        self.result("//a:t", CRASH, status="TIMEOUT")
        line, text, _ = self.count(status=3)
        self.assertEqual("0 passed, 1 failed", line)
        self.assertIn("(timeout)", text)

    def test_counts_a_program_that_fails_after_its_last_case(self):
        self.result("//a:t", googletest(case("A")), status="FAILED")
        self.assertEqual("1 passed, 1 failed", self.count(status=3)[0])

    def test_counts_a_target_that_does_not_build(self):
        self.result("//a:t", googletest(case("A")))
        self.events.append({"id": {"targetCompleted": {"label": "//b:t"}}, "completed": {}})
        line, text, status = self.count(status=1)
        self.assertEqual(("1 passed, 1 failed", 1), (line, status))
        self.assertIn("//b:t (does not build)", text)

    def test_counts_a_target_that_does_not_load_once(self):
        self.result("//a:t", googletest(case("A")))
        for kind in ("targetConfigured", "targetCompleted"):
            self.events.append({"id": {kind: {"label": "//b:t"}}, "aborted": {"reason": "ANALYSIS_FAILURE"}})
        line, text, _ = self.count(status=1)
        self.assertEqual("1 passed, 1 failed", line)
        self.assertIn("//b:t (analysis failure)", text)

    def test_counts_a_program_without_a_case(self):
        self.result("//a:t", googletest())
        line, text, status = self.count()
        self.assertEqual(("0 passed, 1 failed", 1), (line, status))
        self.assertIn("//a:t (has no test case)", text)

    def test_counts_a_run_that_bazel_says_went_wrong(self):
        self.result("//a:t", googletest(case("A")))
        self.assertEqual("1 passed, 1 failed", self.count(status=37)[0])

    def test_counts_an_interrupted_run_whose_file_ends_in_a_line(self):
        self.result("//a:t", googletest(case("A")))
        self.events.append({"id": {"testResult": {"label": "//b:t"}}, "aborted": {"reason": "USER_INTERRUPTED"}})
        line, text, status = self.count(status=8, finished=False, tail='{"id": {"testRes')
        self.assertEqual(("1 passed, 2 failed", 1), (line, status))
        self.assertIn("//b:t (did not end)", text)

    def test_counts_a_run_without_an_event_file(self):
        self.write("consumer.status", "2\n")
        self.result("//a:t", googletest(case("A")))
        self.assertEqual("1 passed, 1 failed", self.count()[0])

    def test_sums_runs(self):
        self.result("//a:t", googletest(case("A")))
        self.count(name="first")
        self.assertEqual("2 passed, 0 failed", self.count(name="second")[0])

    def test_is_no_success_when_nothing_ran(self):
        line, text, status = self.count()
        self.assertEqual(("0 passed, 0 failed", 1), (line, status))
        self.assertIn("No test was found", text)


if __name__ == "__main__":
    unittest.main()
