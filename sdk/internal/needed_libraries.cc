#include "gearman/sdk/internal/needed_libraries.h"

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
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/process/descriptor.h"

namespace gearman {
namespace internal {
namespace {

// Linkers write some dozens of entries.
constexpr size_t kMaxDynamicEntries = 65536;
constexpr size_t kMaxName = 255;

constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned char kByteOrder =
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

// Reads up to `size` bytes. Returns how many it has read.
size_t ReadAt(const Descriptor& file, uint64_t offset, void* to, size_t size) {
  if (offset > static_cast<uint64_t>(std::numeric_limits<off_t>::max())) {
    return 0;
  }
  const ssize_t count = pread(file.get(), to, size, static_cast<off_t>(offset));
  return count < 0 ? 0 : static_cast<size_t>(count);
}

// A whole table of the file, or an empty one.
template <typename Entry>
std::vector<Entry> ReadTable(const Descriptor& file, uint64_t offset,
                             size_t entries) {
  std::vector<Entry> table(entries);
  const size_t size = entries * sizeof(Entry);
  if (ReadAt(file, offset, table.data(), size) != size) table.clear();
  return table;
}

// The program headers of a shared object of this kind of machine.
std::vector<ElfW(Phdr)> ReadSegments(const Descriptor& file) {
  ElfW(Ehdr) header;
  if (ReadAt(file, 0, &header, sizeof(header)) != sizeof(header) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != kClass ||
      header.e_ident[EI_DATA] != kByteOrder ||
      header.e_phentsize != sizeof(ElfW(Phdr))) {
    return {};
  }
  return ReadTable<ElfW(Phdr)>(file, header.e_phoff, header.e_phnum);
}

// Whether any segment loads `address` from the file, and from which offset.
bool OffsetOf(ElfW(Addr) address, const std::vector<ElfW(Phdr)>& segments,
              uint64_t* offset) {
  for (const ElfW(Phdr) & segment : segments) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
    const uint64_t distance = address - segment.p_vaddr;
    if (distance >= segment.p_filesz) continue;
    *offset = segment.p_offset + distance;
    return true;
  }
  return false;
}

std::string ReadName(const Descriptor& file, uint64_t offset) {
  char bytes[kMaxName + 1];
  const size_t size = ReadAt(file, offset, bytes, sizeof(bytes));
  const char* const end = std::find(bytes, bytes + size, '\0');
  return end == bytes + size
             ? std::string()
             : std::string(bytes, static_cast<size_t>(end - bytes));
}

bool IsFile(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

std::vector<std::string> NeededLibraries(const std::string& path) {
  // A pipe would make the call wait for its writer.
  if (!IsFile(path)) return {};
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return {};
  const std::vector<ElfW(Phdr)> segments = ReadSegments(file);
  const auto dynamic = std::find_if(
      segments.begin(), segments.end(),
      [](const ElfW(Phdr) & segment) { return segment.p_type == PT_DYNAMIC; });
  if (dynamic == segments.end()) return {};

  const std::vector<ElfW(Dyn)> entries = ReadTable<ElfW(Dyn)>(
      file, dynamic->p_offset,
      std::min<size_t>(dynamic->p_filesz / sizeof(ElfW(Dyn)),
                       kMaxDynamicEntries));
  const auto end = std::find_if(
      entries.begin(), entries.end(),
      [](const ElfW(Dyn) & entry) { return entry.d_tag == DT_NULL; });
  const auto strings = std::find_if(
      entries.begin(), end,
      [](const ElfW(Dyn) & entry) { return entry.d_tag == DT_STRTAB; });
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
    if (IsFile(path)) return path;
  }
  return {};
}

}  // namespace internal
}  // namespace gearman
