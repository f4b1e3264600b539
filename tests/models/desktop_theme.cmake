if(MOESCOPE_GUI)
  moescope_test(tst_desktop_theme TIER widgets SOURCES models/tst_desktop_theme.cpp LINK moescope_views)
endif()
