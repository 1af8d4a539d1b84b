// Reading XML from outside: a push parser over expat, and a small tree for short documents.
//
// Safe by construction: entity declarations are refused, nothing external is ever loaded, and depth, attributes, names,
// single tokens, the document and the parser's own memory are limited. A DOCTYPE without entities is fine. Encodings:
// UTF-8, UTF-16, ISO-8859-1, US-ASCII, windows-1252. Namespaces are not resolved: a name is a prefix and a local name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace parallax {

struct XmlLimits {
  std::uint64_t bytes_max = std::uint64_t{1} << 30;        // the document
  std::size_t depth_max = 256;                             // elements inside one another
  std::size_t attributes_max = 256;                        // of one element
  std::size_t attribute_bytes_max = std::size_t{1} << 20;  // one value
  std::size_t name_bytes_max = 1024;                       // element or attribute, prefix included
  std::size_t token_bytes_max = std::size_t{4} << 20;      // one tag, comment or processing instruction
  std::size_t memory_bytes_max = std::size_t{32} << 20;    // all that expat allocates
};

struct XmlName {
  std::string_view prefix;  // empty where there is none
  std::string_view local;

  explicit XmlName(std::string_view qualified) {
    const std::size_t colon = qualified.find(':');
    prefix = colon == std::string_view::npos ? std::string_view() : qualified.substr(0, colon);
    local = colon == std::string_view::npos ? qualified : qualified.substr(colon + 1);
  }
};

// The attributes of the element that is being started; valid during that call only.
class XmlAttributes {
 public:
  // `pairs`: name, value, name, value, ..., null, as expat gives them.
  explicit XmlAttributes(const char* const* pairs) : pairs_(pairs) {}

  // The value of the attribute with this local name, whatever its prefix.
  std::optional<std::string_view> find(std::string_view local) const;

  std::size_t size() const;

  std::string_view name(std::size_t i) const { return pairs_[2 * i]; }  // as written

  std::string_view value(std::size_t i) const { return pairs_[2 * i + 1]; }

 private:
  const char* const* pairs_;
};

// What a parser calls. To give up, call XmlParser::stop from inside one of these.
class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  virtual void start_element(XmlName name, const XmlAttributes& attributes) = 0;
  virtual void end_element(XmlName name) = 0;
  // A piece of character data, in UTF-8; one text may come in many pieces. CDATA sections come the same way.
  virtual void text(std::string_view piece) = 0;
};

// Error kinds: `corrupt` with code "xml-truncated" (the document ended early), "xml-trailing" (something after the root
// element) or "xml-malformed"; `refused` with code "xml-entity", "xml-depth", "xml-size", ...: our own limits; and
// whatever stop() was given. Messages carry line and column. Thread safety: one thread.
class XmlParser {
 public:
  explicit XmlParser(XmlHandler& handler, XmlLimits limits = {});
  ~XmlParser();
  XmlParser(const XmlParser&) = delete;
  XmlParser& operator=(const XmlParser&) = delete;

  // Overrides what the document says of its encoding. Only before the first push.
  void set_encoding(const std::string& name);

  Result<> push(std::string_view bytes);
  Result<> finish();

  // Makes the current push() or finish() return `error`; the first one counts.
  void stop(Error error);

  std::size_t line() const;    // from 1
  std::size_t column() const;  // from 1

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A small document as a tree. Names are without prefixes; `text` is the element's own text, joined, blanks included.
struct XmlElement {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string text;
  std::vector<XmlElement> children;

  // The first child with this name, or null.
  const XmlElement* child(std::string_view wanted) const;
  // Its text, or "" where there is no such child.
  std::string_view child_text(std::string_view wanted) const;
  std::optional<std::string_view> attribute(std::string_view wanted) const;
};

// Limits that suit an answer of an API.
inline XmlLimits xml_tree_limits() {
  XmlLimits limits;
  limits.bytes_max = std::uint64_t{32} << 20;
  return limits;
}

Result<XmlElement> parse_xml(std::string_view text, XmlLimits limits = xml_tree_limits());

}  // namespace parallax
