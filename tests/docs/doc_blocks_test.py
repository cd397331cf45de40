#!/usr/bin/python3
"""tools/doc_blocks.py and parse_blocks: what of a code block is refused, and where the message points."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, "tools")
import doc_blocks  # pylint: disable=wrong-import-position


def block(language, text, marker=None):
    above = "" if marker is None else f"<!-- block: {marker} -->\n"
    return f"{above}```{language}\n{text}```\n"


class DocBlocks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "tools").mkdir()
        (self.root / "tools/demo").write_text("#!/bin/sh\n")
        (self.root / "tools/BUILD.bazel").write_text('name = "demo"')
        (self.root / "a.cc").write_text("int a;\n\nvoid F() {\n  a = 1;\n  a = 2;\n}\n")

    def problems(self, text):
        return list(doc_blocks.problems("d.md", text, self.root))

    def assertRefused(self, text, line, part):
        found = self.problems(text)
        self.assertEqual(1, len(found), found)
        self.assertEqual(line, found[0][0])
        self.assertIn(part, found[0][1])

    def parse(self, text):
        (self.root / "parsed.json").write_text(json.dumps(doc_blocks.parsed(list(doc_blocks.blocks_of("d.md", text)))))
        done = subprocess.run(["tests/docs/parse_blocks", self.root / "parsed.json"], stdout=subprocess.PIPE, text=True,
                              check=False)
        said, last = done.stdout[:-1].rpartition("\n")[::2]
        self.assertRegex(last, r"^\d+ blocks and lines, \d+ wrong$")
        self.assertEqual(1 if said else 0, done.returncode)
        return said

    def test_needs_a_language_that_is_known(self):
        self.assertRefused("Text.\n" + block("", "x\n"), 2, "without a language")
        self.assertRefused(block("perl", "x\n"), 1, "perl")
        self.assertEqual([], self.problems(block("text", "x\n")))

    def test_a_block_has_an_end(self):
        self.assertRefused("```text\nx\n", 1, "without an end")

    def test_a_marker_is_known_and_stands_above_a_block(self):
        self.assertRefused(block("cpp", "x\n", "fil a.cc"), 2, "no marker")
        self.assertRefused(block("sh", "tools/demo\n", "message a.B"), 2, "no marker")
        self.assertRefused("<!-- block: file a.cc -->\n\n" + block("text", "x\n"), 1, "without a block")

    def test_a_file_is_shown_word_for_word(self):
        text = (self.root / "a.cc").read_text()
        self.assertEqual([], self.problems(block("cpp", text, "file a.cc")))
        self.assertRefused(block("cpp", text + "\n", "file a.cc"), 3, "is not a.cc")
        self.assertRefused(block("cpp", text, "file b.cc"), 3, "no b.cc")

    def test_a_part_of_a_file_is_whole_lines_in_a_row(self):
        self.assertEqual([], self.problems(block("cpp", "a = 1;\na = 2;\n", "part of a.cc")))
        self.assertRefused(block("cpp", "a = 2;\na = 1;\n", "part of a.cc"), 3, "has no lines")
        self.assertRefused(block("cpp", "a = 2;\n// ...\na = 1;\n", "part of a.cc"), 3, "a = 1;")
        self.assertRefused(block("cpp", "= 1;\n", "part of a.cc"), 3, "has no lines")
        self.assertEqual([], self.problems(block("cpp", "a = 1;\n// ...\na = 2;\n", "part of a.cc")))

    def test_reads_python_ini_and_json(self):
        self.assertRefused(block("python", "a = 1\na b\n"), 3, "syntax")
        self.assertRefused(block("ini", "[a]\nno value\n"), 2, "parsing errors")
        self.assertRefused(block("json", "{a}\n"), 2, "property name")
        self.assertEqual([], self.problems(block("ini", "a = 1\n[b]\nc=2\nc=3\n") + block("json", "{}\n")))

    def test_cmake_is_part_of_what_is_built(self):
        self.assertRefused(block("cmake", "project(a)\n"), 1, "part of")
        self.assertEqual([], self.problems(block("cmake", "project(a)\n", "recipe CMakeLists.txt")))

    def test_reads_shells(self):
        self.assertEqual([], self.problems(block("bash", "tools/demo | cat # all\nbazel run //tools:demo -- -x\n")))
        self.assertRefused(block("bash", "if true\n"), 2, "syntax error")
        self.assertRefused(block("sh", "true\ntools/gone --x\n"), 3, "no tools/gone")
        self.assertRefused(block("sh", "bazel build //tools:gone\n"), 2, "no //tools:gone")
        self.assertRefused(block("console", "output\n$ tools/gone\n"), 3, "no tools/gone")
        self.assertRefused(block("console", "output\n"), 2, "no line")

    def test_finds_calls_of_gearctl_in_any_command(self):
        text = block("bash", 'a | gearctl submit t --lines >f 2>&1 &\nX=1 gearctl work t -- sh -c "a | b" # c\n'
                             "source <(gearctl completion bash)\ngearctl ping && (gearctl \\\n  status)\n")
        calls = [words for found in doc_blocks.blocks_of("d.md", text) for _, words in doc_blocks.gearctl_calls(found)]
        self.assertEqual([["submit", "t", "--lines"], ["work", "t", "--", "sh", "-c", "a | b"], ["completion", "bash"],
                          ["ping"], ["status"]], calls)

    def test_gearctl_refuses_flags_and_values_that_it_has_not(self):
        self.assertEqual("", self.parse(block("console", "$ gearctl bench --in-flight 5\nx\n$ gearctl help submit\n")))
        self.assertIn("d.md:3: ", self.parse(block("bash", "true\ngearctl submit t --in-fligth 5\n")))
        self.assertIn("--timeout", self.parse(block("bash", "gearctl ping --timeout=5\n")))
        self.assertIn("no subcommand sumbit", self.parse(block("bash", "gearctl sumbit t\n")))

    def test_configs_are_checked_with_their_values(self):
        self.assertEqual("", self.parse(block("textproto", 'servers: "a"\nmetrics { prometheus { listen: "127.0.0.1:1" } }\n')))
        self.assertIn("timeouts.connect", self.parse(block("textproto", 'timeouts { connect: "5" }\n')))
        self.assertIn("zlevel", self.parse(block("textproto", "encoders { zlib { zlevel: 9 } }\n",
                                                 "message gearman.config.DataEncoding")))
        self.assertIn("no message a.B", self.parse(block("textproto", "", "message a.B")))

    def test_a_compiler_names_the_line_of_the_document(self):
        text = ("# Title\n" + block("cpp", "#include <string>\nstd::string a;\n") +
                block("cpp", "return b;\n", "in\n#include <vector>\nint F(int b) {\n...\n}\n"))
        source = doc_blocks.cpp_source(list(doc_blocks.blocks_of("d.md", text)))
        def compiled(source):
            return subprocess.run(["g++", "-std=c++17", "-fsyntax-only", "-Wall", "-x", "c++", "-"], input=source,
                                  stderr=subprocess.PIPE, text=True, check=False).stderr
        self.assertEqual("", compiled(source))
        self.assertIn("d.md:4:6: error", compiled(source.replace("std::string a;", "std::strin a;")))
        self.assertIn("d.md:13:8: error", compiled(source.replace("return b", "return c")))
        self.assertIn("d.md:8:7: error", compiled(source.replace("int b", "in b")))


if __name__ == "__main__":
    unittest.main()
