#!/usr/bin/python3
"""tools/dashboard_picture: which panels are empty, and the picture of those that are not. The run itself is nightly's."""

import importlib.machinery
import importlib.util
import json
import sys
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("dashboard_picture", "tools/dashboard_picture")
picture = importlib.util.module_from_spec(importlib.util.spec_from_loader("dashboard_picture", loader))
loader.exec_module(picture)
svg = picture.dashboard_svg


class Answers:
    """A Prometheus that knows these expressions only."""

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def ask(self, _, **parameters):
        self.asked.append(parameters["query"])
        return self.answers.get(parameters["query"], [])


def line(values, **labels):
    return {"metric": labels, "values": [[100 + second, value] for second, value in enumerate(values)]}


def panel(*expressions, kind="timeseries"):
    return {"title": "Jobs", "type": kind, "gridPos": {"x": 0, "y": 0, "w": 8, "h": 8},
            "targets": [{"expr": expression, "legendFormat": "{{task}} {{outcome}}"} for expression in expressions]}


class Panels(unittest.TestCase):
    def fill(self, answers, *expressions, kind="timeseries"):
        self.run_ = Answers(answers)
        return picture.fill(panel(*expressions, kind=kind), self.run_, begin=100, end=103)

    def test_series_have_the_names_of_the_legend_and_the_seconds_of_the_run(self):
        series, problems = self.fill({"a": [line(["1", "2.5"], task="mail", outcome="failed")]}, "a")
        self.assertEqual(series, {"mail failed": [(0, 1.0), (1, 2.5)]})
        self.assertEqual(problems, [])

    def test_variables_stand_for_everything(self):
        self.fill({}, 'rate(x{task=~"$task",server=~"$server",instance=~"$instance"}[$__rate_interval])')
        self.assertEqual(self.run_.asked, ['rate(x{task=~".*",server=~".*",instance=~".*"}[6s])'])

    def test_a_query_without_data_is_a_problem_though_another_one_has_some(self):
        _, problems = self.fill({"a": [line(["1"], task="mail")]}, "a", "b")
        self.assertEqual(problems, ["no data of b"])

    def test_values_that_are_no_numbers_are_no_data(self):
        _, problems = self.fill({"a": [line(["NaN", "NaN"], task="mail")]}, "a")
        self.assertIn("no data of a", problems)

    def test_nothing_but_zeros_is_a_problem(self):
        _, problems = self.fill({"a": [line(["0", "0"], task="mail")]}, "a")
        self.assertEqual(problems, ["nothing but zeros"])

    def test_a_table_has_a_row_for_each_answer(self):
        rows, problems = self.fill({"a": [{"metric": {"version": "1"}, "value": [0, "3"]}]}, "a", kind="table")
        self.assertEqual((rows, problems), ([{"version": "1", "number": "3"}], []))
        self.assertEqual(self.fill({}, "a", kind="table")[1], ["no data of a"])


class Picture(unittest.TestCase):
    def test_every_panel_of_the_dashboard_is_drawn(self):
        panels = json.loads(picture.DASHBOARD.read_text())["panels"]
        data = {"row": None, "table": [{"version": "0.1.0", "number": "3"}]}
        drawn = [(one, data.get(one["type"], {"<a> & b": [(0, 0), (1, 2), (2, 2)]})) for one in panels]
        text = svg.draw("Title", "made", [(1, "it stops")], 2, drawn)
        words = [node.text for node in xml.etree.ElementTree.fromstring(text).iter() if node.text]
        for one in panels:
            self.assertIn(one["title"], words)
        self.assertIn("<a> & b", words)

    def test_a_gap_in_the_data_is_a_gap_in_the_line(self):
        drawn = svg.paths([(0, 1), (1, 2), (5, 3), (6, 4)], lambda x: x, lambda y: y)
        self.assertEqual(drawn, "M0 1L1 2M5 3L6 4")

    def test_series_without_room_are_counted(self):
        self.assertIn("and 3 more", svg.legend([f"series {n}" for n in range(10)], 0, 0, 300))

    def test_numbers_have_the_panels_unit(self):
        self.assertEqual([svg.number_label(*one) for one in ((0.05, "s"), (2500, "Bps"), (0.25, "percentunit"), (3, "short"))],
                         ["50 ms", "2.5 kB/s", "25 %", "3"])


if __name__ == "__main__":
    unittest.main()
