// Plays the seeds of a fuzz target, whole, cut short and changed at random,
// the same in every run.
#include <random>
#include <string>

#include "gearman/tests/fuzz/fuzz_target.h"
#include "gtest/gtest.h"

namespace gearman {
namespace fuzz {
namespace {

void Play(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()),
                         bytes.size());
}

TEST(FuzzTarget, SurvivesItsSeeds) {
  for (const std::string& seed : Seeds()) Play(seed);
}

TEST(FuzzTarget, SurvivesItsSeedsCutShort) {
  for (const std::string& seed : Seeds()) {
    for (size_t size = 0; size < seed.size(); ++size) {
      Play(seed.substr(0, size));
    }
  }
}

TEST(FuzzTarget, SurvivesItsSeedsChanged) {
  std::mt19937 random(42);  // NOLINT: the same in every run
  for (const std::string& seed : Seeds()) {
    for (int i = 0; i < 2000; ++i) {
      std::string changed = seed;
      for (int n = static_cast<int>(random() % 4); n >= 0; --n) {
        if (changed.empty()) break;
        const size_t at = random() % changed.size();
        switch (random() % 3) {
          case 0:
            changed[at] = static_cast<char>(random());
            break;
          case 1:
            changed.erase(at, 1 + random() % 8);
            break;
          default:
            changed.insert(at, changed.substr(random() % changed.size(), 8));
        }
      }
      Play(changed);
    }
  }
}

}  // namespace
}  // namespace fuzz
}  // namespace gearman
