if(MOESCOPE_GUI)
  moescope_test(tst_router_kinds TIER widgets SOURCES models/tst_router_kinds.cpp LINK moescope_views)
endif()
