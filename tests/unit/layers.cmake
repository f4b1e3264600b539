# The arrows of docs/architecture.md, from the includes and from the link lines of this build.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME layers COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/support/check_layers.py
  ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
add_test(NAME layers_self_test COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/unit/test_check_layers.py)
set_tests_properties(layers layers_self_test PROPERTIES LABELS core TIMEOUT 60)
