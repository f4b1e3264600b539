add_library(series_trace STATIC support/series_trace.cpp)
target_link_libraries(series_trace PUBLIC moescope_flags moescope_trace Qt6::Core)
moescope_test(tst_series_collection TIER core SOURCES unit/tst_series_collection.cpp
  LINK moescope_built_in series_trace nlohmann_json::nlohmann_json)
