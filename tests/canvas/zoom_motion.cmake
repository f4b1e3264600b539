if(MOESCOPE_GUI)
  moescope_test(tst_zoom_motion TIER widgets SOURCES canvas/tst_zoom_motion.cpp support/recording_painter.cpp
    LINK moescope_views routing_trace)
endif()
