#!/usr/bin/python3
"""How the public headers compile: as each C++ from 17 on, without exceptions, and, with one clear error, as an older one."""

import concurrent.futures
import os
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
ALL_COMPILERS = ("g++", "clang++")
COMPILERS = [compiler for compiler in ALL_COMPILERS if shutil.which(compiler)]
# Those that must be there, as .ci/run and tools/nightly install them. The others are skipped where they are missing.
NEEDED = os.environ.get("GEARMAN_SDK_COMPILERS", "g++").split()
FOLDERS = sorted({str(folder) for folder in pathlib.Path().glob("**/_virtual_includes/*")})
# Options of a program's compiler.
MODES = (["-std=c++17"], ["-std=c++20"], ["-std=c++2b"], ["-std=c++17", "-fno-exceptions"])
# Not installed (tools/cmake_lists).
NOT_FOR_USERS = re.compile(r"/internal/|/(?:guarded_data|start_thread)\.h$|sdk/embedded/(?!default_server|job_server)")
# Only for programs of C++20.
CPP20 = ("gearman/sdk/coroutines.h", "gearman/sdk/task.h", "gearman/sdk/worker_coroutines.h")
# Uses the templates in the headers.
PROGRAM = """
using namespace std::chrono_literals;
struct Text {
  std::string text;
};
template <>
struct gearman::DataTraits<Text> {
  static absl::Status Encode(const Text& text, std::string* bytes) {
    *bytes = text.text;
    return absl::OkStatus();
  }
  static absl::StatusOr<Text> Decode(std::string_view bytes) { return Text{std::string(bytes)}; }
};
absl::Status UseTyped(gearman::Worker& worker, gearman::Client& client) {
  absl::Status status = gearman::Register<Text, Text>(
      worker, std::string_view("typed"),
      [owned = std::make_unique<int>(1)](const Text& text) -> absl::StatusOr<Text> { return text; });
  status.Update(gearman::Run<Text>(client, std::string_view("typed"), Text()).status());
  return status;
}
absl::Status Use(gearman::Worker& worker, gearman::WorkerOptions& options) {
  options.drain_limit = 5s;
  worker.Drain(250ms);
  std::function<absl::StatusOr<std::string>(gearman::JobContext&)> copied = [](gearman::JobContext& context) {
    const std::string_view data = context.job().data();
    context.stop_token().WaitFor(1ms);
    context.stop_token().OnStop([owned = std::make_unique<int>(1)] {});
    return std::string(data);
  };
  absl::Status status = worker.Register(std::string_view("copied"), copied);
  status.Update(worker.RegisterAsync(std::string("moved"), [owned = std::make_unique<int>(1)](gearman::PendingJob job) {
    job.Finish(std::string(job.job().data()));
  }));
  status.Update(gearman::WorkerSignals::Create({&worker}, 1s).status());
  return status;
}
"""

COROUTINES = """
gearman::Task<absl::StatusOr<std::string>> Ask(gearman::Client& client, gearman::JobSpec spec) {
  co_return co_await gearman::Run(client, std::move(spec));
}
gearman::Task<absl::StatusOr<std::string>> Handle(gearman::PendingJob& job, std::stop_token) {
  co_return std::string(job.job().data());
}
absl::Status Use(gearman::Worker& worker, gearman::Client& client) {
  std::vector<gearman::Task<absl::StatusOr<std::string>>> tasks;
  tasks.push_back(Ask(client, {"a", "b"}));
  gearman::SyncWait(gearman::WhenAll(std::move(tasks)));
  return gearman::RegisterCoroutine(worker, "task", Handle);
}
"""


def public_headers():
    """All that a user may include, as gearman/..."""
    found = {str(path.relative_to(folder)) for folder in FOLDERS for path in pathlib.Path(folder).glob("gearman/**/*.h")}
    return sorted(header for header in found if not NOT_FOR_USERS.search(header))


def compile_text(compiler, options, text):
    """The status and the first error."""
    done = subprocess.run([compiler, *options, "-fsyntax-only", "-Wfatal-errors", *(f"-I{folder}" for folder in FOLDERS),
                           "-x", "c++", "-"],
                          input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, re.findall(r"error: .*", done.stdout)[:1]


def preprocessed_lines(compiler, headers):
    """Lines of code that a program with these headers compiles."""
    text = "".join(f'#include "{header}"\n' for header in headers)
    done = subprocess.run([compiler, "-std=c++17", "-E", *(f"-I{folder}" for folder in FOLDERS), "-x", "c++", "-"],
                          input=text, stdout=subprocess.PIPE, text=True, check=True)
    return sum(1 for line in done.stdout.splitlines() if line.strip() and not line.startswith("#"))


def compile_header(compiler, standard, header):
    """The first error of a program that includes this header alone."""
    return compile_text(compiler, [f"-std={standard}"], f'#include "gearman/{header}"\n')


class Cpp17(unittest.TestCase):
    def test_gcc_is_here(self):
        self.compiler_is_here("g++")

    def test_clang_is_here(self):
        self.compiler_is_here("clang++")

    def compiler_is_here(self, compiler):
        if compiler not in COMPILERS and compiler not in NEEDED:
            self.skipTest(f"no {compiler} compiles the headers: tools/install_packages clang")
        self.assertIn(compiler, COMPILERS)
        print(subprocess.run([compiler, "--version"], stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()[0])

    def test_no_other_compiler_is_needed(self):
        self.assertLessEqual(set(NEEDED), set(ALL_COMPILERS))

    def test_an_older_standard_is_the_first_error(self):
        for compiler in COMPILERS:
            for header in HEADERS:
                with self.subTest(compiler=compiler, header=header):
                    status, errors = compile_header(compiler, "c++14", header)
                    self.assertNotEqual(0, status)
                    self.assertIn("gearman_sdk needs C++17: compile with -std=c++17", errors[0])

    def test_all_headers_compile_for_each_kind_of_program(self):
        headers = public_headers()
        self.assertLess(80, len(headers))
        for header in ("reduce", "scheduler", "worker_signals"):
            self.assertIn(f"gearman/sdk/{header}.h", headers)
        for header in CPP20:
            headers.remove(header)
        text = "".join(f'#include "{header}"\n' for header in headers) + PROGRAM
        kinds = [(compiler, mode) for compiler in COMPILERS for mode in MODES]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = pool.map(lambda kind: compile_text(kind[0], [*kind[1], "-Wall", "-Wextra", "-Werror"], text), kinds)
        for kind, result in zip(kinds, done):
            with self.subTest(kind=kind):
                self.assertEqual((0, []), result)

    def test_coroutines_need_cpp20_and_no_exceptions(self):
        for compiler in COMPILERS:
            for header in CPP20:
                include = f'#include "{header}"\n'
                with self.subTest(compiler=compiler, header=header):
                    status, errors = compile_text(compiler, ["-std=c++17"], include)
                    self.assertNotEqual(0, status)
                    self.assertRegex(errors[0], r"needs C\+\+20: compile with -std=c\+\+20")
            text = "".join(f'#include "{header}"\n' for header in CPP20) + COROUTINES
            for mode in (["-std=c++20"], ["-std=c++2b"], ["-std=c++20", "-fno-exceptions"]):
                with self.subTest(compiler=compiler, mode=mode):
                    self.assertEqual((0, []), compile_text(compiler, [*mode, "-Wall", "-Wextra", "-Werror"], text))

    def test_client_h_is_light(self):
        abseil = ["absl/status/statusor.h", "absl/time/time.h", "absl/functional/any_invocable.h", "absl/types/span.h"]
        for compiler in COMPILERS:
            with self.subTest(compiler=compiler):
                added = (preprocessed_lines(compiler, [*abseil, "gearman/sdk/client.h"])
                         - preprocessed_lines(compiler, abseil))
                self.assertLess(0, added)
                self.assertLess(added, 4000)


if __name__ == "__main__":
    unittest.main()
