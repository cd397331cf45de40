#!/usr/bin/python3
"""tools/prose.py: how comments begin, and names that do not exist."""

import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, "tools")
import prose  # pylint: disable=wrong-import-position

TREE = {"a/b_test.cc": "void DoThing();  // of MadeUpName\n", "sdk/config.proto": "", "sdk/client/told_call.h": "",
        "docs/x.md": "`OnlyHere`"}


class Prose(unittest.TestCase):
    def comments(self, text, public=False):
        return [line for line, _ in prose.comment_problems(text, public)]

    def names(self, name, text):
        return [what.split(" ")[1] for _, what in prose.name_problems(name, text, prose.words_of_code(TREE), set(TREE))]

    def test_a_comment_begins_with_its_subject(self):
        self.assertEqual([1], self.comments("// Which thread.\nint a;\n"))
        self.assertEqual([], self.comments("// The thread. It\n// Which.\n"))

    def test_a_comment_begins_with_no_pronoun(self):
        for opener in ("It runs.", "Its size.", "Those of b.", "One that runs.", "So many.", "Also b.", "Otherwise b ends."):
            self.assertEqual([1], self.comments(f"// {opener}\n"), opener)
        self.assertEqual([2], self.comments("  a();\n  // They run.\n"))
        self.assertEqual([], self.comments("a();  // its size\n"))

    def test_a_comment_begins_with_no_pronoun_that_lacks_its_noun(self):
        for opener in ("This can't fail.", "These two show it.", "Each of them runs.", "Each wants one.", "Both, in order.",
                       "All are asleep.", "All together end.", "Another one would end it."):
            self.assertEqual([1], self.comments(f"// {opener}\n"), opener)
        for opener in ("This thread runs.", "These two functions run.", "Each of the two runs.", "Each call follows.",
                       "All that was sent.", "One of the requests.", "Both ends of it.", "Some bits mean nothing."):
            self.assertEqual([], self.comments(f"// {opener}\n"), opener)

    def test_a_public_header_has_no_telegrams(self):
        self.assertEqual([1], self.comments("// The limit. 0: no limit.\n", public=True))
        self.assertEqual([], self.comments("// The limit. 0 means no limit.\n", public=True))
        self.assertEqual([], self.comments("// The limit. 0: no limit.\n"))
        for telegram in ("Empty if none.", "Null unless set.", "Valid as long\n// as this.", "Called once.", "Any\n// thread."):
            self.assertEqual([1], self.comments(f"// The name. {telegram}\n", public=True), telegram)
        for sentence in ("Empty means any.", "It is empty.", "Any thread may call it.", "Null means\n// none."):
            self.assertEqual([], self.comments(f"// The name. {sentence}\n", public=True), sentence)

    def test_no_part_of_a_program_is_a_person(self):
        self.assertEqual([2], self.comments("// The thread\n// asks whoever waits.\n"))

    def test_a_name_is_in_the_code(self):
        self.assertEqual(["MadeUpName"], self.names("a.h", "// Calls DoThing and MadeUpName, and Plain.\n"))
        self.assertEqual(["OnlyHere"], self.names("docs/x.md", "OtherWord `OnlyHere` `DoThing`"))

    def test_a_path_is_in_the_tree(self):
        self.assertEqual(["sdk/gone.h"], self.names("a.h", "// See sdk/gone.h, sdk/config.pb.h and other/gone.h.\n"))
        self.assertEqual(["docs/y.md"], self.names("docs/x.md", "`docs/x.md` `docs/y.md` `sdk/told_call` `sdk/client/`"))

    def test_a_decision_has_paths_of_today(self):
        text = "`GoneName` was in `sdk/gone.h`, and is in `sdk/client/told_call.h`."
        self.assertEqual([(1, "no sdk/gone.h")], list(prose.path_problems("docs/decisions/x.md", text, set(TREE))))

    def test_a_section_is_in_its_document(self):
        texts = {"docs/x.md": "# X\n\n## How it ends\n## TLS\n"}
        comment = '// Ends (docs/x.md, section "How it\n  // ends"). See docs/x.md, sections "TLS" and "Gone".\n'
        self.assertEqual([(2, 'no section "Gone" in docs/x.md')], list(prose.section_problems("int a;\n  " + comment, texts)))


if __name__ == "__main__":
    unittest.main()
