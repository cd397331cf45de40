#include "gearman/examples/word_count/corpus.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/examples/word_count/words.h"

namespace word_count {
namespace {

namespace fs = std::filesystem;

}  // namespace

Corpus::Corpus(const std::vector<std::string>& paths, size_t chunk_bytes)
    : chunk_bytes_(chunk_bytes) {
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::exists(path, error)) {
      problems_.push_back(absl::StrCat(
          path, ": ", error ? error.message() : "no such file or folder"));
      continue;
    }
    if (!fs::is_directory(path, error)) {
      Add(path);
      continue;
    }
    std::vector<std::string> found;
    fs::recursive_directory_iterator it(path, error), end;
    while (!error && it != end) {
      if (it->is_regular_file(error)) found.push_back(it->path().string());
      it.increment(error);
    }
    if (error) {
      problems_.push_back(absl::StrCat(path, ": ", error.message()));
    }
    std::sort(found.begin(), found.end());
    for (const std::string& file : found) Add(file);
  }
}

void Corpus::Add(const std::string& path) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  if (!error) total_bytes_ += size;
  files_.push_back(path);
}

std::optional<std::string> Corpus::NextChunk() {
  for (;;) {
    if (!file_.is_open()) {
      if (next_file_ == files_.size()) return std::nullopt;
      errno = 0;
      file_.open(files_[next_file_++], std::ios::binary);
      if (!file_.is_open()) {
        problems_.push_back(
            absl::StrCat(files_[next_file_ - 1], ": ", std::strerror(errno)));
        file_.clear();
      }
      continue;
    }
    std::string chunk = std::exchange(carry_, {});
    const size_t carried = chunk.size();
    chunk.resize(carried + chunk_bytes_);
    errno = 0;
    file_.read(&chunk[carried], static_cast<std::streamsize>(chunk_bytes_));
    const size_t got = static_cast<size_t>(file_.gcount());
    chunk.resize(carried + got);
    bytes_read_ += got;
    if (file_.bad()) {
      problems_.push_back(
          absl::StrCat(files_[next_file_ - 1], ": ", std::strerror(errno)));
    }
    if (file_.good()) {
      // More of the file may follow, so the last word may continue in the next
      // chunk.
      size_t end = chunk.size();
      while (end > 0 && IsWordCharacter(chunk[end - 1])) --end;
      carry_ = chunk.substr(end);
      chunk.resize(end);
    } else {
      file_.close();
      file_.clear();
    }
    if (!chunk.empty()) return chunk;
  }
}

}  // namespace word_count
