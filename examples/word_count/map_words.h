// The map/reduce form of the count: a job is a whole text, its parts are chunks
// of it, and the counts of the parts are added up.
#ifndef GEARMAN_EXAMPLES_WORD_COUNT_MAP_WORDS_H_
#define GEARMAN_EXAMPLES_WORD_COUNT_MAP_WORDS_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "gearman/sdk/reduce.h"

namespace word_count {

// Splits the job's text into chunks of about `chunk_bytes`, without splitting a
// word. The result of each chunk, and of the whole, is that of EncodeCounts. If
// the job names no reducer, the words of each chunk are counted here.
absl::StatusOr<gearman::MapPlan> MapWords(const gearman::MapInput& input,
                                          size_t chunk_bytes);

}  // namespace word_count

#endif  // GEARMAN_EXAMPLES_WORD_COUNT_MAP_WORDS_H_
