# Flags that every own target gets.
add_library(moescope_flags INTERFACE)
target_compile_options(moescope_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms on std::string (GCC bug 105651).
  target_compile_options(moescope_flags INTERFACE -Wno-restrict)
endif()
if(MOESCOPE_WERROR)
  target_compile_options(moescope_flags INTERFACE -Werror)
endif()
target_include_directories(moescope_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(moescope_flags INTERFACE
  QT_NO_KEYWORDS SPDLOG_FMT_EXTERNAL MOESCOPE_VERSION="${PROJECT_VERSION}")
