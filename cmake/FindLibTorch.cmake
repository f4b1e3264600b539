# FindLibTorch - LibTorch without TorchConfig.cmake (which needs nvcc for CUDA builds).
#   LIBTORCH_ROOT   a folder with include/ and lib/ (an unpacked LibTorch zip, or
#                   <venv>/lib/pythonX.Y/site-packages/torch); also read from the environment
#   LIBTORCH_PYTHON optional interpreter asked for its torch folder (without importing torch)
# Gives LibTorch::LibTorch, LibTorch_VERSION, LibTorch_LIBRARY_DIR, LibTorch_HAS_CUDA_LIB.
if(NOT LIBTORCH_ROOT AND DEFINED ENV{LIBTORCH_ROOT})
  set(LIBTORCH_ROOT "$ENV{LIBTORCH_ROOT}")
endif()
if(NOT LIBTORCH_ROOT AND LIBTORCH_PYTHON)
  execute_process(
    COMMAND "${LIBTORCH_PYTHON}" -c
      "import importlib.util,os;print(os.path.dirname(importlib.util.find_spec('torch').origin))"
    OUTPUT_VARIABLE LIBTORCH_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()

find_path(LibTorch_INCLUDE_DIR NAMES ATen/ATen.h
  HINTS "${LIBTORCH_ROOT}/include" NO_DEFAULT_PATH)
set(LibTorch_LIBRARY_DIR "${LIBTORCH_ROOT}/lib")
foreach(_l c10 torch_cpu torch)
  find_library(LibTorch_${_l}_LIBRARY NAMES ${_l}
    HINTS "${LibTorch_LIBRARY_DIR}" NO_DEFAULT_PATH)
  mark_as_advanced(LibTorch_${_l}_LIBRARY)
endforeach()
mark_as_advanced(LibTorch_INCLUDE_DIR)

# version: torch/version.h (LibTorch >= 1.13), no import of torch, no run
if(LibTorch_INCLUDE_DIR)
  foreach(_h torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(NOT LibTorch_VERSION AND EXISTS "${LibTorch_INCLUDE_DIR}/${_h}")
      file(STRINGS "${LibTorch_INCLUDE_DIR}/${_h}" _v REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
      string(REGEX MATCH "MAJOR ([0-9]+)" _ "${_v}")
      set(_maj "${CMAKE_MATCH_1}")
      string(REGEX MATCH "MINOR ([0-9]+)" _ "${_v}")
      set(_min "${CMAKE_MATCH_1}")
      string(REGEX MATCH "PATCH ([0-9]+)" _ "${_v}")
      if(NOT _maj STREQUAL "")
        set(LibTorch_VERSION "${_maj}.${_min}.${CMAKE_MATCH_1}")
      endif()
    endif()
  endforeach()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_torch_LIBRARY LibTorch_torch_cpu_LIBRARY LibTorch_c10_LIBRARY LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION)

# The CUDA build of libtorch_cpu.so needs CUDA libraries even where there is no GPU.
if(LibTorch_FOUND)
  execute_process(COMMAND ldd "${LibTorch_torch_cpu_LIBRARY}" OUTPUT_VARIABLE _ldd ERROR_QUIET)
  string(REGEX MATCHALL "[^ \t\n]+ => not found" _missing "${_ldd}")
  if(_missing)
    list(TRANSFORM _missing REPLACE " => not found" "")
    list(JOIN _missing ", " _missing)
    message(FATAL_ERROR "${LibTorch_torch_cpu_LIBRARY} does not load: ${_missing} missing. "
      "Install torch with its CUDA run-time libraries, or a CPU-only build; ./dev does either.")
  endif()
endif()

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  # Old ABI check: wheels before 2.6 and "pre-cxx11" zips use _GLIBCXX_USE_CXX11_ABI=0.
  file(STRINGS "${LibTorch_c10_LIBRARY}" _cxx11 REGEX "cxx11" LIMIT_COUNT 1)
  if(_cxx11)
    set(LibTorch_CXX11_ABI 1)
  else()
    set(LibTorch_CXX11_ABI 0)
  endif()

  add_library(LibTorch::c10 SHARED IMPORTED)
  set_target_properties(LibTorch::c10 PROPERTIES IMPORTED_LOCATION "${LibTorch_c10_LIBRARY}")
  add_library(LibTorch::torch_cpu SHARED IMPORTED)
  set_target_properties(LibTorch::torch_cpu PROPERTIES IMPORTED_LOCATION "${LibTorch_torch_cpu_LIBRARY}")

  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  set_target_properties(LibTorch::LibTorch PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES
      "${LibTorch_INCLUDE_DIR};${LibTorch_INCLUDE_DIR}/torch/csrc/api/include"
    INTERFACE_COMPILE_FEATURES cxx_std_20
    INTERFACE_COMPILE_DEFINITIONS "_GLIBCXX_USE_CXX11_ABI=${LibTorch_CXX11_ABI}"
    INTERFACE_LINK_LIBRARIES "LibTorch::torch_cpu;LibTorch::c10")
  set(LibTorch_HAS_CUDA_LIB FALSE)
  if(EXISTS "${LibTorch_LIBRARY_DIR}/libtorch_cuda.so")
    set(LibTorch_HAS_CUDA_LIB TRUE)
  endif()
endif()
