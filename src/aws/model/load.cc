// The registry that keeps what was loaded: from the folder that the user named, else from the embedded archive.
#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>
#include <zlib.h>

#include "aws/model/directory.h"
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

std::map<std::string_view, Entry> read_archive() {
  const std::string_view archive(parallax_aws_models_begin,
                                 static_cast<std::size_t>(parallax_aws_models_end - parallax_aws_models_begin));
  constexpr std::string_view kMagic = "PXM1\n";
  CHECK(archive.substr(0, kMagic.size()) == kMagic, "the embedded service models are damaged");
  const std::size_t blank = archive.find("\n\n");
  CHECK(blank != std::string_view::npos, "the embedded service models have no directory");
  const std::string_view data = archive.substr(blank + 2);
  std::map<std::string_view, Entry> entries;
  for (const std::string_view line : split(archive.substr(kMagic.size(), blank - kMagic.size()), '\n')) {
    const std::vector<std::string_view> fields = split(line, ' ');
    CHECK(fields.size() == 4, line);
    entries.emplace(fields[0], Entry{data.substr(to_size(fields[1]), to_size(fields[2])), to_size(fields[3])});
  }
  return entries;
}

// What came of a folder. Kept until the program ends, as references into it are.
struct Folder {
  explicit Folder(ModelsDirectory opened) : directory(std::move(opened)) {}

  const ModelsDirectory directory;
  Mutex mutex;
  std::map<std::string_view, Result<std::unique_ptr<ServiceModel>>> loaded GUARDED_BY(mutex);
};

class Registry {
 public:
  Registry() : entries_(read_archive()) {}

  void use(ModelsDirectory directory) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    folders_.push_back(std::make_unique<Folder>(std::move(directory)));
  }

  std::vector<std::string_view> names() const EXCLUDES(mutex_) {
    std::set<std::string_view> names;
    for (const auto& [name, entry] : entries_) {
      names.insert(name);
    }
    if (const Folder* folder = newest_folder()) {
      names.insert(folder->directory.names().begin(), folder->directory.names().end());
    }
    return {names.begin(), names.end()};
  }

  Result<const ServiceModel*> find(std::string_view name) EXCLUDES(mutex_) {
    if (Folder* folder = newest_folder(); folder != nullptr && folder->directory.contains(name)) {
      return find_in(*folder, name);
    }
    const auto entry = entries_.find(name);
    if (entry == entries_.end()) {
      return unknown(name);
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
  Folder* newest_folder() const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return folders_.empty() ? nullptr : folders_.back().get();
  }

  // Reads without a lock, as reading may wait; who comes second finds what the first has stored.
  static Result<const ServiceModel*> find_in(Folder& folder, std::string_view name) {
    {
      const MutexLock lock(folder.mutex);
      if (const auto at = folder.loaded.find(name); at != folder.loaded.end()) {
        return outcome(at->second);
      }
    }
    Result<std::unique_ptr<ServiceModel>> model = load(folder.directory, name);
    const std::vector<std::string>& names = folder.directory.names();
    const std::string_view kept = *std::lower_bound(names.begin(), names.end(), name);
    const MutexLock lock(folder.mutex);
    return outcome(folder.loaded.emplace(kept, std::move(model)).first->second);
  }

  static Result<std::unique_ptr<ServiceModel>> load(const ModelsDirectory& directory, std::string_view name) {
    return load_service(name, TRY(directory.pack(name)));
  }

  static Result<const ServiceModel*> outcome(const Result<std::unique_ptr<ServiceModel>>& model) {
    return model ? Result<const ServiceModel*>(model->get()) : Result<const ServiceModel*>(Error(model.error()));
  }

  Error unknown(std::string_view name) const {
    const std::string_view near = suggest(name, names());
    std::string message = fmt::format("unknown service '{}'", terminal_safe(name, 80));
    if (!near.empty()) {
      message += fmt::format("; did you mean '{}'?", near);
    } else if (newest_folder() == nullptr) {
      message += "; --models DIR adds what a botocore data folder has";
    }
    return make_error(ErrorKind::invalid, std::move(message));
  }

  const std::map<std::string_view, Entry> entries_;
  mutable Mutex mutex_;
  std::map<std::string_view, std::unique_ptr<ServiceModel>> loaded_ GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Folder>> folders_ GUARDED_BY(mutex_);  // the last one counts
};

Registry& registry() {
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): it locks itself
  static Registry* const kRegistry = new Registry();  // never destroyed: references into it outlive main()
  return *kRegistry;
}

}  // namespace

const ServiceModel* find_service(std::string_view name) {
  const Result<const ServiceModel*> model = registry().find(name);
  return model ? *model : nullptr;
}

Result<const ServiceModel*> require_service(std::string_view name) {
  return registry().find(name);
}

std::vector<std::string_view> service_names() {
  return registry().names();
}

Result<> use_models_directory(Files& files, std::string directory) {
  registry().use(TRY(ModelsDirectory::open(files, std::move(directory))));
  return {};
}

}  // namespace parallax::aws
