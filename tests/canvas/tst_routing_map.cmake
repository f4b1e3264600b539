# Routing map and token strip: draw lists and events without a display, then with one.
if(MOESCOPE_GUI)
  add_library(routing_trace STATIC support/routing_trace.cpp)
  target_link_libraries(routing_trace PUBLIC moescope_trace moescope_steering Qt6::Core)
  moescope_test(tst_routing_map_pictures TIER widgets SOURCES canvas/tst_routing_map_pictures.cpp support/recording_painter.cpp LINK moescope_views routing_trace)
  moescope_test(tst_routing_map_input TIER widgets SOURCES canvas/tst_routing_map_input.cpp support/recording_painter.cpp LINK moescope_views routing_trace)
  moescope_test(tst_token_strip TIER widgets SOURCES canvas/tst_token_strip.cpp support/recording_painter.cpp LINK moescope_views routing_trace)
  moescope_test(tst_routing_map_display TIER canvas SOURCES canvas/tst_routing_map_display.cpp LINK moescope_views routing_trace)
endif()
