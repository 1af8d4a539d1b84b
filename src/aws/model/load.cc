// The embedded archive of packed models: directory, inflating, and the registry that keeps what was loaded.
#include <charconv>
#include <map>

#include <zlib.h>

#include "aws/model/model.h"
#include "base/check.h"
#include "base/mutex.h"
#include "base/text.h"

extern "C" {
extern const char parallax_aws_models_begin[];
extern const char parallax_aws_models_end[];
}

namespace parallax::aws {

namespace {

struct Entry {
  std::string_view packed;
  std::size_t bytes = 0;  // inflated
};

std::size_t to_size(std::string_view text) {
  std::size_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  CHECK(status == std::errc() && end == text.data() + text.size(), text);
  return value;
}

std::string inflate_entry(const Entry& entry) {
  std::string text(entry.bytes, '\0');
  uLongf size = entry.bytes;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): zlib takes unsigned bytes
  const int status = uncompress(reinterpret_cast<Bytef*>(text.data()), &size,
                                // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as above
                                reinterpret_cast<const Bytef*>(entry.packed.data()), entry.packed.size());
  CHECK(status == Z_OK && size == entry.bytes, "the embedded service models are damaged");
  return text;
}

class Registry {
 public:
  Registry() {
    const std::string_view archive(parallax_aws_models_begin,
                                   static_cast<std::size_t>(parallax_aws_models_end - parallax_aws_models_begin));
    constexpr std::string_view kMagic = "PXM1\n";
    CHECK(archive.substr(0, kMagic.size()) == kMagic, "the embedded service models are damaged");
    const std::size_t blank = archive.find("\n\n");
    CHECK(blank != std::string_view::npos, "the embedded service models have no directory");
    const std::string_view data = archive.substr(blank + 2);
    for (const std::string_view line : split(archive.substr(kMagic.size(), blank - kMagic.size()), '\n')) {
      const std::vector<std::string_view> fields = split(line, ' ');
      CHECK(fields.size() == 4, line);
      entries_.emplace(fields[0], Entry{data.substr(to_size(fields[1]), to_size(fields[2])), to_size(fields[3])});
    }
  }

  std::vector<std::string_view> names() const {
    std::vector<std::string_view> names;
    for (const auto& [name, entry] : entries_) {
      names.push_back(name);
    }
    return names;
  }

  const ServiceModel* find(std::string_view name) EXCLUDES(mutex_) {
    const auto entry = entries_.find(name);
    if (entry == entries_.end()) {
      return nullptr;
    }
    const MutexLock lock(mutex_);
    std::unique_ptr<ServiceModel>& model = loaded_[entry->first];
    if (model == nullptr) {
      Result<std::unique_ptr<ServiceModel>> loaded = load_service(entry->first, inflate_entry(entry->second));
      CHECK(loaded.has_value(), entry->first);
      model = std::move(loaded).value();
    }
    return model.get();
  }

 private:
  std::map<std::string_view, Entry> entries_;  // constant after construction
  Mutex mutex_;
  std::map<std::string_view, std::unique_ptr<ServiceModel>> loaded_ GUARDED_BY(mutex_);
};

Registry& registry() {
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): it locks itself
  static Registry* const kRegistry = new Registry();  // never destroyed: references into it outlive main()
  return *kRegistry;
}

}  // namespace

const ServiceModel* find_service(std::string_view name) {
  return registry().find(name);
}

std::vector<std::string_view> service_names() {
  return registry().names();
}

}  // namespace parallax::aws
