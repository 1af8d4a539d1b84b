// An XML answer of the protocols `ec2` and `query` -> its value, by the operation's output shape. One pass and no tree:
// a DescribeInstances of 10,000 machines has 40 MB and two million elements.
#pragma once

#include <string_view>

#include "aws/model/model.h"
#include "codec/json.h"
#include "codec/xml.h"

namespace parallax::aws {

// Limits that suit every answer of these services, error documents too.
XmlLimits xml_answer_limits();

// Elements that the model does not know are passed over; of elements that should come once the first counts; members
// are in the model's order. Error: corrupt (code "bad-answer") or refused (our limits).
Result<Json> read_xml_result(const Operation& operation, std::string_view body);

}  // namespace parallax::aws
