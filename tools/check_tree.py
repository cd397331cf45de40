"""What the checks of tools/check share: the files that git knows, their texts, and the list of checks."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Workspaces of their own, which may be written in another style.
DEPENDENTS = ("tests/consumer/", "examples/custom_retry_plugin/")
CHECKS = {}
# What a check could not look at on this machine. tools/check prints it, and it fails nothing.
NOTES = []


def check(function):
    """Registers a check: a generator of problems, its first line of documentation the rule."""
    CHECKS[function.__name__] = function
    return function


def tracked_files():
    """What git knows, or, outside a checkout, every file."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            text=True, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.split("\0") if name]
    else:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
    return sorted(name for name in names if (ROOT / name).is_file() and not name.startswith((".bazel/", "bazel-")))


FILES = tracked_files()
TEXT = {}
for _name in FILES:
    try:
        TEXT[_name] = (ROOT / _name).read_text()
    except UnicodeDecodeError:
        pass  # a picture, a recorded stream of bytes
SOURCES = [name for name in TEXT if name.endswith((".h", ".cc"))]


def places(names, pattern):
    """(file, line number, match) of each match of a pattern."""
    compiled = re.compile(pattern)
    for name in names:
        for number, line in enumerate(TEXT[name].splitlines(), 1):
            for match in compiled.finditer(line):
                yield name, number, match


def includes(names):
    for name, number, match in places(names, r'^\s*#\s*include\s+"([^"]+)"'):
        yield name, number, match[1]
