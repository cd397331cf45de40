// Counts words, and encodes the counts that a worker returns.
//
// A word is a run of ASCII letters, counted in lower case.
#ifndef GEARMAN_EXAMPLES_WORD_COUNT_WORDS_H_
#define GEARMAN_EXAMPLES_WORD_COUNT_WORDS_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace word_count {

using Counts = absl::flat_hash_map<std::string, int64_t>;

// Whether `c` is part of a word.
bool IsWordCharacter(char c);

// Returns the words of `text` and how often each occurs.
Counts CountWords(absl::string_view text);

// Returns one line "word count" for each word: the result of a job.
std::string EncodeCounts(const Counts& counts);

// Adds the counts in a job's result to `total`. Returns INVALID_ARGUMENT, and
// leaves `total` unchanged, if the text is not in the form of EncodeCounts.
absl::Status AddEncodedCounts(absl::string_view encoded, Counts* total);

}  // namespace word_count

#endif  // GEARMAN_EXAMPLES_WORD_COUNT_WORDS_H_
