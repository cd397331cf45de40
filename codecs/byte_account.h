// ByteAccount: counts the bytes of memory that one owner uses: a connection,
// all connections of a server, a queue of jobs. An account belongs to at most
// one larger account, which counts its bytes, too.
//
//   ByteAccount server;
//   ByteAccount connection(&server);
//   ByteShare decoder(&connection);
//   decoder.Set(bytes_that_it_holds_now);
//
// Every call costs O(depth), which is O(1): no account has more than two above
// it. Not thread-safe: the lock of the owner guards its accounts.
#ifndef GEARMAN_CODECS_BYTE_ACCOUNT_H_
#define GEARMAN_CODECS_BYTE_ACCOUNT_H_

#include <cstddef>

#include "gearman/base/cpp17.h"

namespace gearman {

class ByteAccount {
 public:
  // `parent` may be null; otherwise it must outlive this account.
  explicit ByteAccount(ByteAccount* parent = nullptr) : parent_(parent) {}
  // Removes the remaining bytes from the parent, too.
  ~ByteAccount() {
    if (parent_ != nullptr) parent_->Remove(bytes_);
  }
  ByteAccount(const ByteAccount&) = delete;
  ByteAccount& operator=(const ByteAccount&) = delete;

  void Add(size_t bytes) {
    for (ByteAccount* each = this; each != nullptr; each = each->parent_) {
      each->bytes_ += bytes;
    }
  }
  // The account must hold at least `bytes`.
  void Remove(size_t bytes) {
    for (ByteAccount* each = this; each != nullptr; each = each->parent_) {
      each->bytes_ -= bytes;
    }
  }

  // The bytes of this account and of the accounts that belong to it.
  size_t bytes() const { return bytes_; }

 private:
  ByteAccount* const parent_;
  size_t bytes_ = 0;
};

// The part of an account that one object holds. It knows its size at any time.
// The destructor gives all bytes back.
class ByteShare {
 public:
  // `account` must outlive this share. If it is null, no account counts the
  // bytes.
  explicit ByteShare(ByteAccount* account) : account_(account) {}
  ~ByteShare() { Set(0); }
  ByteShare(const ByteShare&) = delete;
  ByteShare& operator=(const ByteShare&) = delete;

  // Notes that the object holds `bytes` now.
  void Set(size_t bytes) {
    if (account_ == nullptr) {
    } else if (bytes > bytes_) {
      account_->Add(bytes - bytes_);
    } else if (bytes < bytes_) {
      account_->Remove(bytes_ - bytes);
    }
    bytes_ = bytes;
  }
  size_t bytes() const { return bytes_; }

 private:
  ByteAccount* const account_;
  size_t bytes_ = 0;
};

}  // namespace gearman

#endif  // GEARMAN_CODECS_BYTE_ACCOUNT_H_
