// Callback: the type of each option of this SDK that is a function. It is a
// std::function that also takes functions that can't be copied, such as a
// lambda that has captured a std::unique_ptr.
//
//   options.callbacks.on_complete =
//       [file = std::move(file)](const gearman::JobRequest& request) { ... };
//
// Callbacks can be copied, and so can the options that have them. A copy of a
// callback has a copy of its function if the function can be copied, as with
// std::function. Otherwise both callbacks share the function, and its calls may
// come from several threads.
#ifndef GEARMAN_BASE_CALLBACK_H_
#define GEARMAN_BASE_CALLBACK_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "gearman/base/cpp17.h"

namespace gearman {

template <typename Signature>
class Callback;

// A callback that takes `Arguments` and returns `Result`.
template <typename Result, typename... Arguments>
class Callback<Result(Arguments...)>
    : public std::function<Result(Arguments...)> {
  using Function = std::function<Result(Arguments...)>;

 public:
  // Both constructors make the empty callback, which must not be called.
  Callback() = default;
  Callback(std::nullptr_t) {}
  // Takes any function with fitting arguments, also one that can only be moved.
  template <
      typename Target, typename Kept = std::decay_t<Target>,
      std::enable_if_t<!std::is_same_v<Kept, Callback> &&
                           std::is_invocable_r_v<Result, Kept&, Arguments...>,
                       int> = 0>
  Callback(Target&& target) : Function(Keep(std::forward<Target>(target))) {}

 private:
  template <typename Target>
  static Function Keep(Target&& target) {
    using Kept = std::decay_t<Target>;
    if constexpr (std::is_class_v<Kept>) {
      if (IsEmpty(std::addressof(target))) return nullptr;
    }
    if constexpr (std::is_copy_constructible_v<Kept>) {
      return Function(std::forward<Target>(target));
    } else {
      return Share(std::make_shared<Kept>(std::forward<Target>(target)));
    }
  }
  // std::function knows that another std::function is empty, but not that an
  // object of a class derived from it is, such as a callback with another
  // signature.
  template <typename Signature>
  static bool IsEmpty(const std::function<Signature>* target) {
    return !*target;
  }
  static bool IsEmpty(const void*) { return false; }
  template <typename Kept>
  static Function Share(std::shared_ptr<Kept> kept) {
    // An empty absl::AnyInvocable makes an empty callback.
    if constexpr (std::is_constructible_v<bool, Kept&>) {
      if (!static_cast<bool>(*kept)) return nullptr;
    }
    return [kept = std::move(kept)](Arguments... arguments) -> Result {
      return (*kept)(std::forward<Arguments>(arguments)...);
    };
  }
};

}  // namespace gearman

#endif  // GEARMAN_BASE_CALLBACK_H_
