# Sanitizer builds read the usual library headers precompiled: a third of the time of a file at -O0. The Release build
# does without, so a file that forgets an #include is still found there.
#
# parallax_precompiled(TARGET KIND): KIND `product` or `test`.
function(parallax_precompiled target kind)
  if(NOT PARALLAX_SANITIZE)
    return()
  endif()
  if(NOT TARGET parallax_precompiled_${kind})
    set(headers <algorithm> <array> <chrono> <condition_variable> <cstdint> <deque> <functional> <map> <memory> <mutex>
      <optional> <set> <stop_token> <string> <string_view> <thread> <utility> <variant> <vector> <fmt/format.h>)
    set(empty ${CMAKE_BINARY_DIR}/precompiled_${kind}.cc)
    file(CONFIGURE OUTPUT ${empty} CONTENT "// Its target has the precompiled headers.\n")
    add_library(parallax_precompiled_${kind} OBJECT ${empty})
    target_link_libraries(parallax_precompiled_${kind} PRIVATE fmt::fmt Threads::Threads)
    if(kind STREQUAL "test")
      list(APPEND headers <gmock/gmock.h> <gtest/gtest.h>)
      target_link_libraries(parallax_precompiled_${kind} PRIVATE GTest::gtest GTest::gmock)
    endif()
    target_precompile_headers(parallax_precompiled_${kind} PRIVATE ${headers})
  endif()
  target_precompile_headers(${target} REUSE_FROM parallax_precompiled_${kind})
endfunction()
