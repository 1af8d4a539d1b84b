// HTML whose escaping cannot be forgotten: text becomes Html by being escaped, and there is no other way from a string
// to markup. Names of elements and attributes are literals of ours.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parallax::collector {

// Escapes & < > " ' and shows what cannot be seen: control characters, broken UTF-8 and direction marks become \xNN or
// \u{NNNN}.
std::string html_escape(std::string_view text);

class Html {
 public:
  Html() = default;

  Html(std::string_view text) : markup_(html_escape(text)) {}  // NOLINT(google-explicit-constructor): escaping

  Html(const std::string& text) : Html(std::string_view(text)) {}  // NOLINT(google-explicit-constructor): escaping

  Html(const char* text) : Html(std::string_view(text)) {}  // NOLINT(google-explicit-constructor): escaping

  // Escaped too, but line breaks stay: for <pre>.
  static Html lines(std::string_view text);

  Html& add(const Html& more) {
    markup_ += more.markup_;
    return *this;
  }

  bool empty() const { return markup_.empty(); }

  const std::string& markup() const { return markup_; }

 private:
  friend class Element;
  std::string markup_;
};

// element("td", {{"class", "cell"}}, {"12 ms"}). An attribute with an empty value is left out; href and src are only
// paths on this server. Void elements (meta, link, br) take no children.
class Element {
 public:
  // A string literal: `consteval` keeps out whatever came at run time.
  class Name {
   public:
    consteval Name(const char* name) : name_(name) {}  // NOLINT(google-explicit-constructor): a literal

    std::string_view view() const { return name_; }

   private:
    std::string_view name_;
  };

  struct Attribute {
    Name name;
    std::string value;
  };

  static Html make(Name name, const std::vector<Attribute>& attributes, const std::vector<Html>& children);
};

inline Html element(Element::Name name, const std::vector<Element::Attribute>& attributes,
                    const std::vector<Html>& children = {}) {
  return Element::make(name, attributes, children);
}

// A whole document with doctype.
std::string html_document(const Html& head, const Html& body);

}  // namespace parallax::collector
