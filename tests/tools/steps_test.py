#!/usr/bin/python3
"""tools/steps.sh and tools/googletest: what a script of steps counts, and what its status is."""

import subprocess
import unittest


def run(script):
    """(last line, everything printed, exit status)"""
    done = subprocess.run(["bash", "-uc", ". tools/steps.sh\n" + script], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout.splitlines()[-1], done.stdout, done.returncode


def googletest(*lines, status=0):
    script = "".join(f"echo '{line}'\n" for line in lines) + f"exit {status}\n"
    done = subprocess.run(["tools/googletest", "bash", "-c", script], stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.splitlines()[-1], done.returncode


class Steps(unittest.TestCase):
    def test_sums_what_the_steps_count(self):
        line, text, status = run('step One echo "2 passed, 0 failed"\nstep Two echo "3 passed, 0 failed"\nfinish')
        self.assertEqual(("5 passed, 0 failed", 0), (line, status))
        self.assertIn("=== One\n2 passed, 0 failed\n=== One: 0 s, status 0\n", text)

    def test_checks_that_fail_count_and_those_that_do_not_are_no_tests(self):
        self.assertEqual("1 passed, 2 failed",
                         run('step A echo "9 checks, 2 failed"\nstep B echo "1 passed, 0 failed"\nfinish')[0])

    def test_a_step_that_fails_without_a_count_is_one_failure_and_is_said_again(self):
        line, text, status = run('broken() { echo "x.cc:1: error: no"; return 3; }\nstep Broken broken\nfinish')
        self.assertEqual(("0 passed, 1 failed", 1), (line, status))
        self.assertIn("What failed:\n\n=== Broken: status 3\nx.cc:1: error: no\n", text)

    def test_a_status_that_contradicts_the_count_is_a_failure(self):
        self.assertEqual("7 passed, 1 failed",
                         run('lying() { echo "7 passed, 0 failed"; return 1; }\nstep A lying\nfinish')[0])

    def test_a_step_that_is_skipped_counts_nothing_and_nothing_at_all_is_no_success(self):
        line, _, status = run('step Skipped echo "skipped, as there is no npm"\nfinish')
        self.assertEqual(("0 passed, 0 failed", 1), (line, status))

    def test_a_signal_is_a_failure(self):
        line, _, status = run('step A echo "4 passed, 0 failed"\nkill -TERM $$\nfinish')
        self.assertEqual(("4 passed, 1 failed", 130), (line, status))


class GoogleTest(unittest.TestCase):
    def test_counts_what_the_summary_counts(self):
        self.assertEqual(("12 passed, 0 failed", 0), googletest("[  PASSED  ] 12 tests."))
        self.assertEqual(("1 passed, 0 failed", 0), googletest("[  PASSED  ] 1 test."))
        self.assertEqual(("3 passed, 2 failed", 1), googletest(
            "[  FAILED  ] A.B (0 ms)", "[  PASSED  ] 3 tests.", "[  FAILED  ] 2 tests, listed below:", status=1))

    def test_a_program_that_crashes_has_failed(self):
        self.assertEqual(("0 passed, 1 failed", 139), googletest("[ RUN      ] A.B", status=139))


if __name__ == "__main__":
    unittest.main()
