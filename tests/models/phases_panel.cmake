if(MOESCOPE_GUI)
  moescope_test(tst_phases_panel TIER widgets SOURCES models/tst_phases_panel.cpp support/routing_trace.cpp
    LINK view_bench moescope_built_in plugin_phases series_trace)
endif()
