// DatabaseLock: lets the SQLite store of a gearmand fail for a while.
#ifndef GEARMAN_TESTS_INTEGRATION_DATABASE_LOCK_H_
#define GEARMAN_TESTS_INTEGRATION_DATABASE_LOCK_H_

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"

namespace gearman {

// Locks an SQLite database against everybody, as another process that writes
// to it does: SQLite locks these bytes of its file.
class DatabaseLock {
 public:
  explicit DatabaseLock(const std::string& path)
      : file_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x40000000;
    lock.l_len = 512;
    EXPECT_EQ(fcntl(file_, F_SETLK, &lock), 0) << path;
  }
  ~DatabaseLock() { close(file_); }
  DatabaseLock(const DatabaseLock&) = delete;
  DatabaseLock& operator=(const DatabaseLock&) = delete;

 private:
  const int file_;
};

}  // namespace gearman

#endif  // GEARMAN_TESTS_INTEGRATION_DATABASE_LOCK_H_
