# parallax_embed(TARGET NAMESPACE::name FILE): the bytes of FILE as `extern const std::string_view name` of namespace
# parallax::NAMESPACE, with .incbin, so that no large literal is compiled.
function(parallax_embed target namespace name file)
  set(assembly ${CMAKE_CURRENT_BINARY_DIR}/embedded_${name}.S)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_${name}.cc)
  get_filename_component(path ${file} ABSOLUTE)
  file(CONFIGURE OUTPUT ${assembly} CONTENT
".section .rodata
.global parallax_embedded_@name@
.global parallax_embedded_@name@_end
parallax_embedded_@name@:
.incbin \"@path@\"
parallax_embedded_@name@_end:
.byte 0
.section .note.GNU-stack,\"\",%progbits
" @ONLY)
  file(READ ${assembly} text)
  string(REPLACE "%progbits" "@progbits" text "${text}")
  file(WRITE ${assembly} "${text}")
  file(CONFIGURE OUTPUT ${source} CONTENT
"#include <cstddef>
#include <string_view>

extern \"C\" {
extern const char parallax_embedded_@name@[];
extern const char parallax_embedded_@name@_end[];
}

namespace parallax::@namespace@ {

extern const std::string_view @name@;
const std::string_view @name@(parallax_embedded_@name@,
                             static_cast<std::size_t>(parallax_embedded_@name@_end - parallax_embedded_@name@));

}  // namespace parallax::@namespace@
" @ONLY)
  set_source_files_properties(${assembly} PROPERTIES OBJECT_DEPENDS ${path})
  target_sources(${target} PRIVATE ${assembly} ${source})
endfunction()
