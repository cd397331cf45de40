#!/usr/bin/python3
"""base/cpp17.h: what a program hears that is compiled as a C++ older than 17, whichever header it includes."""

import pathlib
import re
import shutil
import subprocess
import unittest

# The headers that README names, and some that come before them in the order of names.
HEADERS = (
    "sdk/client.h",
    "sdk/worker.h",
    "sdk/admin_client.h",
    "sdk/config.h",
    "sdk/queue_metrics.h",
    "sdk/embedded/job_server.h",
    "sdk/testing/simulation.h",
    "sdk/plugin_library.h",
    "sdk/version.h",
    "codecs/priority.h",
    "plugins/metrics/metrics_sink.h",
    "plugins/registry.h",
    "transports/transport_factory.h",
)
COMPILERS = [compiler for compiler in ("g++", "clang++") if shutil.which(compiler)]
FOLDERS = sorted({str(folder) for folder in pathlib.Path().glob("**/_virtual_includes/*")})


def compile_header(compiler, standard, header):
    """The first error of a program that includes this header alone."""
    done = subprocess.run([compiler, f"-std={standard}", "-fsyntax-only", "-Wfatal-errors",
                           *(f"-I{folder}" for folder in FOLDERS), "-x", "c++", "-"],
                          input=f'#include "gearman/{header}"\n', stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, re.findall(r"error: .*", done.stdout)[:1]


class Cpp17(unittest.TestCase):
    def test_an_older_standard_is_the_first_error(self):
        self.assertTrue(COMPILERS)
        for compiler in COMPILERS:
            for header in HEADERS:
                with self.subTest(compiler=compiler, header=header):
                    status, errors = compile_header(compiler, "c++14", header)
                    self.assertNotEqual(0, status)
                    self.assertIn("gearman_sdk needs C++17: compile with -std=c++17", errors[0])

    def test_no_error_is_left_with_cpp17(self):
        for compiler in COMPILERS:
            with self.subTest(compiler=compiler):
                self.assertEqual((0, []), compile_header(compiler, "c++17", "sdk/client.h"))


if __name__ == "__main__":
    unittest.main()
