if(MOESCOPE_GUI)
  moescope_test(tst_map_marks TIER widgets SOURCES canvas/tst_map_marks.cpp support/recording_painter.cpp
    LINK moescope_views routing_trace)
endif()
