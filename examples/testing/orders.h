// The code of a shop, as a user of the SDK writes it: a handler that adds up an
// order, and a function that has an order added up by some worker.
// orders_test.cc tests both without a network.
#ifndef GEARMAN_EXAMPLES_TESTING_ORDERS_H_
#define GEARMAN_EXAMPLES_TESTING_ORDERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"

namespace shop {

struct Item {
  std::string name;
  int64_t cents = 0;
};

// Registers the task "total" with a worker. Its payload has a line "CENTS NAME"
// for each item, and its result is the sum of the cents.
absl::Status RegisterTotal(gearman::Worker& worker);

// The handler of "total". It reports progress after each line, warns of items
// that cost nothing, and ends early when its stop token fires.
absl::StatusOr<std::string> Total(gearman::JobContext& context);

// Submits the order as a job of "total" and waits for the sum, for a minute at
// most.
absl::StatusOr<int64_t> TotalOf(gearman::Client& client,
                                const std::vector<Item>& order);

}  // namespace shop

#endif  // GEARMAN_EXAMPLES_TESTING_ORDERS_H_
