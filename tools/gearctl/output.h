// Output: results on standard output, as they are, as a table or as JSON.
//
// Standard output gets results only. Any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_OUTPUT_H_
#define GEARMAN_TOOLS_GEARCTL_OUTPUT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/tools/gearctl/exit_code.h"

namespace gearman {
namespace gearctl {

// Writes all of it, at once. A pipe that nobody reads ends the program by
// SIGPIPE, or, where that is ignored, it is kClosedOutput. kOtherError, with a
// message: it can't be written.
ExitCode Print(absl::string_view bytes);

// A JSON object, whose fields keep the order in which they were set. Each is
// set once.
class JsonObject {
 public:
  // Text under `key`; bytes that are no UTF-8 in base64 under `key`_base64.
  void Set(const std::string& key, absl::string_view bytes);
  void SetNumber(const std::string& key, double number);
  void SetBool(const std::string& key, bool value);
  // As Set: all of them in base64 when one is no UTF-8.
  void SetList(const std::string& key, absl::Span<const std::string> items);
  // On one line, with a line feed.
  std::string ToLine() const;

 private:
  // A google.protobuf.Struct in its binary form, which has an order.
  std::string struct_;
};

// Rows of columns, as wide as their longest cell; numbers are aligned right.
// Cells are Printable.
class Table {
 public:
  explicit Table(std::vector<std::string> heading);
  // As many cells as the heading has.
  void AddRow(std::vector<std::string> row);
  std::string ToString() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_OUTPUT_H_
