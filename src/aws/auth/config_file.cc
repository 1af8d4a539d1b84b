#include "aws/auth/config_file.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::aws {

namespace {

constexpr std::size_t kWordsMax = 1000;
constexpr std::string_view kDefaultsSection = "DEFAULT";  // whose keys every section has, as in Python's configparser

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

std::string_view strip(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::size_t indent_of(std::string_view line) {
  const auto at = std::find_if_not(line.begin(), line.end(), is_blank);
  return static_cast<std::size_t>(at - line.begin());
}

// Reads line by line what Python's RawConfigParser reads.
class ConfigParser {
 public:
  ConfigParser(std::string_view file, const ConfigLimits& limits) : file_(file), limits_(limits) {}

  Result<ConfigSections> parse(std::string_view text) {
    if (text.size() > limits_.bytes_max) {
      return make_error(ErrorKind::refused,
                        fmt::format("{} is larger than the limit of {} bytes", file_, limits_.bytes_max));
    }
    if (text.starts_with("\xEF\xBB\xBF")) {
      text.remove_prefix(3);
    }
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      ++line_;
      TRY(read_line(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return finish();
  }

 private:
  struct Raw {
    std::string text;  // lines joined by '\n'
    std::size_t line = 0;
  };

  using RawSection = std::map<std::string, Raw, std::less<>>;

  Error fail(std::string_view what, std::size_t line) const {
    return make_error(ErrorKind::invalid, fmt::format("{}:{}: {}", file_, line, what));
  }

  Result<> read_line(std::string_view line) {
    const std::string_view value = strip(line);
    if (value.empty()) {
      if (option_ != nullptr) {
        option_->text += '\n';
      }
      return {};
    }
    if (value.front() == '#' || value.front() == ';') {
      return {};
    }
    const std::size_t indent = indent_of(line);
    if (option_ != nullptr && indent > indent_) {
      option_->text += '\n';
      option_->text += value;
      return {};
    }
    indent_ = indent;
    return value.front() == '[' ? read_header(value) : read_option(value);
  }

  Result<> read_header(std::string_view value) {
    const std::size_t end = value.rfind(']');
    if (end == std::string_view::npos || end < 2) {
      return section_ == nullptr ? fail("a section begins with its name in [brackets]", line_) : read_option(value);
    }
    const std::string name(value.substr(1, end - 1));
    if (name != kDefaultsSection && sections_.contains(name)) {
      return fail(fmt::format("section [{}] is there a second time", terminal_safe(name, 80)), line_);
    }
    if (sections_.size() >= limits_.sections_max) {
      return fail(fmt::format("more than {} sections", limits_.sections_max), line_);
    }
    section_ = &sections_[name];
    option_ = nullptr;
    return {};
  }

  Result<> read_option(std::string_view value) {
    if (section_ == nullptr) {
      return fail("a key before the first [section]", line_);
    }
    const std::size_t delimiter = value.find_first_of("=:");
    const std::string name = to_lower(strip(value.substr(0, std::min(delimiter, value.size()))));
    if (delimiter == std::string_view::npos || name.empty()) {
      return fail("this line is no 'key = value', no [section] and no comment", line_);
    }
    if (section_->contains(name)) {
      return fail(fmt::format("key '{}' is there a second time in its section", terminal_safe(name, 80)), line_);
    }
    if (++keys_ > limits_.keys_max) {
      return fail(fmt::format("more than {} keys", limits_.keys_max), line_);
    }
    option_ = &(*section_)[name];
    *option_ = {std::string(strip(value.substr(delimiter + 1))), line_};
    return {};
  }

  Result<ConfigValue> finish_value(const Raw& raw) const {
    std::string_view text = raw.text;
    while (!text.empty() && is_blank(text.back())) {
      text.remove_suffix(1);
    }
    ConfigValue value;
    value.is_nested = text.starts_with('\n');
    if (!value.is_nested) {
      value.text = text;
      return value;
    }
    std::size_t line = raw.line;
    for (const std::string_view part : split(text.substr(1), '\n')) {
      ++line;
      if (strip(part).empty()) {
        continue;
      }
      const std::size_t equals = part.find('=');
      if (equals == std::string_view::npos) {
        return fail("an indented line below an empty key must be 'key = value'", line);
      }
      value.nested[std::string(strip(part.substr(0, equals)))] = strip(part.substr(equals + 1));
    }
    return value;
  }

  Result<ConfigSections> finish() const {
    ConfigSections done;
    const auto defaults = sections_.find(kDefaultsSection);
    for (const auto& [name, raw] : sections_) {
      if (name == kDefaultsSection) {
        continue;
      }
      ConfigSection& section = done[name];
      if (defaults != sections_.end()) {
        for (const auto& [key, value] : defaults->second) {
          section[key] = TRY(finish_value(value));
        }
      }
      for (const auto& [key, value] : raw) {
        section[key] = TRY(finish_value(value));
      }
    }
    return done;
  }

  const std::string file_;
  const ConfigLimits limits_;
  std::map<std::string, RawSection, std::less<>> sections_;
  RawSection* section_ = nullptr;
  Raw* option_ = nullptr;
  std::size_t indent_ = 0;
  std::size_t line_ = 0;
  std::size_t keys_ = 0;
};

// One pass of shell_split.
class Splitter {
 public:
  Result<std::vector<std::string>> run(std::string_view text) {
    for (const char c : text) {
      if (words_.size() >= kWordsMax) {
        return make_error(ErrorKind::refused, fmt::format("more than {} words", kWordsMax));
      }
      step(c);
    }
    if (quote_ != '\0') {
      return make_error(ErrorKind::invalid, "a quotation is not closed");
    }
    if (escaped_) {
      return make_error(ErrorKind::invalid, "a backslash at the very end");
    }
    end_word();
    return std::move(words_);
  }

 private:
  void step(char c) {
    if (escaped_) {
      // Inside double quotes a backslash escapes only itself and the quote.
      if (quote_ == '"' && c != '"' && c != '\\') {
        word_ += '\\';
      }
      word_ += c;
      escaped_ = false;
    } else if (c == '\\' && quote_ != '\'') {
      escaped_ = in_word_ = true;
    } else if (quote_ != '\0') {
      if (c == quote_) {
        quote_ = '\0';
      } else {
        word_ += c;
      }
    } else if (c == '"' || c == '\'') {
      quote_ = c;
      in_word_ = true;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      end_word();
    } else {
      word_ += c;
      in_word_ = true;
    }
  }

  void end_word() {
    if (in_word_) {
      words_.push_back(std::move(word_));
      word_.clear();
      in_word_ = false;
    }
  }

  std::vector<std::string> words_;
  std::string word_;
  bool in_word_ = false;
  bool escaped_ = false;
  char quote_ = '\0';
};

Result<ConfigSections> read_file(const std::string& path, Files& files) {
  if (path.empty()) {
    return ConfigSections();
  }
  const ConfigLimits limits;
  const Result<std::string> text = files.read(path, limits.bytes_max);
  if (text) {
    return parse_config(path, *text, limits);
  }
  const Error& error = text.error();
  // What is no file is read as an empty one, as botocore does; one that may not be read is an error.
  if (error.kind == ErrorKind::not_found || error.kind == ErrorKind::invalid) {
    return ConfigSections();
  }
  return error;
}

// The second word of a section's name: "audit" of [profile audit] and [profile "audit"].
std::optional<std::string> second_word(std::string_view header) {
  const Result<std::vector<std::string>> words = shell_split(header);
  return words && words->size() == 2 ? std::optional((*words)[1]) : std::nullopt;
}

void sort_sections(const ConfigSections& sections, Configuration& into) {
  for (const auto& [header, section] : sections) {
    ConfigSections* kind = header.starts_with("profile")       ? &into.config_profiles
                           : header.starts_with("sso-session") ? &into.sso_sessions
                           : header.starts_with("services")    ? &into.services
                                                               : nullptr;
    const std::optional<std::string> name = kind == nullptr ? std::nullopt : second_word(header);
    if (name) {
      (*kind)[*name] = section;
    }
  }
  // [default] as such wins over [profile default] only where it comes later; the two together are an oddity that we
  // settle for the plain form.
  if (const auto plain = sections.find("default"); plain != sections.end()) {
    into.config_profiles["default"] = plain->second;
  }
}

bool is_name_character(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// How many characters at the beginning of `text` are $NAME or ${NAME}; 0 for neither.
std::size_t variable_length(std::string_view text) {
  if (!text.starts_with('$')) {
    return 0;
  }
  const bool braced = text.starts_with("${");
  const std::size_t first = braced ? 2 : 1;
  std::size_t end = first;
  while (end < text.size() && is_name_character(text[end])) {
    ++end;
  }
  if (end == first || (braced && (end == text.size() || text[end] != '}'))) {
    return 0;
  }
  return end + (braced ? 1 : 0);
}

}  // namespace

std::optional<std::string> config_text(const ConfigSection& section, std::string_view key) {
  const auto at = section.find(key);
  return at == section.end() || at->second.is_nested ? std::nullopt : std::optional(at->second.text);
}

Result<ConfigSections> parse_config(std::string_view file, std::string_view text, const ConfigLimits& limits) {
  return ConfigParser(file, limits).parse(text);
}

Result<std::vector<std::string>> shell_split(std::string_view text) {
  return Splitter().run(text);
}

const ConfigSection* Configuration::profile(std::string_view name) const {
  const auto at = profiles.find(name);
  return at == profiles.end() ? nullptr : &at->second;
}

std::string expand_path(std::string_view path, const Environment& environment) {
  std::string expanded;
  while (!path.empty()) {
    const std::size_t length = variable_length(path);
    const bool braced = path.starts_with("${");
    const std::optional<std::string> value =
        length == 0 ? std::nullopt : environment(braced ? path.substr(2, length - 3) : path.substr(1, length - 1));
    expanded += value.value_or(std::string(path.substr(0, 1)));
    path.remove_prefix(value ? length : 1);
  }
  if (expanded != "~" && !expanded.starts_with("~/")) {
    return expanded;
  }
  const std::optional<std::string> home = environment("HOME");
  if (!home) {
    return "";
  }
  std::string_view base = *home;
  while (base.ends_with('/')) {
    base.remove_suffix(1);
  }
  return std::string(base) + expanded.substr(1);
}

Result<std::shared_ptr<const Configuration>> load_configuration(const Environment& environment, Files& files) {
  auto configuration = std::make_shared<Configuration>();
  configuration->config_path = expand_path(environment("AWS_CONFIG_FILE").value_or("~/.aws/config"), environment);
  configuration->credentials_path =
      expand_path(environment("AWS_SHARED_CREDENTIALS_FILE").value_or("~/.aws/credentials"), environment);
  sort_sections(TRY(read_file(configuration->config_path, files)), *configuration);
  configuration->credentials_profiles = TRY(read_file(configuration->credentials_path, files));
  configuration->profiles = configuration->config_profiles;
  for (const auto& [name, section] : configuration->credentials_profiles) {
    for (const auto& [key, value] : section) {
      configuration->profiles[name][key] = value;
    }
    configuration->profiles.try_emplace(name);
  }
  return std::shared_ptr<const Configuration>(std::move(configuration));
}

}  // namespace parallax::aws
