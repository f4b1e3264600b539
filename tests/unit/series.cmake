moescope_test(tst_checkpoint_series TIER core SOURCES unit/tst_checkpoint_series.cpp LINK moescope_generation)
moescope_test(tst_record_series TIER core SOURCES unit/tst_record_series.cpp support/fake_engine.cpp support/run_dump.cpp
  LINK moescope_generation)
moescope_test(tst_demo_series TIER core SOURCES unit/tst_demo_series.cpp LINK moescope_trace nlohmann_json::nlohmann_json)
