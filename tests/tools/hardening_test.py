#!/usr/bin/python3
"""Looks in a program for the options against mistakes in memory (bazel/hardening.bzl). It must be built with -c opt.

  tests/tools/hardening_test.py --test=PROGRAM   fails if the program lacks one
  tests/tools/hardening_test.py PROGRAM...       says of each what it lacks
"""

import re
import subprocess
import sys
import unittest


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env={"LC_ALL": "C"}).stdout


class Program:
    def __init__(self, path):
        self.path = path
        self.header = run("/usr/bin/readelf", "--wide", "--file-header", path)
        self.segments = run("/usr/bin/readelf", "--wide", "--segments", path)
        self.dynamic = run("/usr/bin/readelf", "--wide", "--dynamic", path)
        self.symbols = run("/usr/bin/readelf", "--wide", "--dyn-syms", path)
        self.code = run("/usr/bin/objdump", "--disassemble", "--no-show-raw-insn", path)

    def code_at(self, address):
        """The code from that address on. Without symbols, objdump may read `code` at wrong boundaries."""
        return run("/usr/bin/objdump", "--disassemble", "--no-show-raw-insn", f"--start-address={address:#x}",
                   f"--stop-address={address + 64:#x}", self.path).partition(">:\n")[2]


def is_position_independent(program):
    return "DYN (" in program.header and re.search(r"\(FLAGS_1\).*\bPIE\b", program.dynamic)


def makes_its_tables_read_only_before_it_starts(program):
    return "GNU_RELRO" in program.segments and re.search(r"\(FLAGS_1\).*\bNOW\b", program.dynamic)


def has_no_executable_stack(program):
    flags = re.search(r"GNU_STACK\s+(?:0x\w+\s+){5}([RWE ]+?)\s+0x", program.segments)
    return flags and "E" not in flags[1]


def has_no_page_to_write_and_execute(program):
    loads = re.findall(r"LOAD\s+(?:0x\w+\s+){5}([RWE ]+?)\s+0x", program.segments)
    return loads and not any("W" in flags and "E" in flags for flags in loads)


def has_no_relocations_in_its_code(program):
    return "TEXTREL" not in program.dynamic


def has_canaries(program):
    return "__stack_chk_fail" in program.symbols


def calls_functions_that_know_sizes(program):
    return re.search(r"\bUND __(?!stack)\w+_chk@", program.symbols)


def probes_large_frames(program):
    # Each page of a large frame is touched: `orq $0x0,(%rsp)` by GCC, `movq $0x0,(%rsp)` by Clang.
    return re.search(r"sub +\$0x1000,%rsp\n.*\b(?:or|mov)q +\$0x0,\(%rsp\)", program.code)


def marks_where_jumps_may_end(program):
    # A stripped program has no name of main: the code that it starts with passes main's address on.
    entry = re.search(r"Entry point address:\s+0x(\w+)", program.header)[1]
    main = re.search(r"(?:lea .*\(%rip\),%rdi +# |mov +\$0x)(\w+)", program.code_at(int(entry, 16)))
    return main and re.match(r" *\w+:\tendbr64", program.code_at(int(main[1], 16)))


CHECKS = [is_position_independent, makes_its_tables_read_only_before_it_starts, has_no_executable_stack,
          has_no_page_to_write_and_execute, has_no_relocations_in_its_code, has_canaries,
          calls_functions_that_know_sizes]
CHECKS_X86 = [probes_large_frames, marks_where_jumps_may_end]


def lacks(path):
    program = Program(path)
    x86 = "X86-64" in program.header
    return [check.__name__ for check in CHECKS + (CHECKS_X86 if x86 else []) if not check(program)]


class Hardening(unittest.TestCase):
    program = None

    def test_the_program_lacks_nothing(self):
        self.assertEqual(lacks(self.program), [])


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].startswith("--test="):
        Hardening.program = sys.argv.pop(1)[len("--test="):]
        unittest.main()
    for name in sys.argv[1:]:
        print(name, *lacks(name))
