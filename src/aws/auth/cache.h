// The AWS CLI's cache of role credentials, ~/.aws/cli/cache/KEY.json: what the CLI fetched serves us and the other way
// round. KEY is the SHA-1 of the arguments as Python writes them in JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/auth/source.h"
#include "codec/json.h"

namespace parallax::aws {

// How Python's json.dumps separates: ", " and ": " (its default) or "," and ":".
enum class PythonJson { spaced, compact };

// An object of texts and whole numbers, keys sorted, everything beyond ASCII escaped: what Python writes.
std::string python_json(const Json& object, PythonJson form);
// `arguments` of AssumeRole without a session name that was made up.
std::string cache_key(const Json& arguments, PythonJson form);

// Credentials with at least 15 minutes left; nullopt for a file that is absent, damaged or too old, and
// where `ask` says to skip the cache.
std::optional<Credentials> read_cached(const ChainContext& context, const std::string& key, const Ask& ask);

// Written in one step with mode 0600 (the directory 0700). A cache that cannot be written is no error: what it would
// have held is fetched again.
void write_cached(const ChainContext& context, const std::string& key, const Json& document);

// "2026-11-22T10:00:00UTC", as the CLI writes it.
std::string cache_time(Instant instant);

}  // namespace parallax::aws
