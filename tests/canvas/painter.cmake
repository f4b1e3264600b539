# Draw lists are checked with a painter that records them.
if(MOESCOPE_GUI)
  add_library(recording_painter STATIC support/recording_painter.cpp)
  target_link_libraries(recording_painter PUBLIC moescope_views)
endif()
