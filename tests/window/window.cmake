# The whole program on a virtual display, driven by real keys: what a user does in the first five minutes.
if(MOESCOPE_GUI AND TARGET moescope_engine)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_test(NAME window COMMAND ${CMAKE_SOURCE_DIR}/tests/support/with_display $<TARGET_FILE:Python3::Interpreter>
    ${CMAKE_SOURCE_DIR}/tests/window/test_window.py)
  set_tests_properties(window PROPERTIES LABELS window TIMEOUT 300 RUN_SERIAL ON
    ENVIRONMENT "MOESCOPE_PROGRAM=$<TARGET_FILE:moescope>")
endif()
