// Corpus: the files to count, in chunks that split no word.
#ifndef GEARMAN_EXAMPLES_WORD_COUNT_CORPUS_H_
#define GEARMAN_EXAMPLES_WORD_COUNT_CORPUS_H_

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace word_count {

class Corpus {
 public:
  // Takes files, and folders with all files below them. `chunk_bytes` is the
  // size of a chunk, up to a word more or less.
  Corpus(const std::vector<std::string>& paths, size_t chunk_bytes);

  // Returns the next chunk; nullopt at the end.
  std::optional<std::string> NextChunk();

  int files() const { return static_cast<int>(files_.size()); }
  // The bytes of all files according to their folders, and the bytes read so
  // far.
  uint64_t total_bytes() const { return total_bytes_; }
  uint64_t bytes_read() const { return bytes_read_; }
  // The files that could not be read, each with the reason.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void Add(const std::string& path);

  const size_t chunk_bytes_;
  std::vector<std::string> files_;
  size_t next_file_ = 0;
  std::ifstream file_;
  std::string carry_;  // the unfinished word at the end of a chunk
  uint64_t total_bytes_ = 0;
  uint64_t bytes_read_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace word_count

#endif  // GEARMAN_EXAMPLES_WORD_COUNT_CORPUS_H_
