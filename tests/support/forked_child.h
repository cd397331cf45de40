// RunInChild: what a child made by fork sees and does.
#ifndef GEARMAN_TESTS_SUPPORT_FORKED_CHILD_H_
#define GEARMAN_TESTS_SUPPORT_FORKED_CHILD_H_

#include <functional>
#include <string>

namespace gearman {
namespace support {

// Forks. The child runs `body` and ends with _exit, or as `body` ends it; the
// parent waits for its end. Returns what `body` returned, which is empty when
// all is well, or how the child ended otherwise: "exit code 3", "signal 11". A
// child that hangs is ended by SIGALRM after a minute.
std::string RunInChild(const std::function<std::string()>& body);

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_FORKED_CHILD_H_
