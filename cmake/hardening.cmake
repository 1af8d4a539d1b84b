# Checks that stay on in every build, and the sanitizers where PARALLAX_SANITIZE names them ("address,undefined", "thread").
add_compile_options(-D_GLIBCXX_ASSERTIONS -fstack-protector-strong)
# A failed CHECK names the file as it lies in the project, not on the machine that built it, also where a compiler's
# cache has made the path a relative one. The last of these that fits wins.
add_compile_options(-fmacro-prefix-map=../= -fmacro-prefix-map=../../= -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(PARALLAX_SANITIZE)
  add_compile_definitions(PARALLAX_SANITIZED)  # compilers differ in what they say of themselves
  add_compile_options(-fsanitize=${PARALLAX_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${PARALLAX_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  add_compile_options(-D_FORTIFY_SOURCE=2)
endif()
