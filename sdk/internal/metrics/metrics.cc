#include "gearman/sdk/internal/metrics/metrics.h"

#include <atomic>
#include <iterator>
#include <utility>

namespace gearman {
namespace internal {
namespace {

// These codes have their own labels, whatever codes peers send.
constexpr absl::string_view kKnownErrorCodes[] = {
    "DATA_LOSS",          "QUEUE_ERROR",    "JOB_NOT_FOUND",
    "ARGUMENT_TOO_LARGE", "INVALID_ARGS",   "UNEXPECTED_PACKET",
    "INVALID_COMMAND",    "UNKNOWN_OPTION", "UNKNOWN_COMMAND"};
// More other codes than any server has. Further codes are counted as "other".
constexpr size_t kMaxOtherErrorCodes = 16;

}  // namespace

uint64_t NextMetricsSource() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

Metrics::Metrics(MetricsOptions options)
    : options_(std::move(options)),
      source_(NextMetricsSource()),
      tasks_(options_.max_tasks),
      servers_(options_.max_servers),
      error_codes_(std::size(kKnownErrorCodes) + kMaxOtherErrorCodes) {
  for (const absl::string_view code : kKnownErrorCodes) error_codes_.Get(code);
}

void Metrics::ProtocolError(absl::string_view code) {
  error_codes_.Get(code)->count.Add();
}

MetricsSnapshot Metrics::Snapshot(absl::Time now) const {
  MetricsSnapshot snapshot;
  snapshot.time = now;
  snapshot.source = source_;
  for (const MetricDescription& row : MetricsCatalogue()) {
    if (row.owner != MetricOwner::kBoth && row.owner != options_.owner) {
      continue;
    }
    MetricFamily family = MakeFamily(row);
    row.read(*this, &family);
    if (!family.samples.empty()) {
      snapshot.families.push_back(std::move(family));
    }
  }
  return snapshot;
}

}  // namespace internal
}  // namespace gearman
