// Makes shell completion and the man page from the table of subcommands and the
// flags. One thread.
#ifndef GEARMAN_TOOLS_GEARCTL_DOCUMENTS_H_
#define GEARMAN_TOOLS_GEARCTL_DOCUMENTS_H_

#include <string>

#include "absl/types/span.h"
#include "gearman/tools/gearctl/subcommand.h"

namespace gearman {
namespace gearctl {

// Return a script to be sourced (bash), or to be named _gearctl in a folder of
// $fpath (zsh).
std::string BashCompletion(absl::Span<const Subcommand> subcommands);
std::string ZshCompletion(absl::Span<const Subcommand> subcommands);

// Returns the page in man(7) format, for section 1.
std::string ManPage(absl::Span<const Subcommand> subcommands);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_DOCUMENTS_H_
