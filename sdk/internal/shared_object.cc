#include "gearman/sdk/internal/shared_object.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/process/descriptor.h"

namespace gearman {
namespace internal {
namespace {

using FileHeader = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Section = ElfW(Shdr);
using DynamicEntry = ElfW(Dyn);
using Symbol = ElfW(Sym);

// Linkers write some dozens of entries.
constexpr size_t kMaxDynamicEntries = 65536;
constexpr size_t kMaxName = 255;
// The largest libraries have some hundred thousand symbols.
constexpr size_t kMaxSymbols = size_t{1} << 20;
constexpr size_t kMaxNames = size_t{64} << 20;

constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned char kByteOrder =
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

bool IsRegularFile(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

class File {
 public:
  // Has a header if the file is a shared object of this kind of machine.
  explicit File(const std::string& path) {
    // A pipe would make the call wait for its writer.
    if (!IsRegularFile(path)) return;
    descriptor_ =
        Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat info;
    if (!descriptor_.is_open() || fstat(descriptor_.get(), &info) != 0) return;
    size_ = static_cast<uint64_t>(info.st_size);
    has_header_ = Read(0, &header_, sizeof(header_)) == sizeof(header_) &&
                  std::memcmp(header_.e_ident, ELFMAG, SELFMAG) == 0 &&
                  header_.e_ident[EI_CLASS] == kClass &&
                  header_.e_ident[EI_DATA] == kByteOrder;
  }

  bool has_header() const { return has_header_; }
  const FileHeader& header() const { return header_; }

  // Reads up to `size` bytes. Returns how many it has read.
  size_t Read(uint64_t offset, void* to, size_t size) const {
    if (offset > size_) return 0;
    const ssize_t count =
        pread(descriptor_.get(), to, size, static_cast<off_t>(offset));
    return count < 0 ? 0 : static_cast<size_t>(count);
  }

  // Returns a whole table of the file, or an empty one.
  template <typename Entry>
  std::vector<Entry> Table(uint64_t offset, uint64_t entries,
                           size_t max_entries) const {
    if (entries > max_entries || entries * sizeof(Entry) > size_) return {};
    std::vector<Entry> table(entries);
    const size_t size = entries * sizeof(Entry);
    if (Read(offset, table.data(), size) != size) table.clear();
    return table;
  }

 private:
  Descriptor descriptor_;
  uint64_t size_ = 0;
  bool has_header_ = false;
  FileHeader header_ = {};
};

std::vector<Segment> ReadSegments(const File& file) {
  const FileHeader& header = file.header();
  if (!file.has_header() || header.e_phentsize != sizeof(Segment)) return {};
  return file.Table<Segment>(header.e_phoff, header.e_phnum, header.e_phnum);
}

// Whether any segment loads `address` from the file, and from which offset.
bool OffsetOf(uint64_t address, const std::vector<Segment>& segments,
              uint64_t* offset) {
  for (const Segment& segment : segments) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
    const uint64_t distance = address - segment.p_vaddr;
    if (distance >= segment.p_filesz) continue;
    *offset = segment.p_offset + distance;
    return true;
  }
  return false;
}

std::string ReadName(const File& file, uint64_t offset) {
  char bytes[kMaxName + 1];
  const char* const end = bytes + file.Read(offset, bytes, sizeof(bytes));
  const char* const begin = bytes;
  const char* const zero = std::find(begin, end, '\0');
  return zero == end ? std::string() : std::string(begin, zero);
}

}  // namespace

std::vector<std::string> NeededLibraries(const std::string& path) {
  const File file(path);
  const std::vector<Segment> segments = ReadSegments(file);
  const auto dynamic = std::find_if(
      segments.begin(), segments.end(),
      [](const Segment& segment) { return segment.p_type == PT_DYNAMIC; });
  if (dynamic == segments.end()) return {};

  const std::vector<DynamicEntry> entries = file.Table<DynamicEntry>(
      dynamic->p_offset, dynamic->p_filesz / sizeof(DynamicEntry),
      kMaxDynamicEntries);
  const auto end = std::find_if(
      entries.begin(), entries.end(),
      [](const DynamicEntry& entry) { return entry.d_tag == DT_NULL; });
  const auto strings = std::find_if(
      entries.begin(), end,
      [](const DynamicEntry& entry) { return entry.d_tag == DT_STRTAB; });
  uint64_t names = 0;
  if (strings == end || !OffsetOf(strings->d_un.d_ptr, segments, &names)) {
    return {};
  }
  std::vector<std::string> needed;
  for (auto entry = entries.begin(); entry != end; ++entry) {
    if (entry->d_tag != DT_NEEDED) continue;
    std::string name = ReadName(file, names + entry->d_un.d_val);
    if (!name.empty()) needed.push_back(std::move(name));
  }
  return needed;
}

std::vector<std::string> DefinedNames(const std::string& path,
                                      absl::string_view prefix) {
  const File file(path);
  const FileHeader& header = file.header();
  if (!file.has_header() || header.e_shentsize != sizeof(Section)) return {};
  const std::vector<Section> sections =
      file.Table<Section>(header.e_shoff, header.e_shnum, header.e_shnum);
  const auto table = std::find_if(
      sections.begin(), sections.end(),
      [](const Section& section) { return section.sh_type == SHT_DYNSYM; });
  if (table == sections.end() || table->sh_link >= sections.size()) return {};

  const std::vector<Symbol> symbols = file.Table<Symbol>(
      table->sh_offset, table->sh_size / sizeof(Symbol), kMaxSymbols);
  const Section& strings = sections[table->sh_link];
  std::vector<char> names =
      file.Table<char>(strings.sh_offset, strings.sh_size, kMaxNames);
  // The last name ends in the table, too.
  if (names.empty() || names.back() != '\0') return {};
  std::vector<std::string> defined;
  for (const Symbol& symbol : symbols) {
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_name >= names.size()) {
      continue;
    }
    const absl::string_view name(&names[symbol.st_name]);
    if (absl::StartsWith(name, prefix)) {
      defined.emplace_back(name.substr(prefix.size()));
    }
  }
  return defined;
}

std::string FindLibrary(const std::string& name, const void* caller) {
  if (name.find('/') != std::string::npos) return name;
  Dl_info object;
  link_map* map = nullptr;
  if (dladdr1(caller, &object, reinterpret_cast<void**>(&map),
              RTLD_DL_LINKMAP) == 0 ||
      map == nullptr) {
    return {};
  }
  Dl_serinfo size;
  if (dlinfo(map, RTLD_DI_SERINFOSIZE, &size) != 0) return {};
  // The folders' names stand behind the structure.
  std::vector<std::max_align_t> buffer(
      size.dls_size / sizeof(std::max_align_t) + 1);
  auto* const folders = reinterpret_cast<Dl_serinfo*>(buffer.data());
  *folders = size;
  if (dlinfo(map, RTLD_DI_SERINFO, folders) != 0) return {};
  for (unsigned int i = 0; i < folders->dls_cnt; ++i) {
    std::string path =
        absl::StrCat(folders->dls_serpath[i].dls_name, "/", name);
    if (IsRegularFile(path)) return path;
  }
  return {};
}

}  // namespace internal
}  // namespace gearman
