#!/usr/bin/python3
"""tools/libgearman_names.py: names of headers that a page lacks, and names of a page that no header has."""

import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, "tools")
import libgearman_names  # pylint: disable=wrong-import-position

HEADERS = ["""
/* gearman_in_comment() */
typedef enum { GEARMAN_CLIENT_FAST= (1 << 0), GEARMAN_CLIENT_MAX = (1 << 1) } gearman_client_options_t;
typedef gearman_return_t (gearman_task_fn)(gearman_task_st *task);  // gearman_in_comment()
GEARMAN_API
  gearman_task_st *gearman_task_make(gearman_client_st *client,
                                     gearman_task_fn fn);
""", """
GEARMAN_API void gearman_task_free(gearman_task_st *);
#define gearman_string_size(X) (X).size
#define gearman_string_null NULL, 0
"""]
NAMES = {"GEARMAN_CLIENT_FAST", "GEARMAN_CLIENT_MAX", "gearman_task_make", "gearman_task_free", "gearman_string_size",
         "gearman_string_null"}


class LibgearmanNames(unittest.TestCase):
    def missing(self, page):
        return libgearman_names.missing(NAMES, page)

    def test_names_are_functions_macros_and_options(self):
        self.assertEqual(NAMES, libgearman_names.public_names(HEADERS))

    def test_a_page_has_each_name_as_code_and_in_full(self):
        page = "| `GEARMAN_CLIENT_FAST`, `GEARMAN_CLIENT_MAX` | x |\n```cpp\n```\n`gearman_task_make(c)` `gearman_string_*`\n"
        self.assertEqual(["gearman_task_free"], self.missing(page))
        self.assertEqual(["gearman_task_free"], self.missing(page + "gearman_task_free `_free`"))
        self.assertEqual([], self.missing(page + "`gearman_task_free`"))

    def test_a_page_without_a_family_lacks_all_names(self):
        self.assertEqual(sorted(NAMES), self.missing(""))

    def test_words_are_those_of_all_headers(self):
        self.assertLessEqual({"gearman_client_st", "gearman_task_free", "size"}, libgearman_names.words(HEADERS))


if __name__ == "__main__":
    unittest.main()
