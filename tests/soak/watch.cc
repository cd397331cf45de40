#include "gearman/tests/soak/watch.h"

#include <malloc.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/tests/support/process_counts.h"

namespace gearman {
namespace soak {
namespace {

struct Number {
  absl::string_view name;
  decltype(&Resources::resident_bytes) sample;
  decltype(&Watch::Slack::resident_bytes) slack;
};

constexpr Number kNumbers[] = {
    {"resident bytes", &Resources::resident_bytes,
     &Watch::Slack::resident_bytes},
    {"descriptors", &Resources::descriptors, &Watch::Slack::descriptors},
    {"threads", &Resources::threads, &Watch::Slack::threads},
};

}  // namespace

Resources MeasureResources() {
  malloc_trim(0);
  Resources resources;
  resources.resident_bytes = support::ResidentBytes();
  resources.descriptors = support::DescriptorCount();
  resources.threads = support::ThreadCount();
  return resources;
}

Resources Watch::Median(size_t begin, size_t end) const {
  Resources median;
  for (const Number& number : kNumbers) {
    std::vector<int64_t> values;
    for (size_t i = begin; i < end; ++i) {
      values.push_back(samples_[i].*number.sample);
    }
    const auto middle = values.begin() + values.size() / 2;
    std::nth_element(values.begin(), middle, values.end());
    median.*number.sample = *middle;
  }
  return median;
}

Resources Watch::Early() const {
  return Median(samples_.size() / 4, samples_.size() / 2);
}

Resources Watch::Late() const {
  return Median(samples_.size() - samples_.size() / 4, samples_.size());
}

std::vector<std::string> Watch::Growth(const Slack& slack) const {
  if (samples_.size() < kFewest) {
    return {absl::StrCat("only ", samples_.size(), " samples: ", kFewest,
                         " are the fewest that tell growth")};
  }
  const Resources early = Early();
  const Resources late = Late();
  std::vector<std::string> growth;
  for (const Number& number : kNumbers) {
    const int64_t before = early.*number.sample;
    const int64_t after = late.*number.sample;
    if (after - before > slack.*number.slack) {
      growth.push_back(absl::StrCat(number.name, " grew from ", before, " to ",
                                    after, ", and ", slack.*number.slack,
                                    " more are allowed"));
    }
  }
  return growth;
}

}  // namespace soak
}  // namespace gearman
