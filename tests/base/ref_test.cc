#include "gearman/base/ref.h"

#include <utility>

#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

class Base : public Counted {
 public:
  virtual ~Base() = default;
};

class Derived final : public Base {
 public:
  explicit Derived(bool* gone) : gone_(gone) {}
  ~Derived() override { *gone_ = true; }

 private:
  bool* const gone_;
};

TEST(RefTest, TheLastOneDestroysTheObject) {
  bool gone = false;
  auto first = Ref<Derived>::Make(&gone);
  Ref<Derived> second = first;
  EXPECT_EQ(first, second);
  EXPECT_EQ(first.owners(), 2u);
  first = nullptr;
  EXPECT_FALSE(gone);
  second = nullptr;
  EXPECT_TRUE(gone);
}

TEST(RefTest, OneToABaseOwnsTheDerivedObject) {
  bool gone = false;
  auto derived = Ref<Derived>::Make(&gone);
  Ref<Base> shared = derived;
  EXPECT_EQ(shared.get(), derived.get());
  EXPECT_EQ(derived.owners(), 2u);
  shared = nullptr;
  EXPECT_FALSE(gone);
  Ref<Base> taken = std::move(derived);
  EXPECT_EQ(taken.owners(), 1u);
  taken = nullptr;
  EXPECT_TRUE(gone);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
