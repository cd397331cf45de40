// Output: results on standard output, as they are, as a table or as JSON.
//
// Standard output gets results only. Any thread.
#ifndef GEARMAN_TOOLS_GEARCTL_OUTPUT_H_
#define GEARMAN_TOOLS_GEARCTL_OUTPUT_H_

#include <cstddef>
#include <functional>
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

// Writes results in large pieces, so that a long list is never held. After an
// error it writes nothing more.
class Output {
 public:
  void Write(absl::string_view bytes);
  // Writes what is left. The first error, as Print's.
  ExitCode Flush();

 private:
  std::string buffer_;
  ExitCode code_ = kSuccess;
};

// Rows of columns; numbers are aligned right. Cells are safe text
// (text/safe_text.h) of at most kMaxCellColumns columns; what is cut ends in an
// ellipsis.
//
// Rows are written as they come. A column is as wide as the longest of its
// first kMeasuredRows cells, but no wider than kMaxWidth: a longer cell pushes
// the rest of its own row only.
class Table {
 public:
  static constexpr int kMaxCellColumns = 256;
  static constexpr int kMaxWidth = 64;
  static constexpr size_t kMeasuredRows = 1000;

  using Writer = std::function<void(absl::string_view text)>;

  Table(std::vector<std::string> heading, Writer writer);
  // A short one, to be had as text.
  explicit Table(std::vector<std::string> heading);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  // As many cells as the heading has.
  void AddRow(std::vector<std::string> row);
  // Writes the rows that wait for their columns' widths. No row may follow.
  void Finish();
  // Finishes it. Without a writer: its text.
  std::string ToString();

 private:
  void Measure(const std::vector<std::string>& row);
  void WriteRow(const std::vector<std::string>& row) const;
  // Writes the rows that have waited.
  void WriteWaiting();

  std::string text_;  // without a writer
  const Writer writer_;
  // The heading, and the first rows until they have been measured.
  std::vector<std::vector<std::string>> waiting_;
  bool measured_ = false;
  std::vector<int> widths_;
  std::vector<bool> numbers_;  // columns of numbers
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_OUTPUT_H_
