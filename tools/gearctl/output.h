// Writes results to standard output: as they are, as a table or as JSON.
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

// Writes all bytes at once, like WriteAll. If nobody reads the pipe, SIGPIPE
// ends the program; if SIGPIPE is ignored, returns kClosedOutput. kOtherError:
// the bytes can't be written, which a message says.
ExitCode Print(absl::string_view bytes);

// A JSON object, whose fields keep the order in which they were set. Set each
// field once.
class JsonObject {
 public:
  // Sets text under `key`. Bytes that are not UTF-8 go under `key`_base64, in
  // base64.
  void Set(const std::string& key, absl::string_view bytes);
  void SetNumber(const std::string& key, double number);
  void SetBool(const std::string& key, bool value);
  // Sets a list like Set. All items are in base64 if one of them is not UTF-8.
  void SetList(const std::string& key, absl::Span<const std::string> items);
  // Returns the object on one line, with a line feed.
  std::string ToLine() const;

 private:
  // A google.protobuf.Struct in its binary form, because that has an order.
  std::string struct_;
};

// Writes results in large pieces, so that a long list is never in memory. After
// an error it writes nothing more.
class Output {
 public:
  void Write(absl::string_view bytes);
  // Writes the rest. Returns the first error, like Print.
  ExitCode Flush();

 private:
  std::string buffer_;
  ExitCode code_ = kSuccess;
};

// A table of rows. Numbers are aligned right. Cells are safe text
// (text/safe_text.h) of at most kMaxCellColumns columns; a cut cell ends in an
// ellipsis.
//
// Rows are written as they come. A column is as wide as the longest of its
// first kMeasuredRows cells, but no wider than kMaxWidth. A longer cell shifts
// only the rest of its own row.
class Table {
 public:
  static constexpr int kMaxCellColumns = 256;
  static constexpr int kMaxWidth = 64;
  static constexpr size_t kMeasuredRows = 1000;

  using Writer = std::function<void(absl::string_view text)>;

  Table(std::vector<std::string> heading, Writer writer);
  // A short table without a writer. ToString returns it.
  explicit Table(std::vector<std::string> heading);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  // Adds a row, which must have as many cells as the heading.
  void AddRow(std::vector<std::string> row);
  // Writes the rows that wait for the widths of their columns. No row may
  // follow.
  void Finish();
  // Finishes the table. Without a writer, returns its text.
  std::string ToString();

 private:
  void Measure(const std::vector<std::string>& row);
  void WriteRow(const std::vector<std::string>& row) const;
  // Writes the rows that have waited.
  void WriteWaiting();

  std::string text_;  // without a writer
  const Writer writer_;
  // The heading, and the first rows until the widths are known.
  std::vector<std::vector<std::string>> waiting_;
  bool measured_ = false;
  std::vector<int> widths_;
  std::vector<bool> numbers_;  // columns that have only numbers
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_OUTPUT_H_
