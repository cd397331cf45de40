// SealedRecords: TLS records that have been made and not yet written, so that
// many of them leave in one system call, and what of the plain bytes they hold.
//
// Not thread-safe: owned by one transport.
#ifndef GEARMAN_TRANSPORTS_TLS_SEALED_RECORDS_H_
#define GEARMAN_TRANSPORTS_TLS_SEALED_RECORDS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace gearman {

class SealedRecords {
 public:
  // Nothing waits to be written.
  bool empty() const { return sent_ == bytes_.size(); }
  // What waits to be written; valid until the next Append or Sent.
  absl::string_view pending() const {
    return absl::string_view(bytes_).substr(sent_);
  }
  // Plain bytes in records that have not been written as a whole.
  size_t plain() const { return plain_; }

  // Bytes of a record.
  void Append(absl::string_view sealed) {
    bytes_.append(sealed.data(), sealed.size());
  }
  // What has been appended since the last call holds so many plain bytes.
  void EndRecord(size_t plain) {
    records_.push_back({bytes_.size(), plain});
    plain_ += plain;
  }
  // So many of the pending bytes have been written. Returns the plain bytes of
  // the records that are thereby complete: until its last byte has been written
  // a peer can make nothing of a record.
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
  // Gives the memory back. Only when empty.
  void Release() {
    std::string().swap(bytes_);
    std::vector<Record>().swap(records_);
  }

 private:
  struct Record {
    size_t end;  // in bytes_
    size_t plain;
  };

  std::string bytes_;
  size_t sent_ = 0;
  std::vector<Record> records_;
  size_t first_ = 0;  // of those that are not complete
  size_t plain_ = 0;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TLS_SEALED_RECORDS_H_
