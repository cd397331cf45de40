#include "gearman/base/string_view.h"

#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;

// Like a function of the SDK that takes a view.
std::string Taken(StringView text) {
  return std::string(text.data(), text.size());
}
// Like one that returns a view.
StringView Given(const std::string& text) { return text; }

// A user's class, which converts to one of the two views only.
template <typename View>
struct Text {
  operator View() const { return View("text"); }
};

TEST(StringView, TakesEachKindOfText) {
  const std::string string("a\0b", 3);
  const char array[] = "array";
  char changeable[] = "changeable";
  EXPECT_EQ(Taken("literal"), "literal");
  EXPECT_EQ(Taken(array), "array");
  EXPECT_EQ(Taken(changeable), "changeable");
  EXPECT_EQ(Taken(string), string);
  EXPECT_EQ(Taken(std::string("temporary")), "temporary");
  EXPECT_EQ(Taken(std::string_view(string)), string);
  EXPECT_EQ(Taken(absl::string_view(string)), string);
  EXPECT_EQ(Taken(StringView(string)), string);
  EXPECT_EQ(Taken({string.data(), 1}), "a");
  EXPECT_EQ(Taken({}), "");
  EXPECT_EQ(Taken(Text<std::string_view>()), "text");
  EXPECT_EQ(Taken(Text<absl::string_view>()), "text");
}

TEST(StringView, GivesEachKindOfText) {
  const std::string string("a\0b", 3);
  const std::string_view standard = Given(string);
  const absl::string_view abseil = Given(string);
  const auto own = Given(string);
  EXPECT_EQ(standard.data(), string.data());
  EXPECT_EQ(standard.size(), 3u);
  EXPECT_EQ(abseil.data(), string.data());
  EXPECT_EQ(abseil.size(), 3u);
  EXPECT_EQ(own.data(), string.data());
  EXPECT_EQ(std::string(Given(string)), string);
  EXPECT_EQ(static_cast<std::string>(Given(string)), string);
  EXPECT_EQ(std::string{Given(string)}, string);
  EXPECT_EQ(std::string_view{Given(string)}, string);
  EXPECT_EQ(absl::string_view{Given(string)}, string);
  EXPECT_EQ(std::string(own.rbegin(), own.rend()), std::string("b\0a", 3));

  std::string assigned;
  assigned = Given("one");
  assigned += Given(" and ");
  assigned.append(Given("two"));
  EXPECT_EQ(assigned, "one and two");
  EXPECT_EQ(assigned.find(Given("and")), 4u);
}

TEST(StringView, NothingIsAmbiguousWhereBothViewsAreTaken) {
  struct Overloads {
    static std::string Take(absl::string_view) { return "view"; }
    static std::string Take(const std::string&) { return "string"; }
  };
  EXPECT_EQ(Overloads::Take(Given("x")), "view");
  struct Standard {
    static std::string Take(std::string_view) { return "view"; }
    static std::string Take(const std::string&) { return "string"; }
  };
  EXPECT_EQ(Standard::Take(Given("x")), "view");
  const bool yes = !Given("x").empty();
  EXPECT_EQ(yes ? Given("x") : "y", "x");
  EXPECT_EQ(yes ? Given("x") : absl::string_view(), "x");
}

TEST(StringView, IsPassedOnByAReferenceAndByATemplate) {
  // Wrappers of users take views by value, and by reference.
  const auto by_value = [](std::string_view text) { return Taken(text); };
  const auto by_reference = [](const std::string_view& text) {
    return Taken(text);
  };
  const auto forwarded = [](auto&& text) { return Taken(text); };
  StringView view = "x";
  EXPECT_EQ(by_value(view), "x");
  EXPECT_EQ(by_reference(view), "x");
  EXPECT_EQ(forwarded(view), "x");
  EXPECT_EQ(forwarded(std::string_view(view)), "x");
}

TEST(StringView, ComparesWithEachKindOfText) {
  const std::string string = "b";
  const StringView view = string;
  const std::string_view standard = string;
  const absl::string_view abseil = string;
  EXPECT_TRUE(view == view && !(view != view) && !(view < view));
  EXPECT_TRUE(view == "b" && "b" == view && view != "a" && "a" != view);
  EXPECT_TRUE(view == string && string == view);
  EXPECT_TRUE(view == standard && standard == view && !(standard != view));
  EXPECT_TRUE(view == abseil && abseil == view && !(abseil != view));
  EXPECT_TRUE(view < "c" && "a" < view && view >= string && string <= view);
  EXPECT_TRUE(view <= standard && standard <= view);
  EXPECT_TRUE(view <= abseil && abseil <= view);
  EXPECT_LT(view.compare("c"), 0);
}

TEST(StringView, WorksInAbseilsFunctions) {
  const StringView view = "a,b";
  EXPECT_EQ(absl::StrCat(view, "-", view), "a,b-a,b");
  std::string appended = "x";
  absl::StrAppend(&appended, view);
  EXPECT_EQ(appended, "xa,b");
  EXPECT_TRUE(absl::StartsWith(view, "a"));
  EXPECT_EQ(absl::StripPrefix(view, "a,"), "b");
  StringView rest = view;
  EXPECT_TRUE(absl::ConsumePrefix(&rest, "a,"));
  EXPECT_EQ(rest, "b");
  const std::vector<std::string> parts = absl::StrSplit(view, ',');
  EXPECT_THAT(parts, ElementsAre("a", "b"));
  const std::vector<StringView> views = {"c", "d"};
  EXPECT_EQ(absl::StrJoin(views, "+"), "c+d");
  EXPECT_TRUE(absl::EqualsIgnoreCase(view, "A,B"));
}

TEST(StringView, IsAKeyOfContainers) {
  const absl::flat_hash_map<std::string, int> numbers = {{"one", 1}};
  EXPECT_EQ(numbers.at(Given("one")), 1);
  const absl::flat_hash_set<StringView> set = {"one"};
  EXPECT_TRUE(set.contains(StringView("one")));
  const std::map<StringView, int> ordered = {{"two", 2}, {"one", 1}};
  EXPECT_EQ(ordered.begin()->first, "one");
}

TEST(StringView, IsWrittenAsText) {
  std::ostringstream out;
  out << Given("x") << StringView() << "y";
  EXPECT_EQ(out.str(), "xy");
}

TEST(StringView, ItsPartsAreStringViewsAgain) {
  const StringView whole = "hello";
  const auto part = whole.substr(1, 3);
  const std::string_view standard = part;
  EXPECT_EQ(standard, "ell");
  EXPECT_TRUE((std::is_same_v<decltype(part), const StringView>));
}

TEST(StringView, CostsNoMoreThanAbseils) {
  EXPECT_EQ(sizeof(StringView), sizeof(absl::string_view));
  EXPECT_TRUE(std::is_trivially_copyable_v<StringView>);
}

TEST(StringView, IsConstant) {
  constexpr StringView kText = "constant";
  static_assert(kText.size() == 8);
  constexpr std::string_view kStandard = kText;
  static_assert(kStandard.size() == 8);
  constexpr StringView kAgain = kStandard;
  static_assert(kAgain.substr(3).size() == 5);
  EXPECT_EQ(kAgain, "constant");
}

}  // namespace
}  // namespace gearman
