#include "gearman/base/callback.h"

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using Add = Callback<int(int)>;

int Twice(int number) { return 2 * number; }

TEST(Callback, IsEmptyUntilItIsSet) {
  Add add;
  EXPECT_FALSE(add);
  EXPECT_TRUE(add == nullptr);
  add = Twice;
  ASSERT_TRUE(add);
  EXPECT_EQ(add(4), 8);
  add = nullptr;
  EXPECT_FALSE(add);
}

TEST(Callback, TakesWhatCanNotBeCopied) {
  Add add = [one = std::make_unique<int>(1)](int number) {
    return number + *one;
  };
  EXPECT_EQ(add(2), 3);
  absl::AnyInvocable<int(int)> any = Twice;
  add = std::move(any);
  EXPECT_EQ(add(2), 4);
}

TEST(Callback, CopiesOfAFunctionThatCanBeCopiedAreCopies) {
  const Add first = [calls = 0](int) mutable { return ++calls; };
  const Add second = first;
  EXPECT_EQ(first(0), 1);
  EXPECT_EQ(first(0), 2);
  EXPECT_EQ(second(0), 1);
}

TEST(Callback, CopiesOfAnyOtherShareIt) {
  const Add first = [calls = std::make_unique<int>(0)](int) {
    return ++*calls;
  };
  const Add second = first;
  EXPECT_EQ(first(0), 1);
  EXPECT_EQ(second(0), 2);
}

TEST(Callback, IsEmptyIfTheFunctionIs) {
  EXPECT_FALSE(Add(std::function<int(int)>()));
  EXPECT_FALSE(Add(absl::AnyInvocable<int(int)>()));
  EXPECT_FALSE(Add(static_cast<int (*)(int)>(nullptr)));
  const Callback<int(long)> other;  // NOLINT: another signature
  EXPECT_FALSE(Add(other));
}

TEST(Callback, DestroysWhatItHolds) {
  auto held = std::make_shared<std::string>("held");
  {
    const Callback<void()> callback = [held, only = std::make_unique<int>(1)] {
    };
    const Callback<void()> copy = callback;
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Callback, PassesArgumentsOnWithoutCopies) {
  const Callback<std::string(std::string&, std::unique_ptr<int>)> callback =
      [only = std::make_unique<int>(1)](std::string& text,
                                        std::unique_ptr<int> number) {
        text += "!";
        return text + std::to_string(*number + *only);
      };
  std::string text = "a";
  EXPECT_EQ(callback(text, std::make_unique<int>(2)), "a!3");
  EXPECT_EQ(text, "a!");
}

static_assert(std::is_copy_constructible_v<Add>);
static_assert(!std::is_constructible_v<Add, int>);
static_assert(!std::is_constructible_v<Add, std::string (*)(std::string)>);

}  // namespace
}  // namespace gearman
