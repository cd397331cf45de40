#include "gearman/examples/testing/orders.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace shop {

absl::Status RegisterTotal(gearman::Worker& worker) {
  return worker.Register("total", Total);
}

absl::StatusOr<std::string> Total(gearman::JobContext& context) {
  const absl::string_view order = context.job().data();
  const std::vector<absl::string_view> lines =
      absl::StrSplit(order, '\n', absl::SkipEmpty());
  int64_t sum = 0;
  int64_t done = 0;
  for (const absl::string_view line : lines) {
    if (context.stop_token().stop_requested()) {
      return gearman::JobFailed("the worker was told to stop");
    }
    const std::pair<absl::string_view, absl::string_view> fields =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    int64_t cents = 0;
    if (!absl::SimpleAtoi(fields.first, &cents)) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", done + 1, " has no price"));
    }
    if (cents == 0) {
      const absl::Status sent =
          context.SendWarning(absl::StrCat(fields.second, " costs nothing"));
      if (!sent.ok()) return sent;
    }
    sum += cents;
    const absl::Status sent =
        context.SendStatus(++done, static_cast<int64_t>(lines.size()));
    if (!sent.ok()) return sent;
  }
  return absl::StrCat(sum);
}

absl::StatusOr<int64_t> TotalOf(gearman::Client& client,
                                const std::vector<Item>& order) {
  std::string data;
  for (const Item& item : order) {
    absl::StrAppend(&data, item.cents, " ", item.name, "\n");
  }
  gearman::CallOptions options;
  options.timeout = absl::Minutes(1);
  const absl::StatusOr<std::string> result =
      client.Run("total", std::move(data), options);
  if (!result.ok()) return result.status();
  int64_t cents = 0;
  if (!absl::SimpleAtoi(*result, &cents)) {
    return absl::DataLossError("the worker's answer is no number");
  }
  return cents;
}

}  // namespace shop
