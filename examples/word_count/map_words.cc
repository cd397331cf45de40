#include "gearman/examples/word_count/map_words.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/examples/word_count/words.h"

namespace word_count {
namespace {

class Total : public gearman::Aggregator {
 public:
  absl::Status Add(size_t /*part*/, std::string result) override {
    return AddEncodedCounts(result, &counts_);
  }
  absl::StatusOr<std::string> Finish() override {
    return EncodeCounts(counts_);
  }

 private:
  Counts counts_;
};

// Cuts the next chunk off `rest`, which is not empty.
absl::string_view TakeChunk(size_t bytes, absl::string_view* rest) {
  size_t end = std::min(bytes, rest->size());
  while (end < rest->size() && IsWordCharacter((*rest)[end])) ++end;
  const absl::string_view chunk = rest->substr(0, end);
  rest->remove_prefix(end);
  return chunk;
}

}  // namespace

absl::StatusOr<gearman::MapPlan> MapWords(const gearman::MapInput& input,
                                          size_t chunk_bytes) {
  gearman::MapPlan plan;
  plan.next_part = [rest = absl::string_view(input.job.data()), chunk_bytes,
                    count_here = input.reducer.empty()]() mutable
      -> absl::StatusOr<std::optional<std::string>> {
    if (rest.empty()) return std::nullopt;
    const absl::string_view chunk = TakeChunk(chunk_bytes, &rest);
    return count_here ? EncodeCounts(CountWords(chunk)) : std::string(chunk);
  };
  plan.aggregator = std::make_unique<Total>();
  return plan;
}

}  // namespace word_count
