#include <fmt/format.h>

#include "codec/xml.h"

namespace parallax {

namespace {

constexpr std::size_t kElementsMax = 500'000;

// Builds the tree. Open elements are kept apart and moved into their parent when they end, so that no pointer into a
// growing vector is ever held.
class TreeBuilder : public XmlHandler {
 public:
  void attach(XmlParser& parser) { parser_ = &parser; }

  void start_element(XmlName name, const XmlAttributes& attributes) override {
    if (++elements_ > kElementsMax) {
      Error error = make_error(ErrorKind::refused, fmt::format("XML: more than {} elements", kElementsMax));
      error.code = "xml-size";
      parser_->stop(std::move(error));
      return;
    }
    XmlElement element;
    element.name = name.local;
    const std::size_t count = attributes.size();
    for (std::size_t i = 0; i < count; ++i) {
      element.attributes.emplace_back(XmlName(attributes.name(i)).local, attributes.value(i));
    }
    open_.push_back(std::move(element));
  }

  void end_element(XmlName /*name*/) override {
    XmlElement element = std::move(open_.back());
    open_.pop_back();
    if (open_.empty()) {
      root_ = std::move(element);
    } else {
      open_.back().children.push_back(std::move(element));
    }
  }

  void text(std::string_view piece) override { open_.back().text += piece; }

  XmlElement take_root() { return std::move(root_); }

 private:
  XmlParser* parser_ = nullptr;
  std::size_t elements_ = 0;
  std::vector<XmlElement> open_;
  XmlElement root_;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view wanted) const {
  for (const XmlElement& element : children) {
    if (element.name == wanted) {
      return &element;
    }
  }
  return nullptr;
}

std::string_view XmlElement::child_text(std::string_view wanted) const {
  const XmlElement* element = child(wanted);
  return element == nullptr ? std::string_view() : std::string_view(element->text);
}

std::optional<std::string_view> XmlElement::attribute(std::string_view wanted) const {
  for (const auto& [key, value] : attributes) {
    if (key == wanted) {
      return value;
    }
  }
  return std::nullopt;
}

Result<XmlElement> parse_xml(std::string_view text, XmlLimits limits) {
  TreeBuilder builder;
  XmlParser parser(builder, limits);
  builder.attach(parser);
  TRY(parser.push(text));
  TRY(parser.finish());
  return builder.take_root();
}

}  // namespace parallax
