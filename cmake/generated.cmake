# What is made at build time: FHIR tables from definitions/, pages' assets.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(generated ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated})
