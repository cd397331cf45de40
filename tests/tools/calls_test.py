#!/usr/bin/python3
"""tools/calls: which calls of a job count, and what it reads in the source."""

import importlib.machinery
import importlib.util
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, "tools")  # where cpp_text.py is, seen from the test's folder
loader = importlib.machinery.SourceFileLoader("calls", "tools/calls")
calls = importlib.util.module_from_spec(importlib.util.spec_from_loader("calls", loader))
loader.exec_module(calls)


def statements(text, name, line=1):
    return calls.statements_of_function(calls.cpp_text.without_comments_and_strings(text), line, name)


class Statements(unittest.TestCase):
    def test_of_short_functions(self):
        self.assertEqual(statements("void A::f() {}", "f"), 0)
        self.assertEqual(statements("int f() const { return g(1, 2); }", "f"), 1)
        self.assertEqual(statements("int f() { a(); return b; }", "f"), 2)

    def test_a_branch_or_loop_is_one(self):
        self.assertEqual(statements("int f() { if (a) return b; }", "f"), 2)
        self.assertEqual(statements("int f() { for (int i = 0; i < n; ++i) g(i); }", "f"), 2)

    def test_those_of_lambdas_within_count(self):
        self.assertEqual(statements("void f() { g([] { a(); b(); }); }", "f"), 3)

    def test_signs_in_comments_and_literals_are_none(self):
        self.assertEqual(statements("int f() { /* ; } */ return g(\";}\", ';'); }", "f"), 1)

    def test_members_are_initialised_before_the_body(self):
        self.assertEqual(statements("A::A(int b) : Base(b), c_{b}, d_(std::move(b)) { g(); }", "A"), 1)
        self.assertEqual(statements("A() : a_([] { return 1; }) {}", "A"), 0)

    def test_a_head_of_several_lines_is_found_from_its_last(self):
        text = "int other() { a(); b(); c(); }\nint f(int a,\n      int b) const\n    noexcept(true) {\n  return a;\n}\n"
        for line in (2, 3, 4):
            self.assertEqual(statements(text, "f", line), 1)

    def test_what_the_compiler_makes_has_none(self):
        text = "struct A {\n  A() = default;\n  ~A();\n  int b() { return 1; }\n};\nA::~A() = default;\n"
        self.assertIsNone(statements(text, "A", 1))
        self.assertIsNone(statements(text, "A", 2))
        self.assertIsNone(statements(text, "~A", 6))
        self.assertIsNone(statements(text, "operator=", 1))

    def test_a_lambda_is_found_by_its_captures(self):
        text = "void f() {\n  int a[2];\n  g([&](int b) -> int {\n    c();\n    return a[b];\n  });\n}\n"
        self.assertEqual(statements(text, "{lambda}", 3), 2)
        self.assertIsNone(statements(text, "{lambda}", 2))


class SimpleName(unittest.TestCase):
    def test_is_without_scope_templates_and_parameters(self):
        for demangled, name in {
                "gearman::Client::SubmitJob(std::vector<int>, A (*)(B))": "SubmitJob",
                "void gearman::internal::ServerSet<gearman::A>::Flush<int>(int) const": "Flush",
                "gearman::Client::~Client()": "~Client",
                "gearman::(anonymous namespace)::F(int)": "F",
                "gearman::A::operator=(gearman::A&&)": "operator=",
                "bool gearman::operator< <int>(gearman::A<int> const&)": "operator<",
                "gearman::A::operator->() const": "operator->",
                "gearman::A::operator()(gearman::B const&)": "operator()",
                "gearman::A::operator bool() const": "operator bool",
                "gearman::A::f(int)::{lambda(int)#1}::operator()(int) const": "{lambda}",
                "void gearman::A::Each<gearman::f()::{lambda()#1}>(gearman::f()::{lambda()#1}&&)": "Each",
        }.items():
            self.assertEqual(calls.simple_name(demangled), name)


def function(name, statement_count, path="sdk/a.cc", mangled=None):
    made = calls.Function(mangled or name, name, path, hash(name))
    made.statements = statement_count
    return made


class Counting(unittest.TestCase):
    def count(self, lines, functions):
        (_, root), = calls.read_jobs(["job client", "phase down"] + lines)
        total = calls.decide(root, None, functions)
        counted = [functions[call.address].demangled for call in calls.counted_calls(root)]
        self.assertEqual(total, len(counted))
        return counted

    def test_each_call_counts(self):
        functions = {1: function("a", 2), 2: function("b", 2)}
        self.assertEqual(self.count(["> 1", "> 2", "< 2", "> 2", "< 2", "< 1"], functions), ["a", "b", "b"])

    def test_an_accessor_does_not_count(self):
        functions = {1: function("a", 2), 2: function("get", 1), 3: function("get_too", 1)}
        self.assertEqual(self.count(["> 1", "> 2", "> 3", "< 3", "< 2", "< 1"], functions), ["a"])

    def test_a_hop_of_one_statement_counts(self):
        functions = {1: function("hop", 1), 2: function("b", 2)}
        self.assertEqual(self.count(["> 1", "> 2", "< 2", "< 1"], functions), ["hop", "b"])

    def test_what_others_or_the_compiler_have_made_does_not_count_but_its_calls_do(self):
        functions = {1: function("std", 9, path=None), 2: function("~A", None), 3: function("b", 2)}
        self.assertEqual(self.count(["> 1", "> 2", "> 3", "< 3", "< 2", "< 1"], functions), ["b"])

    def test_the_second_copy_of_a_destructor_does_not_count(self):
        functions = {1: function("~A", 2, mangled="D0"), 2: function("~A", 2, mangled="D2")}
        self.assertEqual(self.count(["> 1", "> 2", "< 2", "< 1"], functions), ["~A"])

    def test_a_function_that_calls_itself_counts_each_time(self):
        functions = {1: function("a", 2)}
        self.assertEqual(self.count(["> 1", "> 1", "< 1", "< 1"], functions), ["a", "a"])

    def test_a_function_that_was_entered_before_does_not_count(self):
        functions = {1: function("loop", 9), 2: function("b", 2)}
        self.assertEqual(self.count(["> 2", "< 2", "< 1", "> 2", "< 2"], functions), ["b", "b"])


if __name__ == "__main__":
    unittest.main()
