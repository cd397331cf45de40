#include "gearman/tests/interop/interop_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gearman/tests/support/hex.h"

namespace gearman {
namespace interop {
namespace {

// A longer one is the row "large".
constexpr size_t kLongestText = 100;

std::vector<std::string> OurClient() { return {"tests/interop/our_client"}; }
std::vector<std::string> OurWorker() { return {"tests/interop/our_worker"}; }
std::vector<std::string> Tool(absl::string_view part) {
  return {"sh", absl::StrCat("tests/interop/peers/", part, ".sh")};
}
std::vector<std::string> Libgearman(absl::string_view part) {
  return {absl::StrCat("tests/interop/libgearman_", part)};
}
std::vector<std::string> Php(absl::string_view part) {
  return {"php", absl::StrCat("tests/interop/peers/", part, ".php")};
}
std::vector<std::string> Perl(absl::string_view part) {
  // Not one that somebody has installed beside Debian's.
  return {"/usr/bin/perl", absl::StrCat("tests/interop/peers/", part, ".pl")};
}

std::vector<Column> MakeColumns() {
  const auto node = [](const std::string& part, const std::string& library) {
    return std::vector<std::string>{
        "node", absl::StrCat("tests/interop/peers/", part, ".js"), library};
  };
  const auto npm_client = [&node](const std::string& library,
                                  const std::string& version) {
    return Column{
        "npm_clients",           absl::StrCat("`", library, "` ", version),
        Server::kGearmand,       OurWorker(),
        node("client", library), {},
        /*needs_npm=*/true};
  };
  const auto npm_worker = [&node](const std::string& library,
                                  const std::string& version,
                                  std::vector<std::string> without) {
    return Column{"npm_workers",     absl::StrCat("`", library, "` ", version),
                  Server::kGearmand, node("worker", library),
                  OurClient(),       std::move(without),
                  /*needs_npm=*/true};
  };
  const Server c = Server::kGearmand;
  const Server embedded = Server::kEmbedded;
  const Server perl = Server::kPerl;
  return {
      {"worker", "this SDK's client", c, OurWorker(), OurClient()},
      {"worker", "`gearman`", c, OurWorker(), Tool("client")},
      {"worker", "libgearman", c, OurWorker(), Libgearman("client")},
      {"worker", "PHP", c, OurWorker(), Php("client")},
      {"worker", "Perl", c, OurWorker(), Perl("client")},
      {"client",
       "`gearman -w`",
       c,
       Tool("worker"),
       OurClient(),
       {"error", "throw", "data", "warning", "status"}},
      {"client", "libgearman", c, Libgearman("worker"), OurClient()},
      {"client", "PHP", c, Php("worker"), OurClient()},
      {"client", "Perl", c, Perl("worker"), OurClient(), {"empty", "error"}},
      {"embedded", "this SDK's client", embedded, OurWorker(), OurClient()},
      {"embedded", "`gearman`", embedded, OurWorker(), Tool("client")},
      {"embedded", "PHP", embedded, OurWorker(), Php("client")},
      {"embedded", "Perl", embedded, OurWorker(), Perl("client")},
      {"embedded",
       "Perl's worker",
       embedded,
       Perl("worker"),
       OurClient(),
       {"error"}},
      {"perl", "this SDK's client", perl, OurWorker(), OurClient()},
      {"perl", "`gearman`", perl, OurWorker(), Tool("client")},
      {"perl", "PHP", perl, OurWorker(), Php("client")},
      {"perl", "Perl", perl, OurWorker(), Perl("client")},
      {"perl", "Perl's worker", perl, Perl("worker"), OurClient(), {"error"}},
      npm_client("gearman", "2.1.0"),
      npm_client("node-gearman", "0.2.2"),
      npm_client("gearmanode", "0.9.2"),
      npm_worker("gearman", "2.1.0", {"error"}),
      npm_worker("node-gearman", "0.2.2",
                 {"error", "throw", "warning", "status"}),
      npm_worker("gearmanode", "0.9.2", {"error"}),
  };
}

std::vector<std::string> Cells(absl::string_view line) {
  std::vector<std::string> cells;
  for (absl::string_view cell : absl::StrSplit(line, '|')) {
    cells.emplace_back(absl::StripAsciiWhitespace(cell));
  }
  return cells;
}

// A cell in the document: its line, and which cell of the line it is.
struct Place {
  size_t line = 0;
  size_t cell = 0;
};

absl::StatusOr<Place> Find(const std::vector<std::string>& lines,
                           const Column& column, const Row& row) {
  size_t line = 0;
  const auto begins = absl::StrCat("<!-- table ", column.table, " -->");
  while (line < lines.size() && lines[line] != begins) ++line;
  const auto missing = absl::NotFoundError(absl::StrCat(
      "docs/guide/interop.md: no cell of row \"", row.title, "\" and column \"",
      column.title, "\" in the table \"", column.table, "\""));
  // The mark, an empty line, the titles.
  if (line + 2 >= lines.size()) return missing;
  line += 2;
  const std::vector<std::string> titles = Cells(lines[line]);
  const size_t cell = static_cast<size_t>(
      std::find(titles.begin(), titles.end(), column.title) - titles.begin());
  if (cell == titles.size()) return missing;
  for (++line; line < lines.size() && !lines[line].empty(); ++line) {
    const std::vector<std::string> cells = Cells(lines[line]);
    if (cells.size() > cell && cells[1] == row.title) return Place{line, cell};
  }
  return missing;
}

}  // namespace

absl::Span<const Column> Columns() {
  static const auto* const columns = new std::vector<Column>(MakeColumns());
  return *columns;
}

absl::Span<const Row> Rows() {
  static const auto* const rows = new std::vector<Row>{
      {"success", "success"}, {"empty", "empty result"},
      {"failure", "failure"}, {"error", "error status"},
      {"throw", "throw"},     {"data", "data"},
      {"warning", "warning"}, {"status", "status"},
      {"large", "large"},     {"join", "unique join"},
  };
  return *rows;
}

std::string LargePayload() {
  std::string bytes(64 << 10, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 7 + i / 256);
  }
  return bytes;
}

std::string CellOf(const support::ProgramResult& run) {
  std::vector<std::string> heard;
  for (absl::string_view line :
       absl::StrSplit(run.output, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    const std::string bytes = support::BytesOfHex(parts.second);
    if (bytes.empty() && parts.first != "complete") {
      heard.emplace_back(parts.first);
    } else if (bytes == LargePayload()) {
      heard.push_back(absl::StrCat(parts.first, " 64 KiB as sent"));
    } else if (bytes.size() > kLongestText) {
      heard.push_back(
          absl::StrCat(parts.first, " ", bytes.size(), " bytes, changed"));
    } else if (parts.first == "status" || parts.first == "exit") {
      heard.push_back(absl::StrCat(parts.first, " ", bytes));
    } else {
      heard.push_back(absl::StrCat(
          parts.first, " \"",
          absl::CEscape(absl::StripTrailingAsciiWhitespace(bytes)), "\""));
    }
  }
  if (!run.status.ok()) {
    heard.push_back(absl::StrCat("ends with ", run.status.ToString()));
  }
  return absl::StrJoin(heard, ", ");
}

absl::StatusOr<std::string> FindCell(absl::string_view document,
                                     const Column& column, const Row& row) {
  const std::vector<std::string> lines = absl::StrSplit(document, '\n');
  const absl::StatusOr<Place> place = Find(lines, column, row);
  if (!place.ok()) return place.status();
  return Cells(lines[place->line])[place->cell];
}

std::string WithCell(std::string document, const Column& column, const Row& row,
                     absl::string_view cell) {
  std::vector<std::string> lines = absl::StrSplit(document, '\n');
  const absl::StatusOr<Place> place = Find(lines, column, row);
  if (!place.ok()) return document;
  std::vector<std::string> cells = Cells(lines[place->line]);
  cells[place->cell] = std::string(cell);
  // The first and the last are what is outside the bars.
  lines[place->line] = absl::StrCat(
      "| ", absl::StrJoin(cells.begin() + 1, cells.end() - 1, " | "), " |");
  return absl::StrJoin(lines, "\n");
}

}  // namespace interop
}  // namespace gearman
