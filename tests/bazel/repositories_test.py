#!/usr/bin/python3
"""bazel/repositories.bzl: what a person reads whose system lacks one of Debian's packages, and when nothing is lacking."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

WORKSPACE = """
local_repository(name = "gearman_sdk", path = "{sdk}")
{before}
load("@gearman_sdk//bazel:repositories.bzl", "gearman_sdk_repositories")
gearman_sdk_repositories({arguments})
"""
ELSEWHERE = "use Bazel 7.2.1 or later without a WORKSPACE, so that gearman_sdk's MODULE.bazel brings the dependencies"


class Repositories(unittest.TestCase):
    """One Bazel for each workspace, as it fetches a repository once."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.folder = pathlib.Path(folder.name)
        self.addCleanup(folder.cleanup)
        for name in ("sdk", "workspace", "home"):
            (self.folder / name).mkdir()
        shutil.copytree("bazel", self.folder / "sdk/bazel")
        (self.folder / "sdk/WORKSPACE").write_text('workspace(name = "gearman_sdk")\n')
        (self.folder / "workspace/BUILD.bazel").write_text("")
        self.environment = {"HOME": str(self.folder / "home"), "USER": "nobody", "PATH": os.environ["PATH"],
                            "LANG": "C.UTF-8"}
        self.bazel_path = shutil.which("bazel")

    def workspace(self, arguments="", before=""):
        (self.folder / "workspace/WORKSPACE").write_text(
            WORKSPACE.format(sdk=self.folder / "sdk", arguments=arguments, before=before))

    def bazel(self, *words, **environment):
        return subprocess.run(
            [self.bazel_path, "--batch", f"--output_user_root={self.folder}/bazel", "--host_jvm_args=-Xmx256m", *words],
            cwd=self.folder / "workspace", env={**self.environment, **environment}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, check=False)

    def query(self, *targets, **environment):
        return self.bazel("query", "--keep_going", " + ".join(targets), **environment)

    def test_each_missing_rule_set_is_named_with_its_package_and_the_other_ways(self):
        missing = self.folder / "missing"
        self.workspace(arguments=f'debian_bazel = "{missing}"')
        packages = {
            "rules_cc": ("//cc", "rules/cc", "bazel-rules-cc"),
            "rules_java": ("//java", "rules/java", "bazel-rules-java"),
            "rules_proto": ("//proto", "rules/proto", "bazel-rules-proto"),
            "bazel_skylib": ("//lib", "tools/skylib", "bazel-skylib"),
            "platforms": ("//cpu", "tools/platforms", "bazel-platforms"),
        }
        done = self.query(*(f"@{name}{package}:all" for name, (package, _, _) in packages.items()))
        self.assertNotEqual(0, done.returncode)
        for name, (_, folder, package) in packages.items():
            self.assertIn(f"@{name}: there is no {missing}/{folder}.", done.stderr)
            self.assertIn(f"On Debian 12 or 13: apt-get install {package}\n", done.stderr)
            self.assertIn(f"declare a repository {name} of your own", done.stderr)
        self.assertIn(ELSEWHERE, done.stderr)

    def test_a_missing_library_is_named_with_its_package(self):
        self.workspace()
        empty = self.folder / "empty"
        empty.mkdir()
        done = self.query("@openssl//:all", "@com_google_absl//absl/status:all", PKG_CONFIG_LIBDIR=str(empty))
        self.assertNotEqual(0, done.returncode)
        self.assertRegex(done.stderr, r"@openssl: pkg-config knows no (openssl|libcrypto) \(")
        self.assertIn("apt-get install libssl-dev\n", done.stderr)
        self.assertIn("@com_google_absl: pkg-config knows no absl_", done.stderr)
        self.assertIn("apt-get install libabsl-dev\n", done.stderr)
        self.assertIn(ELSEWHERE, done.stderr)

    def test_a_missing_pkg_config_is_named(self):
        self.workspace()
        programs = self.folder / "programs"
        programs.mkdir()
        for folder in os.environ["PATH"].split(":"):
            for path in pathlib.Path(folder).glob("*"):
                if "pkg" not in path.name and not os.path.lexists(programs / path.name):
                    (programs / path.name).symlink_to(path)
        done = self.query("@openssl//:all", PATH=str(programs))
        self.assertNotEqual(0, done.returncode)
        self.assertIn("@openssl: there is no program pkg-config.", done.stderr)
        self.assertIn("apt-get install pkg-config libssl-dev\n", done.stderr)

    def test_a_repository_of_the_dependents_own_needs_no_package(self):
        own = self.folder / "own"
        own.mkdir()
        (own / "WORKSPACE").write_text("")
        (own / "BUILD.bazel").write_text('filegroup(name = "own")\n')
        self.workspace(arguments=f'debian_bazel = "{self.folder}/missing"',
                       before=f'local_repository(name = "platforms", path = "{own}")')
        done = self.query("@platforms//:own")
        self.assertEqual((0, "@platforms//:own\n"), (done.returncode, done.stdout), done.stderr)

    def test_nothing_is_said_where_debians_packages_are(self):
        self.workspace()
        done = self.query("@platforms//cpu:x86_64", "@openssl//:ssl")
        self.assertEqual((0, {"@platforms//cpu:x86_64", "@openssl//:ssl"}), (done.returncode, set(done.stdout.split())),
                         done.stderr)


if __name__ == "__main__":
    unittest.main()
