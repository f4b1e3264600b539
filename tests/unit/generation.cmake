moescope_test(tst_sampler TIER core SOURCES unit/tst_sampler.cpp LINK moescope_generation)
moescope_test(tst_stop_text TIER core SOURCES unit/tst_stop_text.cpp LINK moescope_generation)
moescope_test(tst_corpus_texts TIER core SOURCES unit/tst_corpus_texts.cpp LINK moescope_generation)
set(generationSupport support/fake_engine.cpp support/run_dump.cpp)
moescope_test(tst_generation TIER core SOURCES unit/tst_generation.cpp ${generationSupport} LINK moescope_generation)
moescope_test(tst_generation_record TIER core SOURCES unit/tst_generation_record.cpp ${generationSupport}
  LINK moescope_generation)
moescope_test(tst_generation_steering TIER core SOURCES unit/tst_generation_steering.cpp ${generationSupport}
  LINK moescope_generation)
moescope_test(tst_live_session TIER core SOURCES unit/tst_live_session.cpp ${generationSupport} LINK moescope_generation)
moescope_test(tst_live_session_runs TIER core SOURCES unit/tst_live_session_runs.cpp ${generationSupport}
  LINK moescope_generation)
moescope_test(tst_corpus_run TIER core SOURCES unit/tst_corpus_run.cpp ${generationSupport} LINK moescope_generation)
