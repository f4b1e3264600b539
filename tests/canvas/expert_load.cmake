if(MOESCOPE_GUI)
  foreach(test tst_expert_load_bars tst_expert_load_course tst_expert_load_metrics)
    moescope_test(${test} TIER widgets SOURCES canvas/${test}.cpp LINK trace_fixture recording_painter)
  endforeach()
  moescope_test(tst_expert_load_panel TIER widgets SOURCES canvas/tst_expert_load_panel.cpp
    LINK trace_fixture moescope_views)
  # The same with OpenGL and real windows.
  add_test(NAME tst_expert_load_display
    COMMAND ${CMAKE_SOURCE_DIR}/tests/support/with_display $<TARGET_FILE:tst_expert_load_panel>)
  set_tests_properties(tst_expert_load_display PROPERTIES LABELS canvas TIMEOUT 120)
endif()
