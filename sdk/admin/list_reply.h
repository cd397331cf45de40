// Reads the rows of a reply to a text command, and makes errors of refusals.
//
// Stateless; any thread.
#ifndef GEARMAN_SDK_ADMIN_LIST_REPLY_H_
#define GEARMAN_SDK_ADMIN_LIST_REPLY_H_

#include <cstddef>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/admin/reply.h"
#include "gearman/codecs/admin/reply_decoder.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

// Returns the error for a command that `server` refuses.
absl::Status RefusedError(absl::string_view server, absl::string_view command,
                          const admin::LineReply& refusal);

// Visits the rows of the list that `server` has sent for `command`. Counts the
// rows that can't be read in `unreadable`. Returns an error if the server
// refuses the command, and the error of the first row if no row can be read.
template <typename Row>
absl::Status VisitRows(absl::string_view server, absl::string_view command,
                       const admin::Reply& reply,
                       absl::StatusOr<Row> (*parse)(absl::string_view),
                       absl::FunctionRef<void(Row&&)> visit,
                       UnreadableRows* unreadable) {
  // The most bytes of an unreadable row that a message shows.
  constexpr size_t kMaxShownBytes = 64;
  if (reply.list_refused) {
    return RefusedError(server, command,
                        admin::ParseLineReply(reply.lines.front()));
  }
  size_t rows = 0;
  absl::Status first_error;
  for (const absl::string_view line : reply.lines) {
    absl::StatusOr<Row> row = parse(line);
    if (row.ok()) {
      ++rows;
      visit(*std::move(row));
    } else if (++unreadable->count == 1) {
      unreadable->first = SafeText(line, kMaxShownBytes);
      first_error = row.status();
    }
  }
  if (rows == 0 && unreadable->count > 0) {
    return absl::Status(first_error.code(),
                        absl::StrCat(server, ": ", first_error.message()));
  }
  return absl::OkStatus();
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_ADMIN_LIST_REPLY_H_
