// A fast reader for plain XML that lies whole in memory. It knows the part of XML that machines write (UTF-8, elements,
// attributes, text, the five entities, character references, CDATA, comments) and gives up on everything else:
// documents with a DOCTYPE, processing instructions, other encodings, names beyond ASCII, carriage returns, and
// whatever is not well-formed. Who gives up says nothing about the document: XmlParser then decides, and has the
// messages. What is read here is read alike there; a fuzz target compares the two.
#pragma once

#include <string_view>

#include "codec/xml.h"

namespace parallax {

enum class XmlScan {
  done,     // all of it was read
  stopped,  // `stop` was set
  gave_up,  // read it with XmlParser, and forget what the handler was told
};

// Attributes are checked, but the handler is given none. `stop` is looked at after each event.
XmlScan scan_xml(std::string_view document, XmlHandler& handler, const XmlLimits& limits, const bool& stop);

}  // namespace parallax
