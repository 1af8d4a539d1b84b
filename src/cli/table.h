// Tables for people: columns as wide as their widest cell, text safe for a terminal.
#pragma once

#include <string>
#include <vector>

namespace parallax::cli {

class Table {
 public:
  // A header that ends with '>' makes a right-aligned column.
  explicit Table(std::vector<std::string> headers);
  void add(std::vector<std::string> cells);
  std::string text() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

// The number of columns that UTF-8 text takes on a terminal (one per character).
std::size_t display_width(const std::string& text);

}  // namespace parallax::cli
