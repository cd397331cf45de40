#!/usr/bin/python3
"""tools/prose.py: how comments begin, and names that do not exist."""

import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, "tools")
import prose  # pylint: disable=wrong-import-position

TREE = {"a/b_test.cc": "void DoThing(int reply_timeout);  // of MadeUpName\n", "sdk/config.proto": "", "sdk/client/told_call.h": "",
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

    def test_a_name_in_snake_case_is_in_the_code(self):
        # Written apart, so that this file has no such name.
        wrong = "reply_" + "timout"
        self.assertEqual([wrong], self.names("docs/x.md", f"`reply_timeout` `timeouts.{wrong}` {wrong}"))
        self.assertEqual([wrong.upper()], self.names("docs/x.md", f"`{wrong.upper()}`"))
        # A name of another library, a path, the beginning of names, and names of libgearman, which has a check of its own.
        self.assertEqual([], self.names("docs/x.md", f"`max_retries` `x/{wrong}` `{wrong}_*` `gearman_{wrong}`"))
        self.assertEqual([], self.names("a.h", f"// The {wrong}.\n"))

    def test_an_anchor_is_a_section(self):
        texts = {"docs/x.md": "# X\n\n## How `it_ends`, or not?\n## Twice\n## Twice\n```text\n# Output\n```\n",
                 "docs/y.md": "[a](x.md#how-it_ends-or-not) [b](x.md#twice-1) [c](#y) [d](../docs/x.md#gone)\n# Y\n"
                              "[e](#twice) [f](x.md#output) [g](https://a.b/c.md#gone)\n```text\n[h](#gone)\n```\n"}
        self.assertEqual([(1, "no section #gone in docs/x.md"), (3, "no section #twice in docs/y.md"),
                          (3, "no section #output in docs/x.md")], list(prose.anchor_problems("docs/y.md", texts)))

    def test_links_to_other_sites_have_a_date(self):
        for link in ("[a](https://a.b/c)", "[a]: https://a.b/c#L1", "<https://a.b/c>"):
            self.assertEqual([2], [line for line, _ in prose.outside_problems(f"# X\n{link}\n")], link)
            for date in ("as it was read on 2026-11-30.", "Links to other sites are of 2026-11-30."):
                self.assertEqual([], list(prose.outside_problems(f"# X\n{link}\n{date}\n")), link)
        self.assertEqual([], list(prose.outside_problems("[a](http://a.b/) [b](c.md) [c](https://a.b)\n")))
        self.assertEqual([], list(prose.outside_problems("```text\n<https://a.b/c>\n```\n")))

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
