# parallax_module(NAME SOURCES a.cc ... [TESTS a_test.cc ...] [DEPENDS module ...] [LINKS library ...] [LABELS threads])
#
# Makes the static library parallax_NAME from the sources listed by hand and, with PARALLAX_TESTS, the test program
# NAME_test. DEPENDS are other modules; tools/layers checks that #include lines say the same.
function(parallax_module name)
  cmake_parse_arguments(M "" "" "SOURCES;TESTS;DEPENDS;LINKS;TEST_LINKS;LABELS" ${ARGN})
  add_library(parallax_${name} STATIC ${M_SOURCES})
  target_include_directories(parallax_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  parallax_precompiled(parallax_${name} product)
  list(TRANSFORM M_DEPENDS PREPEND parallax_)
  target_link_libraries(parallax_${name} PUBLIC ${M_DEPENDS} PRIVATE ${M_LINKS} fmt::fmt Threads::Threads)
  if(PARALLAX_TESTS AND M_TESTS)
    parallax_test(${name}_test SOURCES ${M_TESTS} LINKS parallax_${name} ${M_TEST_LINKS} ${M_LINKS} LABELS ${M_LABELS})
  endif()
endfunction()

# parallax_test(NAME SOURCES ... LINKS ... [LABELS ...]): one GoogleTest program, each TEST its own ctest entry.
# Label `threads`: it runs real threads, so tools/test also builds (target threads_tests) and runs it under ThreadSanitizer.
add_custom_target(threads_tests)

# Where the tests' data lie: in a header, not in a flag, so that a compiler's cache serves every clone.
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/test_data.h CONTENT
"#pragma once
#define PARALLAX_TEST_DATA \"@PROJECT_SOURCE_DIR@/tests\"
" @ONLY)

function(parallax_test name)
  cmake_parse_arguments(T "" "TIMEOUT" "SOURCES;LINKS;LABELS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  add_executable(${name} ${T_SOURCES})
  parallax_precompiled(${name} test)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
  # What is tested is optimised, the tests themselves are not: it halves the time to build them.
  target_compile_options(${name} PRIVATE "$<$<CONFIG:Release>:-O0;-U_FORTIFY_SOURCE>")
  target_link_libraries(${name} PRIVATE ${T_LINKS} fmt::fmt GTest::gtest GTest::gmock GTest::gtest_main Threads::Threads)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "${T_LABELS}")
  if("threads" IN_LIST T_LABELS)
    add_dependencies(threads_tests ${name})
  endif()
endfunction()
