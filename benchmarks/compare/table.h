// The table of all cases, as Markdown and as CSV.
#ifndef GEARMAN_BENCHMARKS_COMPARE_TABLE_H_
#define GEARMAN_BENCHMARKS_COMPARE_TABLE_H_

#include <string>
#include <vector>

#include "gearman/benchmarks/compare/cases.h"
#include "gearman/benchmarks/compare/result.h"

namespace gearman {
namespace benchmarks {

// `results` are the rounds of each case. The table has medians, and ratios
// between cases.
std::string MarkdownTable(const std::vector<Case>& cases,
                          const std::vector<std::vector<Result>>& results,
                          int cores);

// The names of the columns, and a row for each round of each case.
std::string CsvHeader();
std::string CsvRow(const Case& measured, int round, const Result& result);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_TABLE_H_
