// The dashboard and the alert rules speak of what the catalogue has, and the
// dashboard of all of it.
#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/metrics/metrics_snapshot.h"
#include "gearman/sdk/internal/metrics/catalogue.h"
#include "gearman/tests/monitoring/dashboard.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using internal::MetricDescription;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kPrefix[] = "gearman_";

// The names of series, and the metric that each belongs to.
std::map<std::string, const MetricDescription*> Series() {
  std::map<std::string, const MetricDescription*> series;
  for (const MetricDescription& row : internal::MetricsCatalogue()) {
    const std::string name(row.name);
    if (row.type != MetricType::kHistogram) {
      series[name] = &row;
      continue;
    }
    for (const char* const suffix : {"_bucket", "_sum", "_count"}) {
      series[name + suffix] = &row;
    }
  }
  return series;
}

// Returns the errors in the labels of `{name="value",...}`, without the braces.
std::vector<std::string> WrongLabels(const MetricDescription& metric,
                                     const std::string& selector) {
  // Prometheus adds the program's; buckets have their bound.
  std::set<std::string> known = {"instance", "le"};
  for (const absl::string_view label :
       absl::StrSplit(metric.labels, ',', absl::SkipEmpty())) {
    known.emplace(label);
  }
  std::vector<std::string> wrong;
  for (const absl::string_view part :
       absl::StrSplit(selector, ',', absl::SkipEmpty())) {
    const std::vector<std::string> halves =
        absl::StrSplit(part, absl::MaxSplits(absl::ByAnyChar("=!"), 1));
    if (known.count(halves[0]) == 0) wrong.push_back(halves[0]);
    // Values that are not a variable's are named in the help.
    for (const absl::string_view value : absl::StrSplit(
             halves[1], absl::ByAnyChar("=~|\""), absl::SkipEmpty())) {
      if (!absl::StartsWith(value, "$") &&
          !absl::StrContains(metric.help, value)) {
        wrong.push_back(absl::StrCat(halves[0], "=", value));
      }
    }
  }
  return wrong;
}

// Checks every series in a text, and notes the metrics found.
void Check(const std::string& text, std::set<std::string>* found) {
  static const auto* const series =
      new std::map<std::string, const MetricDescription*>(Series());
  size_t end = 0;
  for (size_t at = text.find(kPrefix); at != std::string::npos;
       at = text.find(kPrefix, end)) {
    end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_", at);
    end = std::min(end, text.size());
    const std::string name = text.substr(at, end - at);
    const auto known = series->find(name);
    if (known == series->end()) {
      ADD_FAILURE() << name << " is not in the catalogue: " << text;
      continue;
    }
    found->emplace(known->second->name);
    if (end == text.size() || text[end] != '{') continue;
    const std::string selector =
        text.substr(end + 1, text.find('}', end) - end - 1);
    EXPECT_THAT(WrongLabels(*known->second, selector), IsEmpty()) << text;
  }
}

// The names in `by (a, b)` are labels of some metric in the expression.
void CheckGrouping(const std::string& expression) {
  std::set<std::string> known = {"instance", "le"};
  for (const auto& [name, metric] : Series()) {
    if (!absl::StrContains(expression, name)) continue;
    for (const absl::string_view label : absl::StrSplit(metric->labels, ',')) {
      known.emplace(label);
    }
  }
  const std::string kBy = "by (";
  for (size_t at = expression.find(kBy); at != std::string::npos;
       at = expression.find(kBy, at + 1)) {
    const size_t begin = at + kBy.size();
    const std::string names =
        expression.substr(begin, expression.find(')', begin) - begin);
    for (const absl::string_view name : absl::StrSplit(names, ',')) {
      EXPECT_EQ(known.count(std::string(absl::StripAsciiWhitespace(name))), 1u)
          << name << " in " << expression;
    }
  }
}

TEST(Dashboard, ShowsEveryMetricOfTheCatalogueAndNoOther) {
  std::set<std::string> shown;
  for (const std::string& expression : DashboardExpressions()) {
    Check(expression, &shown);
    CheckGrouping(expression);
  }
  for (const MetricDescription& row : internal::MetricsCatalogue()) {
    EXPECT_EQ(shown.count(std::string(row.name)), 1u) << row.name;
  }
  std::set<std::string> asked;
  for (const std::string& query : DashboardVariables()) Check(query, &asked);
  EXPECT_THAT(asked, Not(IsEmpty()));
}

TEST(AlertRules, AskForMetricsOfTheCatalogue) {
  std::set<std::string> watched;
  int alerts = 0;
  // From one `expr:` to the next key.
  std::string expression;
  for (const absl::string_view line :
       absl::StrSplit(ReadWholeFile("docs/monitoring/alerts.yml"), '\n')) {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (absl::StartsWith(text, "#")) continue;
    if (absl::StartsWith(text, "- alert:")) ++alerts;
    if (absl::StartsWith(text, "for:") || absl::StartsWith(text, "labels:")) {
      if (expression.empty()) continue;
      Check(expression, &watched);
      CheckGrouping(expression);
      expression.clear();
    } else if (!expression.empty() || absl::StartsWith(text, "expr:")) {
      absl::StrAppend(&expression, text, " ");
    }
  }
  EXPECT_GE(watched.size(), 10u);
  EXPECT_GE(alerts, 10);
}

}  // namespace
}  // namespace gearman
