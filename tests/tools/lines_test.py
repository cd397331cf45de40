#!/usr/bin/python3
"""tools/lines: which lines are code."""

import importlib.machinery
import importlib.util
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, "tools")  # where cpp_text.py is, seen from the test's folder
loader = importlib.machinery.SourceFileLoader("lines", "tools/lines")
lines = importlib.util.module_from_spec(importlib.util.spec_from_loader("lines", loader))
loader.exec_module(lines)


class LinesOfCode(unittest.TestCase):
    def test_blank_lines_and_comments_do_not_count(self):
        self.assertEqual(lines.lines_of_code("// one\n\n  \n/* two\n three */\n"), 0)

    def test_a_line_with_code_and_a_comment_counts(self):
        self.assertEqual(lines.lines_of_code("int a;  // one\n/* two */ int b; /*\n three */\n"), 2)

    def test_a_comment_sign_in_a_literal_is_none(self):
        self.assertEqual(lines.lines_of_code('f("http://a", \'"\', "/*");\nint b;\nf("*/");\n'), 3)

    def test_an_escaped_quote_does_not_end_a_string(self):
        self.assertEqual(lines.lines_of_code('f("\\"//");\ng("\\\\");  // "\n// h("\n'), 2)

    def test_each_line_of_a_raw_string_counts(self):
        self.assertEqual(lines.lines_of_code('f(R"x(\n// "text")"\n)x");\n'), 3)

    def test_a_sign_between_digits_begins_no_character(self):
        self.assertEqual(lines.lines_of_code("int a = 1'000;\n// it's\nint b = 1'000'000;\n"), 2)


if __name__ == "__main__":
    unittest.main()
