// What all protocols check in the same way. Inside the simulator's decoders.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/model/model.h"
#include "codec/json.h"

namespace parallax::sim {

// A value of a simple shape from its text: a form field, a part of a path or a query string, a header. Error: the text
// itself as message, for the caller to word.
Result<Json> scalar_from_text(const aws::Shape& shape, const std::string& text);

// Types of a JSON value, members that the shape lacks and required ones that are absent. Null members must have been
// taken out. SerializationException, ValidationException.
Result<> check_json(const aws::Shape& shape, const Json& value, const std::string& path);

// A null member is an absent one.
Json without_nulls(const Json& value);

// JSON as it came, typed as we keep it: timestamps that came as text become epoch seconds. After check_json().
Json normalised(const aws::Shape& shape, const Json& value);

// Counts, lengths, ranges and closed enumerations that the value breaks: "Value '51' at 'maxResults' failed to satisfy
// constraint: Member must have value less than or equal to 50".
std::vector<std::string> broken_constraints(const aws::Shape& shape, const Json& value);

// "2 validation errors detected: ...; ..."
std::string validation_message(const std::vector<std::string>& broken);

// "Value null at 'name' failed to satisfy constraint: Member must not be null"
std::string must_not_be_null(std::string_view path);

// As AWS writes a member in its messages: "instanceIds".
std::string message_name(std::string_view member);

}  // namespace parallax::sim
