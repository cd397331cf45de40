// Counts the words of its jobs: wc_worker of gearmand.
//
//   wc_worker [--count=N]
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gearman/examples/gearmand/flags.h"
#include "gearman/examples/gearmand/serve.h"
#include "gearman/sdk/worker.h"

namespace {

absl::StatusOr<std::string> CountWords(gearman::JobContext& context) {
  const std::vector<absl::string_view> words = absl::StrSplit(
      context.job().data(), absl::ByAnyChar(" \t\n"), absl::SkipEmpty());
  std::cerr << "Job=" << context.job().handle() << " Result=" << words.size()
            << std::endl;
  return absl::StrCat(words.size());
}

}  // namespace

int main(int argc, char** argv) {
  gearmand_examples::ParseArguments("wc_worker [--count=N]", argc, argv);
  const absl::Status status = gearmand_examples::Serve("wc", CountWords);
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
