// The shared configuration of AWS tools, ~/.aws/config and ~/.aws/credentials, read as botocore reads it (Python's
// RawConfigParser, then its mapping of section names to profiles).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/auth/credentials.h"
#include "base/files.h"

namespace parallax::aws {

// A value, or an indented block of keys below an empty one ("s3 =" and then indented lines).
struct ConfigValue {
  std::string text;
  std::map<std::string, std::string, std::less<>> nested;
  bool is_nested = false;
};

// Keys are in lower case, those of nested blocks as written.
using ConfigSection = std::map<std::string, ConfigValue, std::less<>>;
using ConfigSections = std::map<std::string, ConfigSection, std::less<>>;

// The text of `key`, or nullopt where it is absent or a block.
std::optional<std::string> config_text(const ConfigSection& section, std::string_view key);

struct ConfigLimits {
  std::size_t bytes_max = 1U << 20U;
  std::size_t sections_max = 10'000;
  std::size_t keys_max = 100'000;  // of the file
};

// Sections by their whole name ("profile audit"). Comments begin with # or ; on a line of their own; a key ends at the
// first = or :. Error: invalid, "FILE:LINE: what"; never with a value in it, since values may be secrets.
Result<ConfigSections> parse_config(std::string_view file, std::string_view text, const ConfigLimits& limits = {});

// Splits words as a POSIX shell does (quotes, backslashes, no expansion). Error: invalid for an open quotation.
Result<std::vector<std::string>> shell_split(std::string_view text);

// Both files together. Immutable once read.
struct Configuration {
  std::string config_path, credentials_path;  // after expansion; empty where there is no home directory
  // The union of both files; keys of the credentials file win.
  ConfigSections profiles;
  // Only what that file says: static keys are looked for in the two files at different places of the chain.
  ConfigSections config_profiles, credentials_profiles;
  ConfigSections sso_sessions, services;

  // The profile, or nullptr.
  const ConfigSection* profile(std::string_view name) const;
};

// AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE or the files' usual places; an absent file is an empty one.
// Error: invalid (syntax, size), denied (not readable).
Result<std::shared_ptr<const Configuration>> load_configuration(const Environment& environment, Files& files);

// "~", "~/x" and $NAME, ${NAME} as botocore expands them in paths of these files. What cannot be expanded stays.
std::string expand_path(std::string_view path, const Environment& environment);

}  // namespace parallax::aws
