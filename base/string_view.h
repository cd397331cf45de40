// StringView: the type of each argument and result of this SDK that is a view
// of text or bytes. It takes and gives both std::string_view and
// absl::string_view.
//
// Where Abseil was built for C++17, absl::string_view is std::string_view, and
// so is StringView. Where it was not (Debian 12), absl::string_view is a class
// of its own, and neither of the two converts to the other. There StringView is
// a class that converts from both and to both. Abseil's functions, comparison
// and output take it as an absl::string_view.
//
// A view owns nothing: the text must live as long as the view is used.
#ifndef GEARMAN_BASE_STRING_VIEW_H_
#define GEARMAN_BASE_STRING_VIEW_H_

#include <cstddef>
#include <string_view>
#include <type_traits>

#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {

#ifdef ABSL_USES_STD_STRING_VIEW

using StringView = absl::string_view;

#else

class StringView : public absl::string_view {
 public:
  // Make the empty view, a view of a text that ends with a NUL, and views of
  // other text and bytes.
  constexpr StringView() = default;
  constexpr StringView(const char* text) : absl::string_view(text) {}
  constexpr StringView(const char* data, size_t size)
      : absl::string_view(data, size) {}
  constexpr StringView(absl::string_view text) : absl::string_view(text) {}

  // Takes what converts to an absl::string_view, such as a std::string.
  template <typename Text,
            std::enable_if_t<
                std::is_convertible_v<const Text&, absl::string_view>, int> = 0>
  constexpr StringView(const Text& text)
      : absl::string_view(static_cast<absl::string_view>(text)) {}
  // Takes what converts only to a std::string_view, such as a std::string_view.
  template <
      typename Text,
      std::enable_if_t<!std::is_convertible_v<const Text&, absl::string_view> &&
                           std::is_convertible_v<const Text&, std::string_view>,
                       long> = 0>
  constexpr StringView(const Text& text)
      : absl::string_view(FromStandard(static_cast<std::string_view>(text))) {}

  // Returns a view of the standard library of the same bytes.
  constexpr operator std::string_view() const {
    return std::string_view(data(), size());
  }

  // Returns `count` bytes from `position` on, or fewer at the end. `position`
  // must not be greater than size().
  constexpr StringView substr(size_t position = 0, size_t count = npos) const {
    return absl::string_view::substr(position, count);
  }

 private:
  static constexpr absl::string_view FromStandard(std::string_view text) {
    return absl::string_view(text.data(), text.size());
  }
};

#endif  // ABSL_USES_STD_STRING_VIEW

}  // namespace gearman

#endif  // GEARMAN_BASE_STRING_VIEW_H_
