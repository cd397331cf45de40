// PieceCursor: a position in a list of pieces that form one stream.
//
// Not thread-safe. The pieces belong to the caller and must outlive the cursor.
#ifndef GEARMAN_TRANSPORTS_TLS_PIECE_CURSOR_H_
#define GEARMAN_TRANSPORTS_TLS_PIECE_CURSOR_H_

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/base/cpp17.h"

namespace gearman {

class PieceCursor {
 public:
  explicit PieceCursor(absl::Span<const absl::string_view> pieces)
      : pieces_(pieces) {
    SkipEmpty();
  }
  bool at_end() const { return pieces_.empty(); }
  void Advance(size_t bytes) {
    while (bytes > 0 && !at_end()) {
      const size_t here = std::min(bytes, pieces_.front().size() - offset_);
      bytes -= here;
      offset_ += here;
      SkipEmpty();
    }
  }
  // Whether more than `limit` bytes are left.
  bool HasMoreThan(size_t limit) const {
    size_t bytes = 0;
    for (const absl::string_view piece : pieces_) {
      bytes += piece.size();
      if (bytes > limit + offset_) return true;
    }
    return false;
  }
  // Returns bytes from this position on. If the rest of the current piece has
  // at least `limit` bytes or is the last piece, returns that rest. Otherwise
  // copies up to `limit` bytes of several pieces to `*memory` and returns them.
  absl::string_view Gather(size_t limit, std::string* memory) const {
    const absl::string_view first = pieces_.front().substr(offset_);
    if (first.size() >= limit || pieces_.size() == 1) return first;
    memory->assign(first.data(), first.size());
    for (const absl::string_view piece : pieces_.subspan(1)) {
      const absl::string_view more = piece.substr(0, limit - memory->size());
      memory->append(more.data(), more.size());
    }
    return *memory;
  }

 private:
  void SkipEmpty() {
    while (!pieces_.empty() && offset_ == pieces_.front().size()) {
      pieces_.remove_prefix(1);
      offset_ = 0;
    }
  }

  absl::Span<const absl::string_view> pieces_;
  size_t offset_ = 0;  // in the first piece
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_PIECE_CURSOR_H_
