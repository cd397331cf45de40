#!/usr/bin/python3
"""A program that links //sdk:client alone carries none of the optional parts: not their code, and not their libraries."""

import subprocess
import unittest

PROGRAM = "tests/sdk/client_alone"


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env={"LC_ALL": "C"}).stdout


class OptionalParts(unittest.TestCase):
    def test_their_libraries_are_not_needed(self):
        dynamic = run("/usr/bin/readelf", "--wide", "--dynamic", PROGRAM)
        self.assertIn("(NEEDED)", dynamic)
        for library in ("libz.", "libzstd.", "libcrypto.", "libssl.", "libprotobuf."):
            self.assertNotIn(library, dynamic)

    def test_their_code_is_not_there(self):
        names = run("/usr/bin/nm", "--demangle", PROGRAM)
        self.assertIn("gearman::Client::Create", names)
        for name in ("DataEncoder", "EncoderStack", "gearman::internal::EncodeMessage", "gearman::Scheduler", "gearman::JobRetry",
                     "EnvelopeEncoder", "gearman::QueueMetrics", "gearman::Mapper", "gearman::Aggregator", "MapRun"):
            self.assertNotIn(name, names)


if __name__ == "__main__":
    unittest.main()
