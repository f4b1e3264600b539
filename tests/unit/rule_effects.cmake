moescope_test(tst_trace_rule_effects TIER core SOURCES unit/tst_trace_rule_effects.cpp LINK trace_fixture)
moescope_test(tst_rule_effects TIER core SOURCES unit/tst_rule_effects.cpp support/fake_engine.cpp support/run_dump.cpp
  LINK moescope_generation)
