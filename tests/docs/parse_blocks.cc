// parse_blocks FILE reads what `tools/doc_blocks.py parsed` has written: the
// configs and the lines of gearctl of the documents. It prints each one that
// this tree does not accept, with its place. Status 1: there was one.
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/config.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/tools/gearctl/subcommand.h"
#include "gearman/tools/gearctl/subcommands.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"

namespace gearman {
namespace {

// Keeps the first mistake in a text, with its line and column.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) {
      text_ = absl::StrCat(line + 1, ":", column + 1, ": ", message);
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::Status ParseConfig(const std::string& text) {
  const absl::StatusOr<Config> config = Config::FromText(text, "block");
  return config.ok() ? config->Validate() : config.status();
}

absl::Status ParseMessage(const std::string& name, const std::string& text) {
  if (name == config::GearmanConfig::descriptor()->full_name()) {
    return ParseConfig(text);
  }
  const google::protobuf::Descriptor* const type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
          name);
  if (type == nullptr) {
    return absl::NotFoundError(absl::StrCat("no message ", name));
  }
  const std::unique_ptr<google::protobuf::Message> message(
      google::protobuf::MessageFactory::generated_factory()
          ->GetPrototype(type)
          ->New());
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  return parser.ParseFromString(text, message.get())
             ? absl::OkStatus()
             : absl::InvalidArgumentError(error.text());
}

absl::Status ParseGearctl(std::vector<std::string> words) {
  const absl::FlagSaver saver;  // flags are global
  if (words.empty() || words[0] == "help" || words[0] == "--version") {
    if (words.size() < 2) return absl::OkStatus();
    return gearctl::FindSubcommand(words[1]) != nullptr
               ? absl::OkStatus()
               : absl::NotFoundError(absl::StrCat("no subcommand ", words[1]));
  }
  words = gearctl::WithSubcommandFirst(std::move(words));
  const gearctl::Subcommand* const subcommand =
      gearctl::FindSubcommand(words[0]);
  if (subcommand == nullptr) {
    return absl::NotFoundError(absl::StrCat("no subcommand ", words[0]));
  }
  words.erase(words.begin());
  return gearctl::ParseArguments(*subcommand, words).status();
}

absl::Status ParseItem(const google::protobuf::Struct& item) {
  const auto& fields = item.fields();
  if (fields.contains("message")) {
    return ParseMessage(fields.at("message").string_value(),
                        fields.at("text").string_value());
  }
  std::vector<std::string> words;
  for (const auto& word : fields.at("gearctl").list_value().values()) {
    words.push_back(word.string_value());
  }
  return ParseGearctl(std::move(words));
}

int Main(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  google::protobuf::ListValue items;
  if (!google::protobuf::util::JsonStringToMessage(text.str(), &items).ok() ||
      items.values().empty()) {
    std::cerr << path << ": has no list of blocks\n";
    return 1;
  }
  int failed = 0;
  for (const auto& item : items.values()) {
    const absl::Status status = ParseItem(item.struct_value());
    if (status.ok()) continue;
    std::cout << item.struct_value().fields().at("place").string_value() << ": "
              << status.message() << "\n";
    ++failed;
  }
  std::cout << items.values_size() << " blocks and lines, " << failed
            << " wrong\n";
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace gearman

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: parse_blocks FILE\n";
    return 2;
  }
  return gearman::Main(argv[1]);
}
