if(MOESCOPE_GUI)
  moescope_test(tst_steering_texts TIER widgets SOURCES models/tst_steering_texts.cpp LINK moescope_views)
  moescope_test(tst_steering_panel TIER widgets SOURCES models/tst_steering_panel.cpp LINK moescope_views)
endif()
