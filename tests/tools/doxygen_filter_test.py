#!/usr/bin/python3
"""tools/doxygen_filter.py: which comment documents which declaration."""

import pathlib
import subprocess
import tempfile
import os
import unittest

HEADER = """// Thing: has a name.
//
//   Thing thing;
//   thing.Use(<name>);
#ifndef GEARMAN_SDK_THING_H_
#define GEARMAN_SDK_THING_H_

namespace gearman {

class Other;

class Thing {
 public:
  Thing() = default;
  Thing(const Thing&) = delete;
  // Uses `a_b<T>` and *nothing.
  void Use(int name);
  int count = 0;  // of uses
                  // so far

  // --- more ---
  // Each of these is one.
  int first() const {
    // No documentation.
    return 1;
  }
  int second() const;

  // Stands alone.

  enum class Kind { kOne, kTwo };
};

namespace inner {
struct Thing;
// Makes a thing.
template <typename T>
T Make(T initial = {});
}  // namespace inner

}  // namespace gearman

#endif  // GEARMAN_SDK_THING_H_
"""


class DoxygenFilter(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name, "thing.h")
        path.write_text(HEADER)
        self.printed = subprocess.run(["tools/doxygen_filter.py", path], stdout=subprocess.PIPE, text=True,
                                      check=True).stdout
        self.lines = self.printed.splitlines()

    def line_with(self, text):
        return next(number for number, line in enumerate(self.lines) if text in line)

    def test_every_declaration_keeps_its_line(self):
        for text in ("class Thing {", "void Use(int name);", "int second() const;", "T Make(T initial"):
            self.assertEqual(HEADER.splitlines().index(next(l for l in HEADER.splitlines() if text in l)),
                             self.line_with(text))

    def test_the_head_documents_the_file_and_the_class_of_its_name(self):
        self.assertEqual(["/*! \\file", "Thing: has a name."], self.lines[:2])
        self.assertIn("\\verbatim   Thing thing;\n  thing.Use(<name>); \\endverbatim */", self.printed)
        self.assertIn("/*! \\class gearman::Thing\nThing: has a name.", self.printed)

    def test_prose_has_no_commands(self):
        self.assertIn("/*! Uses <code>a\\_b\\<T\\></code> and \\*nothing. */", self.printed)

    def test_a_comment_behind_a_declaration_documents_it(self):
        self.assertIn("int count = 0;  /*!< of uses\nso far */", self.printed)

    def test_a_comment_documents_all_declarations_below_it(self):
        begin = self.line_with("Each of these is one.")
        self.assertTrue(self.lines[begin].startswith("/*!@{*/"))
        self.assertEqual(self.line_with("int second() const;") + 1, self.line_with("/*!@}*/"))
        self.assertNotIn("--- more", self.printed)

    def test_leaves_out_what_has_nothing_to_say(self):
        for text in ("class Other;", "struct Thing;", "= delete", "= default", "GEARMAN_SDK_THING_H_", "/*! No documentation",
                     "Stands alone"):
            self.assertNotIn(text, self.printed)


if __name__ == "__main__":
    unittest.main()
