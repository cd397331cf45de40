// The tables of docs/guide/interop.md: which there are, how a cell is
// made by real peers, and where it stands in the document.
#ifndef GEARMAN_TESTS_INTEROP_INTEROP_TABLE_H_
#define GEARMAN_TESTS_INTEROP_INTEROP_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/tests/support/subprocess.h"

namespace gearman {
namespace interop {

enum class Server : unsigned char { kGearmand, kEmbedded, kPerl };

// A worker and a client that meet at a server. Programs are called with the
// port behind their arguments; the files of tests/interop say what else.
struct Column {
  std::string table;  // the name in the document's marks
  std::string title;
  Server server;
  std::vector<std::string> worker;
  std::vector<std::string> client;
  // Tasks that this worker can't have.
  std::vector<std::string> without = {};
  // A library of npm is one of them: tests/interop/npm_peers installs it.
  bool needs_npm = false;
};

struct Row {
  std::string task;
  std::string title;
};

absl::Span<const Column> Columns();
absl::Span<const Row> Rows();

// 64 KiB of every byte: the payload and result of the row "large".
std::string LargePayload();
// The cell for a client's run: `warning "careful", complete "done"`.
std::string CellOf(const support::ProgramResult& run);
// The cell of a table in the document. NOT_FOUND: it has no such.
absl::StatusOr<std::string> FindCell(absl::string_view document,
                                     const Column& column, const Row& row);
// The document with this cell in its place, which must be there.
std::string WithCell(std::string document, const Column& column, const Row& row,
                     absl::string_view cell);

}  // namespace interop
}  // namespace gearman

#endif  // GEARMAN_TESTS_INTEROP_INTEROP_TABLE_H_
