#include "collector/html.h"

#include <gtest/gtest.h>

namespace parallax::collector {
namespace {

TEST(Html, EscapesText) {
  EXPECT_EQ(Html("<b a=\"1\" b='2'>&amp;").markup(), "&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;amp;");
}

TEST(Html, ShowsWhatCannotBeSeen) {
  EXPECT_EQ(html_escape("a\x1b[2J\n\x7f"), "a\\x1b[2J\\x0a\\x7f");
  EXPECT_EQ(html_escape("\xff"), "\\xff");
  EXPECT_EQ(html_escape("\u202Etxt.exe \u2066x\u200F"), "\\u{202e}txt.exe \\u{2066}x\\u{200f}");
  EXPECT_EQ(html_escape("\u00e9 \u2013 \u661f"), "\u00e9 \u2013 \u661f");
}

TEST(Html, KeepsLineBreaksOfLinesAlone) {
  EXPECT_EQ(Html::lines("<a>\nb\x1b\n").markup(), "&lt;a&gt;\nb\\x1b\n");
}

TEST(Html, EscapesAttributesAndChildren) {
  EXPECT_EQ(element("p", {{"title", "\"><script>"}}, {"<i>", element("br", {})}).markup(),
            "<p title=\"&quot;&gt;&lt;script&gt;\">&lt;i&gt;<br></p>");
}

TEST(Html, LeavesOutEmptyAttributesAndForeignLinks) {
  EXPECT_EQ(element("a", {{"class", ""}, {"href", "javascript:alert(1)"}}, {"x"}).markup(), "<a>x</a>");
  EXPECT_EQ(element("a", {{"href", "//evil.example"}}, {"x"}).markup(), "<a>x</a>");
  EXPECT_EQ(element("a", {{"href", "/?a=1&b=2"}}, {"x"}).markup(), "<a href=\"/?a=1&amp;b=2\">x</a>");
}

}  // namespace
}  // namespace parallax::collector
