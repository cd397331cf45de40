#include "gearman/plugins/metrics/metrics_snapshot.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

bool SameLabels(absl::Span<const std::string> a,
                absl::Span<const absl::string_view> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const std::string& x, absl::string_view y) {
                      return absl::string_view(x) == y;
                    });
}

void MergeSample(const MetricFamily& family, bool same_bounds,
                 const MetricSample& from, MetricSample* into) {
  if (absl::EndsWith(family.name, "_info")) {
    into->value = 1;
    return;
  }
  into->value += from.value;
  if (family.type != MetricType::kHistogram || !same_bounds) return;
  const size_t buckets =
      std::min(from.bucket_counts.size(), into->bucket_counts.size());
  for (size_t i = 0; i < buckets; ++i) {
    into->bucket_counts[i] += from.bucket_counts[i];
  }
  into->count += from.count;
  into->sum += from.sum;
}

// Returns the fault of the sample; empty if there is none.
std::string Problem(const MetricFamily& family, const MetricSample& sample) {
  if (sample.label_values.size() != family.label_names.size()) {
    return absl::StrCat(sample.label_values.size(), " label values for ",
                        family.label_names.size(), " label names");
  }
  const size_t buckets = sample.bucket_counts.size();
  const size_t bounds = family.bucket_bounds.size();
  if (family.type == MetricType::kHistogram && buckets != bounds + 1 &&
      (buckets > 0 || bounds > 0)) {
    return absl::StrCat(buckets, " bucket counts for ", bounds, " bounds");
  }
  return "";
}

}  // namespace

absl::string_view MetricTypeName(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "untyped";
}

const MetricSample* MetricFamily::Find(
    absl::Span<const absl::string_view> label_values) const {
  for (const MetricSample& sample : samples) {
    if (SameLabels(sample.label_values, label_values)) return &sample;
  }
  return nullptr;
}

const MetricFamily* MetricsSnapshot::Find(absl::string_view name) const {
  for (const MetricFamily& family : families) {
    if (absl::string_view(family.name) == name) return &family;
  }
  return nullptr;
}

std::string ToString(const MetricsSnapshot& snapshot) {
  std::string text;
  for (const MetricFamily& family : snapshot.families) {
    for (const MetricSample& sample : family.samples) {
      absl::StrAppend(&text, family.name);
      for (size_t i = 0; i < sample.label_values.size(); ++i) {
        absl::StrAppend(
            &text, i == 0 ? "{" : ",",
            i < family.label_names.size() ? family.label_names[i] : "?", "=\"",
            EscapeBytes(SafeLine(sample.label_values[i]), "\""), "\"");
      }
      absl::StrAppend(&text, sample.label_values.empty() ? "" : "}");
      if (family.type == MetricType::kHistogram) {
        absl::StrAppend(&text, " count=", sample.count, " sum=", sample.sum,
                        "\n");
      } else {
        absl::StrAppend(&text, " ", sample.value, "\n");
      }
    }
  }
  return text;
}

bool IsWellFormed(const MetricsSnapshot& snapshot) {
  for (const MetricFamily& family : snapshot.families) {
    for (const MetricSample& sample : family.samples) {
      if (!Problem(family, sample).empty()) return false;
    }
  }
  return true;
}

void internal::NoteMalformed(absl::string_view metric,
                             absl::string_view problem, double count,
                             MetricsSnapshot* snapshot) {
  const std::vector<std::string> labels = {"metric", "problem"};
  auto& families = snapshot->families;
  auto family = std::find_if(
      families.begin(), families.end(), [&](const MetricFamily& other) {
        return other.name == kMalformedSamples && other.label_names == labels;
      });
  if (family == families.end()) {
    family = families.emplace(families.end());
    family->name = kMalformedSamples;
    family->help = "Samples left out as they do not fit their metric.";
    family->type = MetricType::kGauge;
    family->label_names = labels;
  }
  MetricSample& sample = family->samples.emplace_back();
  sample.label_values = {std::string(metric), std::string(problem)};
  sample.value = count;
}

void RemoveMalformed(MetricsSnapshot* snapshot) {
  // The key is metric and problem.
  std::map<std::pair<std::string, std::string>, double> found;
  for (MetricFamily& family : snapshot->families) {
    const auto is_malformed = [&](const MetricSample& sample) {
      std::string problem = Problem(family, sample);
      if (problem.empty()) return false;
      ++found[{family.name, std::move(problem)}];
      return true;
    };
    family.samples.erase(std::remove_if(family.samples.begin(),
                                        family.samples.end(), is_malformed),
                         family.samples.end());
  }
  for (const auto& [which, count] : found) {
    internal::NoteMalformed(which.first, which.second, count, snapshot);
  }
}

void MergeSnapshot(const MetricsSnapshot& from, MergeKind kind,
                   MetricsSnapshot* into) {
  into->time = std::max(into->time, from.time);
  if (into->source != from.source) into->source = 0;
  for (const MetricFamily& family : from.families) {
    if (kind == MergeKind::kTotals && family.type == MetricType::kGauge) {
      continue;
    }
    auto target = std::find_if(
        into->families.begin(), into->families.end(),
        [&](const MetricFamily& f) { return f.name == family.name; });
    if (target == into->families.end()) {
      into->families.push_back(family);
      continue;
    }
    const bool same_bounds = target->bucket_bounds == family.bucket_bounds;
    for (const MetricSample& sample : family.samples) {
      auto mine = std::find_if(target->samples.begin(), target->samples.end(),
                               [&](const MetricSample& s) {
                                 return s.label_values == sample.label_values;
                               });
      if (mine != target->samples.end()) {
        MergeSample(*target, same_bounds, sample, &*mine);
      } else if (same_bounds) {
        target->samples.push_back(sample);
      }
    }
  }
}

}  // namespace gearman
