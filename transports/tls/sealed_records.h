// SealedRecords: TLS records that have been made and not yet written, so that
// many records leave in one system call. It counts the plain bytes in them.
//
// The class is not thread-safe: one transport owns it.
#ifndef GEARMAN_TRANSPORTS_TLS_SEALED_RECORDS_H_
#define GEARMAN_TRANSPORTS_TLS_SEALED_RECORDS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {

class SealedRecords {
 public:
  // Whether no bytes wait to be written.
  bool empty() const { return sent_ == bytes_.size(); }
  // The bytes that wait to be written. They are valid until the next Append or
  // Sent.
  absl::string_view pending() const {
    return absl::string_view(bytes_).substr(sent_);
  }
  // The plain bytes in records that have not been written completely.
  size_t plain() const { return plain_; }

  // Appends bytes of a record.
  void Append(absl::string_view sealed) {
    bytes_.append(sealed.data(), sealed.size());
  }
  // Ends a record: the bytes appended since the last call hold `plain` plain
  // bytes.
  void EndRecord(size_t plain) {
    records_.push_back({bytes_.size(), plain});
    plain_ += plain;
  }
  // Notes that `bytes` of the pending bytes have been written. Returns the
  // plain bytes of the records that are now complete. A peer can't read a
  // record before its last byte has been written.
  size_t Sent(size_t bytes) {
    sent_ += bytes;
    size_t complete = 0;
    for (; first_ < records_.size() && records_[first_].end <= sent_;
         ++first_) {
      complete += records_[first_].plain;
    }
    plain_ -= complete;
    if (empty()) {
      bytes_.clear();
      sent_ = 0;
      records_.clear();
      first_ = 0;
    }
    return complete;
  }
  // Frees the memory. Call it only when empty.
  void Release() {
    std::string().swap(bytes_);
    std::vector<Record>().swap(records_);
  }

 private:
  struct Record {
    size_t end;  // its position in bytes_
    size_t plain;
  };

  std::string bytes_;
  size_t sent_ = 0;
  std::vector<Record> records_;
  size_t first_ = 0;  // the first record that is not complete
  size_t plain_ = 0;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_SEALED_RECORDS_H_
