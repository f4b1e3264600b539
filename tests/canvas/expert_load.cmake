if(MOESCOPE_GUI)
  moescope_test(tst_expert_load TIER widgets SOURCES canvas/tst_expert_load.cpp LINK trace_fixture recording_painter)
  moescope_test(tst_expert_load_panel TIER widgets SOURCES canvas/tst_expert_load_panel.cpp
    LINK trace_fixture moescope_views)
endif()
