// The documents that the cases serve: a small table in every shape, and documents that say an error.
#pragma once

#include <string>
#include <string_view>

#include "sim/vo/votable_writer.h"

namespace parallax::sim {

constexpr int kCaseRows = 3;

enum class Ucds { old_style, plus };  // POS_EQ_RA_MAIN, pos.eq.ra;meta.main

// Three stars, or none.
std::string stars_document(Serialization serialization = Serialization::tabledata, Ucds ucds = Ucds::old_style,
                           int rows = kCaseRows);

// The text with the first `from`, which is there, replaced.
std::string replaced(std::string text, std::string_view from, std::string_view to);

// A VOTABLE element around something.
std::string votable(std::string_view inside);

}  // namespace parallax::sim
