#include "core/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace moescope {

namespace {

tl::unexpected<Error> openError(const std::filesystem::path& path, int code) {
  if (code == ENOENT) {
    return fail("file.not_found", path.string(), "", "there is no such file", "check the path");
  }
  return fail("file.unreadable", path.string(), "", std::string("cannot be read: ") + std::strerror(code),
              "check its permissions");
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::filesystem::path& path) {
  // A pipe must not be waited for: it is refused below.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return openError(path, errno);
  struct stat status {};
  const void* data = nullptr;
  int code = ::fstat(descriptor, &status) == 0 ? 0 : errno;
  if (code == 0 && !S_ISREG(status.st_mode)) code = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
  const auto size = static_cast<std::size_t>(status.st_size);
  if (code == 0 && size > 0) {
    data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED) code = errno;
  }
  ::close(descriptor);
  if (code != 0) return openError(path, code);
  return std::shared_ptr<const MappedFile>(new MappedFile(static_cast<const std::byte*>(data), size));
}

MappedFile::~MappedFile() {
  if (m_size > 0) ::munmap(const_cast<std::byte*>(m_data), m_size);
}

Result<std::string> readTextFile(const std::filesystem::path& path, std::size_t maxBytes) {
  auto file = MappedFile::open(path);
  if (!file) return fail(file.error());
  const auto bytes = (*file)->bytes();
  if (bytes.size() > maxBytes) {
    return fail("file.too_large", path.string(), std::to_string(bytes.size()) + " bytes",
                "is larger than the limit of " + std::to_string(maxBytes) + " bytes");
  }
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace moescope
