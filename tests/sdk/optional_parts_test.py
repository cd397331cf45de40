#!/usr/bin/python3
"""A program that links //sdk:client alone carries none of the optional parts: not their code, and not their libraries. One with a config carries only what a config can make."""

import re
import subprocess
import unittest

PROGRAM = "tests/sdk/client_alone"
WITH_CONFIG = "tests/sdk/config_alone"
# Bytes of text and data, as size(1) tells them. GCC 12 of Debian 12 makes 2,360,000 without optimisation and 635,000 with
# it. Without it the scheduler adds 216,000, queue metrics 465,000 and job retry 1,360,000, so each of them breaks the
# limit. Futures and coroutines add 60,000 or so, and only their names show them.
MOST_BYTES = 2_480_000


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env={"LC_ALL": "C"}).stdout


class OptionalParts(unittest.TestCase):
    def test_their_libraries_are_not_needed(self):
        dynamic = run("/usr/bin/readelf", "--wide", "--dynamic", PROGRAM)
        self.assertIn("(NEEDED)", dynamic)
        for library in ("libz.", "libzstd.", "libcrypto.", "libssl.", "libprotobuf.", "libprometheus-cpp"):
            self.assertNotIn(library, dynamic)

    def test_their_code_is_not_there(self):
        names = run("/usr/bin/nm", "--demangle", PROGRAM)
        self.assertIn("gearman::Client::Create", names)
        for name in ("DataEncoder", "EncoderStack", "gearman::internal::EncodeMessage", "gearman::Scheduler", "gearman::JobRetry",
                     "EnvelopeEncoder", "gearman::QueueMetrics", "gearman::Mapper", "gearman::Aggregator", "MapRun",
                     "gearman::PrometheusMetrics", "prometheus::", "gearman::Async", "gearman::Task<", "gearman::Call::"):
            self.assertNotIn(name, names)

    def test_a_config_brings_no_part_that_it_does_not_make(self):
        names = run("/usr/bin/nm", "--demangle", WITH_CONFIG)
        self.assertIn("gearman::Config::ToJobRetryBackoff", names)
        for name in ("gearman::JobRetry", "gearman::internal::JobRetryCore", "gearman::Scheduler", "gearman::Mapper",
                     "gearman::PrometheusMetrics", "gearman::Async", "gearman::Task<"):
            self.assertNotIn(name, names)

    def test_it_is_as_small_as_a_client(self):
        compilers = run("/usr/bin/readelf", "--string-dump=.comment", PROGRAM)
        if "GCC: (Debian 12." not in compilers or "clang" in compilers:
            self.skipTest("the limit holds for GCC 12 of Debian")
        if re.search("__asan_|__tsan_|__ubsan_|__llvm_profile_", run("/usr/bin/nm", PROGRAM)):
            self.skipTest("a sanitizer, or coverage, is in the program")
        text, data = run("/usr/bin/size", PROGRAM).splitlines()[1].split()[:2]
        self.assertLess(int(text) + int(data), MOST_BYTES)


if __name__ == "__main__":
    unittest.main()
